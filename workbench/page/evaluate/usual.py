"""What is usual for a model: the same numbers of the other runs that were evaluated in the session.

Pure functions over evaluations; a number by another protocol is another number.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.measure.figures import figures_in

__all__ = ["FEWEST", "Usual", "usual_numbers"]

FEWEST = 2  # other runs from which on something is usual


@dataclass(frozen=True, slots=True)
class Usual:
    """Between which values a number lay, and in how many other runs."""

    low: float
    high: float
    runs: int

    def words(self, value: float) -> tuple[str, str]:
        """Where a value lies, and what is usual: ``higher than usual``, ``0.9 to 0.97 in …``."""
        where = "higher than usual" if value > self.high else "usual here"
        where = "lower than usual" if value < self.low else where
        return where, f"{self.low:.3f} to {self.high:.3f} in {self.runs} other runs here"


def usual_numbers(others: Iterable[Mapping[str, Any]]) -> dict[str, Usual]:
    """What is usual of each number, by its name; too few runs make nothing usual.

    Args:
        others: evaluations of other runs of the same model as they are kept, one of each run.
    """
    values: dict[str, list[float]] = {}
    for evaluation in others:
        after = evaluation["intervals"].get("after") or {}
        found = {name: number["value"] for name, number in after.items() if number is not None}
        for name, value in {**found, **figures_in(evaluation, "after")}.items():
            values.setdefault(name, []).append(value)
    return {
        name: Usual(min(some), max(some), len(some))
        for name, some in values.items()
        if len(some) >= FEWEST
    }
