"""What a model wrote when it was asked for other wordings, and what the check said of it.

Records alone, which a session keeps and the page draws; knows nothing about models.
"""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Rephrased", "Wording", "passed"]


@dataclass(frozen=True, slots=True)
class Wording:
    """A prompt in other words, as a model wrote it.

    Args:
        text: the words.
        said: what the base answers to them; empty where it was not asked.
        against: why they do not mean the same, for people; empty where the check found nothing.
        ticked: whether a person wants them.
    """

    text: str
    said: str = ""
    against: str = ""
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class Rephrased:
    """A fact's prompt with the other wordings of it.

    Args:
        fact: its number: its place among the facts, in a session its row.
        prompt: as it was asked.
        said: what the base answers to it.
        wordings: what the model wrote, each once.
    """

    fact: int
    prompt: str
    said: str
    wordings: tuple[Wording, ...] = ()


def passed(rephrased: Iterable[Rephrased]) -> int:
    """How many wordings passed the check."""
    return sum(not wording.against for each in rephrased for wording in each.wordings)
