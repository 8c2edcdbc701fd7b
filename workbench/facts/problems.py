"""What is wrong with a row of facts, said so that a person can mend it.

Invariant: an error means that the row was left out, a warning that it was kept.
Does not know how problems are found.
"""

from dataclasses import asdict, dataclass
from typing import Literal

__all__ = ["Problem", "Severity", "shorten"]

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and what to do about it.

    Args:
        row: the row as a person sees it: in a table and in JSON lines the number of the line on
            which the row starts (the header of a table is line 1), in JSON the number of the
            element, counted from 1; 0 when the problem is the whole file's.
        field: the name of the column, as the file calls it; empty when it is the whole row.
        what: what is wrong, as a sentence.
        mend: what to do, as a sentence.
        severity: ``error`` when the row was left out, ``warning`` when it was kept.
        kind: a short word for the kind of problem, such as ``conflict``, to count and filter by.
    """

    row: int
    field: str
    what: str
    mend: str
    severity: Severity
    kind: str

    def as_dict(self) -> dict[str, str | int]:
        """The problem as JSON-ready data."""
        return asdict(self)


def shorten(text: str, length: int = 60) -> str:
    """The text on one line and at most `length` characters long, for use in a message."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
