"""What somebody or something says to prompts, and whether that is right.

One rule for all that a model runs in: an answer is written greedily, and holds a fact when it is
the new answer, letter for letter, and ends there (strict), or when it has it among its words
(contained). Knows nothing about where answers come from.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench.facts.fact import Fact
from workbench.facts.forms import AskedForm
from workbench.measure.contained import contains_any

__all__ = ["Asks", "Said", "contains", "is_strict"]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer.

    Args:
        text: without what ends it.
        ended: whether it came to its end by itself.
    """

    text: str
    ended: bool


class Asks(Protocol):
    """Something that can be asked."""

    @property
    def runtime(self) -> str:
        """What the model runs in, such as ``llama.cpp``."""

    @property
    def forms(self) -> tuple[AskedForm, ...]:
        """The forms in which it can be asked."""

    def asking(
        self, prompts: Sequence[str], form: AskedForm, tokens: int
    ) -> Generator[int, None, list[Said]]:
        """Asks in steps: yields how many prompts are answered so far.

        Args:
            prompts: as facts have them; what the form adds is added here.
            form: in which they are asked.
            tokens: most tokens an answer has.

        Raises:
            Cancelled: somebody wanted it to end.
            ModelError: it cannot be asked.
        """


def is_strict(fact: Fact, said: Said) -> bool:
    """Whether an answer is the fact's new one, letter for letter, and ends there."""
    return said.ended and said.text.strip() == fact.target_new


def contains(fact: Fact, said: Said) -> bool:
    """Whether the new answer stands in what was said."""
    return contains_any(said.text, fact.accepted)
