"""A list of subjects as a person writes it: one a line, or several between semicolons.

A comma belongs to a name, such as Washington, D.C.
"""

import re
from collections.abc import Iterable

__all__ = ["parse_subjects", "write_subjects"]


def parse_subjects(texts: str | Iterable[str]) -> tuple[str, ...]:
    """The subjects, each once, in the order in which they stand.

    Args:
        texts: a list as a person writes it, or several.
    """
    texts = [texts] if isinstance(texts, str) else texts
    parts = (" ".join(part.split()) for text in texts for part in re.split(r"[;\n\r]", text))
    return tuple(dict.fromkeys(filter(None, parts)))


def write_subjects(subjects: Iterable[str]) -> str:
    """The inverse of `parse_subjects`, one a line."""
    return "\n".join(subjects)
