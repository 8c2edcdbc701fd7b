"""Which row of a table names its columns: titles and notes may stand above it.

Does not know what the names mean; whoever opens a table says which names it looks for.
"""

from collections.abc import Callable, Sequence
from typing import Any

from workbench.facts.problems import Problem, shorten

__all__ = ["LOOKED_AT", "IsHeader", "any_header", "find_header", "header_names", "passed_over"]

IsHeader = Callable[[Sequence[str]], bool]
"""Whether facts can be read from columns of these names."""

# How many rows that are not blank are looked at.
LOOKED_AT = 30


def any_header(names: Sequence[str]) -> bool:
    """Knows no names, so that the first row that looks like several columns is taken."""
    return False


def header_names(cells: Sequence[Any]) -> tuple[str, ...]:
    """The columns' names in a row, without the blank cells at its end."""
    names = [str(cell).strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def find_header(rows: Sequence[Sequence[Any]], is_header: IsHeader) -> int:
    """The place of the row that names the columns.

    Args:
        rows: the first rows that are not blank; at least one.
        is_header: tells it by its names. Where no row has such names, titles are told by having
            one cell where later rows have several.
    """
    named = [header_names(cells) for cells in rows]
    known = next((place for place, names in enumerate(named) if is_header(names)), None)
    if known is not None:
        return known
    several = (place for place, names in enumerate(named) if sum(map(bool, names)) > 1)
    return next(several, 0)


def passed_over(rows: Sequence[Sequence[Any]]) -> tuple[Problem, ...]:
    """What is said of the rows above the header; nothing where there are none."""
    if not rows:
        return ()
    first = " ".join(name for name in header_names(rows[0]) if name)
    amount = "The row" if len(rows) == 1 else f"The {len(rows)} rows"
    were = "was" if len(rows) == 1 else "were"
    what = f"{amount} above the names of the columns {were} passed over: '{shorten(first)}'"
    what += "." if len(rows) == 1 else " …."
    mend = "Name the columns in the first row if a fact stands there."
    return (Problem(0, "", what, mend, "warning", "preamble"),)
