"""A prompt in other words, without a model: some of its words left out, some in another order.

What is asked about stays whole: the subject, else what looks like a name. The operations are random
deletion and random swap of "EDA: Easy Data Augmentation" (Wei and Zou, arXiv 1901.11196).
Knows nothing about tokens or models.
"""

import random
import re
from collections.abc import Iterator

from workbench.facts.subject import is_name

__all__ = ["scrambled"]

LEFT_OUT = 0.25  # the chance of each word
TRIES = 20


def scrambled(prompt: str, subject: str, count: int, chance: random.Random) -> list[str]:
    """Some other wordings of a prompt, all different and none of them the prompt.

    Args:
        prompt: the text.
        subject: what it is about; empty where nobody knows.
        count: most wordings.
        chance: decides them.
    """
    units = _units(prompt.strip(), subject)
    found: dict[str, None] = {}
    for _ in range(TRIES * count):
        if len(found) == count:
            break
        words = [w for w, fixed in units if fixed or chance.random() >= LEFT_OUT]
        if len(words) > 2 and chance.random() < 0.5:
            place = chance.randrange(len(words) - 1)
            words[place : place + 2] = reversed(words[place : place + 2])
        text = " ".join(words)
        if words and text != prompt.strip():
            found[text] = None
    return list(found)


def _units(prompt: str, subject: str) -> list[tuple[str, bool]]:
    """The words of a prompt, the subject as one, each with whether it must stay."""
    start = prompt.find(subject) if subject else -1
    if start < 0:
        words = prompt.split()
        return [(word, place > 0 and is_name(word)) for place, word in enumerate(words)]
    # What is written onto a subject, such as 's or a question mark, stays there.
    end = re.compile(r"\S*").match(prompt, start + len(subject))
    assert end is not None
    first = prompt.rfind(" ", 0, start) + 1
    return [
        *_plain(prompt[:first]),
        (prompt[first : end.end()], True),
        *_plain(prompt[end.end() :]),
    ]


def _plain(text: str) -> Iterator[tuple[str, bool]]:
    return ((word, False) for word in text.split())
