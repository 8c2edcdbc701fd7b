"""All that was measured of a model or an edit, part by part, as records and as JSON-ready data.

The shares always stand; the health of the writing and general capability where they were asked
for. Knows nothing about models, nor how anything was measured.
"""

from dataclasses import dataclass
from typing import Any

from workbench.measure.capability_result import Capability
from workbench.measure.evaluation import Evaluation
from workbench.measure.health_result import Health
from workbench.measure.report.contents import evaluation_part
from workbench.work.events import Event, Told

__all__ = ["Measures", "Part", "PartBegun", "part_as_dict", "part_name"]

Part = Evaluation | Health | Capability
"""One part of what is measured, each whole by itself."""


@dataclass(frozen=True, slots=True)
class PartBegun(Event):
    """Another part is being measured.

    Args:
        part: its name, see `part_name`.
        line: what is being done, for people.
    """

    part: str
    line: str

    def told(self) -> Told:
        """The line; nothing of it is done."""
        return Told(self.line, 0.0)


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured.

    Args:
        evaluation: the shares, before and after.
        health: how it writes; None when nobody asked.
        capability: what else it can do; likewise.
    """

    evaluation: Evaluation
    health: Health | None = None
    capability: Capability | None = None

    def __getattr__(self, name: str) -> Any:
        """What the evaluation has, which is asked for most, as in ``measures.after``."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.evaluation, name)

    def as_dict(self) -> dict[str, Any]:
        """The shares before and after, and the parts besides them, as JSON-ready data."""
        further = {name: part for name, part in self.parts().items() if name != "evaluation"}
        return {**self.evaluation.as_dict(), **further}

    def parts(self) -> dict[str, dict[str, Any]]:
        """The parts that there are by their names, JSON-ready, as they stand in a report."""
        found = (self.evaluation, self.health, self.capability)
        return {part_name(part): part_as_dict(part) for part in found if part is not None}


def part_name(part: Part) -> str:
    """What the part is called in a report: ``evaluation``, ``health`` or ``capability``."""
    return type(part).__name__.lower()


def part_as_dict(part: Part) -> dict[str, Any]:
    """A part as it stands in a report, with the sentence that tells it."""
    if isinstance(part, Evaluation):
        return evaluation_part(part)
    return {**part.as_dict(), "sentence": part.sentence}
