"""Rows from an OpenDocument spreadsheet (.ods), as LibreOffice writes it.

Invariant: what is broken, or claims more cells than can be held, is refused before it is read.
Knows nothing about what the columns mean.
"""

import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from workbench.errors import FactsError
from workbench.facts.source import Source, too_large
from workbench.facts.tables.excel import cell_value, require_room
from workbench.facts.tables.header import IsHeader
from workbench.facts.tables.sheets import MAX_COLUMNS, Record, Sheet, sheet_table
from workbench.facts.tables.table import Table

__all__ = ["open_document_table"]

# A sheet is held as a rectangle, from its first cell to its last.
_MAX_CELLS = 20_000_000
# What the standard library raises about archives that are broken, locked or of an unknown kind.
_UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, zlib.error, zipfile.BadZipFile)


def open_document_table(source: Source, is_header: IsHeader) -> Table:
    """A table from a spreadsheet.

    Args:
        source: the spreadsheet.
        is_header: tells the row that names the columns, and so the sheet that holds facts.

    Raises:
        FactsError: it is broken, empty or too large, or python-calamine is not installed.
    """
    require_room(source, _broken)
    _require_sound(source)
    try:
        from python_calamine import CalamineWorkbook, SheetVisibleEnum
    except ImportError as error:
        raise FactsError(
            f"{source.name} is a spreadsheet, which needs python-calamine: pip install "
            "python-calamine. Or save the sheet as CSV (UTF-8), and read that."
        ) from error
    try:
        book = CalamineWorkbook.from_filelike(source.file)
        source.stack.callback(book.close)
        found = list(book.sheets_metadata)
    except Exception as error:  # whatever a broken spreadsheet makes calamine raise
        raise _broken(source) from error
    sheets = [
        Sheet(one.name, one.visible != SheetVisibleEnum.Visible, partial(_records, book, n, source))
        for n, one in enumerate(found)
    ]
    return sheet_table("OpenDocument", sheets, source, is_header)


def _records(book: Any, place: int, source: Source) -> Iterator[Record]:
    try:
        for number, values in enumerate(book.get_sheet_by_index(place).iter_rows(), start=1):
            yield number, [cell_value(value) for value in values[:MAX_COLUMNS]]
    except FactsError:
        raise
    except Exception as error:  # whatever a broken spreadsheet makes calamine raise
        raise _broken(source) from error


def _require_sound(source: Source) -> None:
    """Makes sure that the spreadsheet's text is whole, for calamine would wait for its end, and
    that no sheet claims more cells than can be held."""
    extent = _Extent(source)
    parser = ParserCreate()
    parser.StartElementHandler = extent.start
    parser.EntityDeclHandler = extent.refuse
    try:
        with zipfile.ZipFile(source.file) as archive, archive.open("content.xml") as part:
            parser.ParseFile(part)
    except (*_UNREADABLE, LookupError, ExpatError) as error:
        raise _broken(source) from error
    finally:
        source.file.seek(0)


class _Extent:
    """Follows how far a sheet reaches: a row or a cell may stand for any number of equal ones."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._row = self._rows_here = self._column = self._columns = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Takes in the beginning of an element."""
        if name == "table:table":
            self._row = self._rows_here = self._columns = 0
        elif name == "table:table-row":
            self._row += self._rows_here
            self._rows_here = _number(attributes.get("table:number-rows-repeated"))
            self._column = 0
        elif name in ("table:table-cell", "table:covered-table-cell"):
            self._column += _number(attributes.get("table:number-columns-repeated"))
            if "office:value-type" in attributes or "table:formula" in attributes:
                self._grow(self._row + self._rows_here)

    def refuse(self, *_: object) -> None:
        """Ends the reading where a text in the file could stand for much more text."""
        raise _broken(self._source)

    def _grow(self, rows: int) -> None:
        self._columns = max(self._columns, self._column)
        if rows * self._columns > _MAX_CELLS:
            what = f"has a sheet of {rows:,} rows and {self._columns:,} columns"
            raise too_large(self._source.name, what, self._source.limit)


def _number(repeated: str | None) -> int:
    return int(repeated) if repeated is not None and repeated.isdecimal() else 1


def _broken(source: Source) -> FactsError:
    return FactsError(
        f"{source.name} is an OpenDocument spreadsheet that cannot be read: it is broken, or "
        "locked with a password. Save the sheet as CSV (UTF-8), and read that."
    )
