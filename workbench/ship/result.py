"""What an export wrote, and what it holds there: plain data, for people and as JSON."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from workbench.work.events import Event, Told

__all__ = ["ExportResult", "Remark", "Tally"]


@dataclass(frozen=True, slots=True)
class Remark(Event):
    """Something that people should know of an export before it is done.

    Args:
        text: in words.
    """

    text: str

    def told(self) -> Told:
        """The words."""
        return Told(remark=self.text)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of some questions were answered right.

    Args:
        asked: how many there are.
        before: right in the original.
        after: right in what was written.
    """

    asked: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written.

    Args:
        form: see `ExportSettings`.
        path: the file or folder.
        bytes: its size.
        runtime: what it was asked in; empty when it was not.
        held: how many of the facts that were asked the patch holds in memory.
        facts: the edited facts, as what was written answers them; None when none were given.
        others: other questions; None when none were asked.
        checked: how many prompts the model in memory and what was written answered alike.
        told: its type, rank and the like, by name.
        notes: what people should know of it.
        pushed: its address on the hub; empty when it was not uploaded.
    """

    form: str
    path: Path
    bytes: int
    runtime: str = ""
    held: int = 0
    facts: Tally | None = None
    others: Tally | None = None
    checked: int = 0
    told: dict[str, str | int | float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    pushed: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON-ready data."""
        return {**asdict(self), "path": str(self.path), "notes": list(self.notes)}
