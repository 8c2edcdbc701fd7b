"""How far the keeping of hidden states is, as an event that any process reads."""

from workbench.methods.events import StatesProgress
from workbench.model.passes import Advanced

__all__ = ["layer_told_of", "told_of"]


def layer_told_of(way: Advanced, facts: int) -> StatesProgress | None:
    """As `told_of`; None where no layer has to be brought in, which is not worth a word."""
    return told_of(way, facts) if way.layer is not None else None


def told_of(way: Advanced, facts: int, *, kept: bool = False) -> StatesProgress:
    """The event that says how far texts are on their way through layers.

    Args:
        way: how far they are.
        facts: how many there are in all.
        kept: whether they are prompts that must stay.
    """
    left = _rounded(way.seconds_left)
    return StatesProgress(way.done, facts, way.layer, way.to, round(way.rate), left, kept)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
