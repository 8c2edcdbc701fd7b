"""Rows from the first sheet of an Excel workbook (.xlsx).

A cell is read as the text that stands in it. A number is read as Python writes it, so that 1650
and 3.5 come out as they were typed; dates and TRUE or FALSE are not text, and are reported by
their rows. Formulas count as their last result.
Knows nothing about what the columns mean.
"""

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from workbench.errors import FactsError
from workbench.facts.problems import Problem, shorten
from workbench.facts.source import Source, too_large
from workbench.facts.tables.separated import cells_row
from workbench.facts.tables.table import Row, Table

__all__ = ["excel_table"]

# More columns than anybody's facts have; a sheet that claims more would only cost time.
MAX_COLUMNS = 300
# The sheet is XML, which takes several times the room of the text in it.
_ROOM = 5


def excel_table(source: Source) -> Table:
    """A table from a workbook; its first row that is not blank names the columns.

    Raises:
        FactsError: the workbook is broken, empty or too large, or openpyxl is not installed.
    """
    _require_size(source)
    first, *others = _sheets(source)
    records = _records(first, source)
    header = next((cells for _, cells in records if _filled(cells)), None)
    if header is None:
        raise FactsError(f"There is nothing in the first sheet of {source.name}.")
    names = tuple(str(cell).strip() for cell in header)
    while names and not names[-1]:
        names = names[:-1]
    rows = (_row(number, names, cells) for number, cells in records if _filled(cells))
    doubts = (_other_sheets(first, others),) if others else ()
    return Table("Excel", rows, source.share, names, plain_cells=True, problems=doubts)


def _require_size(source: Source) -> None:
    try:
        with zipfile.ZipFile(source.file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _broken(source) from error
    if size > _ROOM * source.limit:
        raise too_large(source.name, "is too large unpacked", source.limit)
    source.file.seek(0)


def _sheets(source: Source) -> list[Any]:
    """The workbook's sheets, in their order; at least one."""
    try:
        import openpyxl
    except ImportError as error:
        raise FactsError(
            f"{source.name} is an Excel workbook, which needs openpyxl: pip install openpyxl. "
            "Or save the sheet as CSV (UTF-8), and read that."
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and the like, which no fact needs
            book = openpyxl.load_workbook(source.file, read_only=True, data_only=True)
        source.stack.callback(book.close)
        return [book.worksheets[0], *book.worksheets[1:]]
    except Exception as error:  # whatever a broken workbook makes openpyxl raise
        raise _broken(source) from error


def _records(sheet: Any, source: Source) -> Iterator[tuple[int, list[Any]]]:
    """Yields (row of the sheet from 1, cells), with "" for a cell that is empty."""
    try:
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True)
        for number, values in enumerate(rows, start=1):
            yield number, [_cell(value) for value in values]
    except Exception as error:  # whatever a broken workbook makes openpyxl raise
        raise _broken(source) from error


def _filled(cells: list[Any]) -> bool:
    return any(str(cell).strip() for cell in cells)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(int(value)) if value == value // 1 and abs(value) < 1e15 else repr(value)
    return value


def _row(number: int, names: Sequence[str], cells: list[Any]) -> Row:
    """A row of cells: a sheet has no cells after the last one that is filled."""
    while cells and cells[-1] == "":
        cells.pop()
    cells.extend([""] * (len(names) - len(cells)))
    return cells_row(number, names, cells)


def _other_sheets(first: Any, others: Sequence[Any]) -> Problem:
    what = f"Only the first sheet, '{shorten(first.title)}', was read, and {len(others)} were not."
    mend = "Save the other sheets as files of their own if they hold facts."
    return Problem(0, "", what, mend, "warning", "other sheets")


def _broken(source: Source) -> FactsError:
    return FactsError(
        f"{source.name} is an Excel workbook that cannot be read: it is broken, or locked with a "
        "password. Save the sheet as CSV (UTF-8), and read that."
    )
