"""What a scan found: every matrix with the pull of an edit at it. Knows nothing about models."""

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Scan", "ScanRow"]


@dataclass(frozen=True, slots=True)
class ScanRow:
    """One matrix, or those of all experts that are stacked in one tensor, or of one of them.

    Args:
        at: its location.
        layer, module: the same in parts.
        weights: how many numbers it holds.
        gradient: norm of the gradient of the sample's mean edit loss.
        relative: that norm relative to the norm of the matrix.
        overlap: the share of the gradient's direction that also moves unrelated prompts, see
            `workbench.search.scan`.
        whole: for the matrix of one expert, the location of all of them together; else empty.
    """

    at: str
    layer: int
    module: str
    weights: int
    gradient: float
    relative: float
    overlap: float
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """Every matrix of every layer, in the model's order.

    Args:
        rows: the matrices.
        facts: how many facts the sample was drawn from.
        sample: how many facts were used.
        neutral_from_facts: neutral prompts that are locality prompts of the sample, or prompts of
            other facts.
        neutral_built_in: neutral prompts from the built-in list.
        seconds: wall clock.
    """

    rows: tuple[ScanRow, ...]
    facts: int
    sample: int
    neutral_from_facts: int
    neutral_built_in: int
    seconds: float

    @property
    def places(self) -> tuple[ScanRow, ...]:
        """The rows without those of single experts."""
        return tuple(row for row in self.rows if not row.whole)

    def as_dict(self) -> dict[str, Any]:
        """The scan as JSON-ready data."""
        return {**asdict(self), "rows": [asdict(row) for row in self.rows]}
