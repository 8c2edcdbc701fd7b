"""What an edit changed besides its facts, as plain data that is kept and drawn."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["NEARNESS", "Moved", "Nearness", "Ripple"]

Nearness = Literal["subject", "relation", "other"]
NEARNESS: dict[Nearness, str] = {
    "subject": "the same subject, another relation",
    "relation": "the same relation, another subject",
    "other": "nothing of the facts",
}


@dataclass(frozen=True, slots=True)
class Moved:
    """One prompt and how far its answer moved.

    Args:
        prompt: as it was asked.
        near: what it shares with the facts.
        kl: KL(base || edited) of the next token, in nats.
        before, after: what base and edited model say.
    """

    prompt: str
    near: Nearness
    kl: float
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether another answer is given."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Ripple:
    """What was asked besides the facts, the farthest moved first.

    Args:
        run: the run that was measured.
        rows: every prompt that was asked.
    """

    run: int
    rows: tuple[Moved, ...]

    def changed(self, near: Nearness | None = None) -> tuple[int, int]:
        """How many answers changed, and how many there are.

        Args:
            near: only prompts of that kind; None for all.
        """
        some = [row for row in self.rows if near in (None, row.near)]
        return sum(row.changed for row in some), len(some)
