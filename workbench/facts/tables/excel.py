"""Rows from an Excel workbook (.xlsx).

A cell is read as the text that stands in it. A number is read as Python writes it, so that 1650
and 3.5 come out as they were typed; dates and TRUE or FALSE are not text, and are reported by
their rows. Formulas count as their last result.
Knows nothing about what the columns mean.
"""

import re
import warnings
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import Any

from workbench.errors import FactsError
from workbench.facts.source import Source, too_large
from workbench.facts.tables.header import IsHeader
from workbench.facts.tables.sheets import MAX_COLUMNS, Record, Sheet, sheet_table
from workbench.facts.tables.table import Table

__all__ = ["cell_value", "excel_table", "require_room"]

# The sheet is XML, which takes several times the room of the text in it.
_ROOM = 5
_CHUNK = 1 << 20
_ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*>")
_HIDDEN = re.compile(rb"""\shidden\s*=\s*["'](?:1|true)["']""")


def excel_table(source: Source, is_header: IsHeader) -> Table:
    """A table from a workbook.

    Args:
        source: the workbook.
        is_header: tells the row that names the columns, and so the sheet that holds facts.

    Raises:
        FactsError: the workbook is broken, empty or too large, or openpyxl is not installed.
    """
    require_room(source, _broken)
    sheets = [
        Sheet(
            str(sheet.title),
            sheet.sheet_state != "visible",
            partial(_records, sheet, source),
            partial(_hidden_rows, sheet, source),
        )
        for sheet in _sheets(source)
    ]
    return sheet_table("Excel", sheets, source, is_header)


def require_room(source: Source, broken: Any) -> None:
    """Makes sure that a workbook is not larger, unpacked, than what may be read.

    Args:
        source: the workbook.
        broken: makes the error about one that cannot be read.

    Raises:
        FactsError: it is, or it is no archive.
    """
    try:
        with zipfile.ZipFile(source.file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise broken(source) from error
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


def _records(sheet: Any, source: Source) -> Iterator[Record]:
    """Yields (row of the sheet from 1, cells), with "" for a cell that is empty."""
    try:
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True)
        for number, values in enumerate(rows, start=1):
            yield number, [cell_value(value) for value in values]
    except FactsError:
        raise
    except Exception as error:  # whatever a broken workbook makes openpyxl raise
        raise _broken(source) from error


def cell_value(value: Any) -> Any:
    """What stands in a cell: a number as its text, "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(int(value)) if value == value // 1 and abs(value) < 1e15 else repr(value)
    return value


def _hidden_rows(sheet: Any, source: Source) -> int:
    """How many rows of a sheet are hidden, which openpyxl does not tell while it streams."""
    place = source.file.tell()
    try:
        with zipfile.ZipFile(source.file) as archive, archive.open(sheet._worksheet_path) as part:
            count, left = 0, b""
            while chunk := part.read(_CHUNK):
                text = left + chunk
                cut = text.rfind(b"<")
                text, left = text[:cut], text[cut:][:_CHUNK]
                count += sum(bool(_HIDDEN.search(row[0])) for row in _ROW.finditer(text))
            return count
    except (AttributeError, KeyError, OSError, zipfile.BadZipFile):
        return 0  # without that the facts are still right
    finally:
        source.file.seek(place)


def _broken(source: Source) -> FactsError:
    return FactsError(
        f"{source.name} is an Excel workbook that cannot be read: it is broken, or locked with a "
        "password. Save the sheet as CSV (UTF-8), and read that."
    )
