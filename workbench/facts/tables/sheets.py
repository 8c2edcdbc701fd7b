"""Rows from the sheet of a workbook that holds facts, whichever program wrote the workbook.

Invariant: one sheet is read, and every other that is not empty is named. Hidden sheets are passed
over. Knows no file formats.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from workbench.errors import FactsError
from workbench.facts.problems import Problem, shorten
from workbench.facts.source import Source
from workbench.facts.tables.header import (
    LOOKED_AT,
    IsHeader,
    find_header,
    header_names,
    passed_over,
)
from workbench.facts.tables.separated import cells_row
from workbench.facts.tables.table import Row, Table

__all__ = ["MAX_COLUMNS", "Record", "Sheet", "is_filled", "sheet_table"]

# More columns than anybody's facts have; a sheet that claims more would only cost time.
MAX_COLUMNS = 300
_NAMED = 5

Record = tuple[int, list[Any]]
"""The row's number from 1, and its cells, with "" for one that is empty."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet.

    Args:
        title: its name.
        is_hidden: whether nobody sees it.
        records: goes through its rows, from the first one each time.
        hidden_rows: how many of its rows are hidden, by a filter or by hand.
    """

    title: str
    is_hidden: bool
    records: Callable[[], Iterator[Record]]
    hidden_rows: Callable[[], int] = lambda: 0


@dataclass(frozen=True, slots=True)
class _Look:
    """What the first rows of a sheet show."""

    sheet: Sheet
    rows: list[Record]
    header: int
    holds_facts: bool


def sheet_table(
    container: str, sheets: Sequence[Sheet], source: Source, is_header: IsHeader
) -> Table:
    """A table from the first sheet that holds facts, else from the first that is not empty.

    Args:
        container: what the workbook is, for people to read.
        sheets: in their order.
        source: the file.
        is_header: tells the row that names the columns.

    Raises:
        FactsError: there is nothing in any sheet, or facts in a hidden one only.
    """
    looks = [look for sheet in sheets if (look := _look(sheet, is_header)) is not None]
    seen = [look for look in looks if not look.sheet.is_hidden]
    hidden = [look for look in looks if look.sheet.is_hidden]
    chosen = next((look for look in seen if look.holds_facts), seen[0] if seen else None)
    _require_seen(chosen, hidden, source)
    assert chosen is not None
    number, cells = chosen.rows[chosen.header]
    names = header_names(cells)
    rows = (
        _row(place, names, values)
        for place, values in chosen.sheet.records()
        if place > number and is_filled(values)
    )
    doubts = (
        *_other_sheets(chosen, [look for look in seen if look is not chosen], hidden),
        *passed_over([values for _, values in chosen.rows[: chosen.header]]),
        *_filtered(chosen.sheet),
    )
    return Table(container, rows, source.share, names, plain_cells=True, problems=doubts)


def is_filled(cells: Iterable[Any]) -> bool:
    """Whether anything stands in a row."""
    return any(str(cell).strip() for cell in cells)


def _look(sheet: Sheet, is_header: IsHeader) -> _Look | None:
    """The first rows of a sheet; None when it is empty."""
    rows = list(islice((record for record in sheet.records() if is_filled(record[1])), LOOKED_AT))
    if not rows:
        return None
    header = find_header([cells for _, cells in rows], is_header)
    return _Look(sheet, rows, header, is_header(header_names(rows[header][1])))


def _require_seen(chosen: _Look | None, hidden: Sequence[_Look], source: Source) -> None:
    if chosen is not None and chosen.holds_facts:
        return
    facts = next((look for look in hidden if look.holds_facts), None)
    if facts is not None:
        raise FactsError(
            f"The facts in {source.name} stand on the hidden sheet "
            f"'{shorten(facts.sheet.title)}'. Show it, save the workbook, and read that."
        )
    if chosen is None:
        raise FactsError(f"There is nothing in the sheets of {source.name} that are shown.")


def _row(number: int, names: Sequence[str], cells: list[Any]) -> Row:
    """A row of cells: a sheet has no cells after the last one that is filled."""
    while cells and cells[-1] == "":
        cells.pop()
    cells.extend([""] * (len(names) - len(cells)))
    return cells_row(number, names, cells)


def _other_sheets(
    chosen: _Look, others: Sequence[_Look], hidden: Sequence[_Look]
) -> Iterator[Problem]:
    if others:
        what = f"Only the sheet '{shorten(chosen.sheet.title)}' was read, not {_titles(others)}."
        facts = [look for look in others if look.holds_facts]
        if facts:
            what += f" There seem to be facts on {_titles(facts)} too."
        mend = "Save the other sheets as files of their own if they hold facts."
        yield Problem(0, "", what, mend, "warning", "other sheets")
    if hidden:
        what = f"What is hidden was passed over: {_titles(hidden)}."
        mend = "Show the sheet and save the workbook if it holds facts."
        yield Problem(0, "", what, mend, "warning", "other sheets")


def _titles(looks: Sequence[_Look]) -> str:
    titles = ", ".join(f"'{shorten(look.sheet.title)}'" for look in looks[:_NAMED])
    return f"{titles} and {len(looks) - _NAMED} more" if len(looks) > _NAMED else titles


def _filtered(sheet: Sheet) -> Iterator[Problem]:
    count = sheet.hidden_rows()
    if count:
        rows = "1 row is" if count == 1 else f"{count:,} rows are"
        what = f"{rows} hidden on the sheet, by a filter or by hand; what is hidden was read too."
        mend = "Delete the rows that are not wanted, or tick them off after the import."
        yield Problem(0, "", what, mend, "warning", "hidden rows")
