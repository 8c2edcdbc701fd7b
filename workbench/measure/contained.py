"""Whether an answer holds the right one, word for word: exact containment.

Knows nothing about models or judges.
"""

import re
from collections.abc import Iterable

from workbench.facts.answers import plain_answer

__all__ = ["contains_any"]


def contains_any(said: str, accepted: Iterable[str]) -> bool:
    """Whether one of some answers stands in what was said, as whole words.

    Case, punctuation, articles and blanks do not matter, as in the generated protocol. A script
    that writes no blanks between words has no whole words; there any place counts.

    Args:
        said: the written answer.
        accepted: every answer that is right.
    """
    texts = (plain_answer(said), " ".join(said.lower().split()))
    return any(
        re.search(pattern, text) is not None
        for answer in accepted
        for pattern in (_pattern(plain_answer(answer)),)
        for text in texts
    )


def _pattern(answer: str) -> str:
    if not answer:
        return r"(?!)"
    start = r"(?<!\w)" if _is_spaced(answer[0]) else ""
    end = r"(?!\w)" if _is_spaced(answer[-1]) else ""
    return f"{start}{re.escape(answer)}{end}"


def _is_spaced(letter: str) -> bool:
    """Whether a character belongs to a script with blanks between words, or to a number."""
    return letter.isdigit() or letter.lower() != letter.upper()
