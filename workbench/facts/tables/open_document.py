"""Rows from an OpenDocument spreadsheet (.ods), as LibreOffice writes it.

Invariant: a sheet takes memory for its cells at most, however far apart it claims they are.
Knows nothing about what the columns mean.
"""

import re
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import Any

from workbench.errors import FactsError
from workbench.facts.source import Source, too_large
from workbench.facts.tables.excel import cell_value, require_room
from workbench.facts.tables.header import IsHeader
from workbench.facts.tables.sheets import MAX_COLUMNS, Record, Sheet, sheet_table
from workbench.facts.tables.table import Table

__all__ = ["open_document_table"]

# A sheet is held as a rectangle, from its first cell to its last.
_MAX_CELLS = 20_000_000
_CHUNK = 1 << 20
_TAG = re.compile(rb"<(table:table|table:table-row|table:(?:covered-)?table-cell)([\s/][^>]*)?>")
_REPEATED = re.compile(rb"""table:number-(?:rows|columns)-repeated\s*=\s*["'](\d{1,12})["']""")


def open_document_table(source: Source, is_header: IsHeader) -> Table:
    """A table from a spreadsheet.

    Args:
        source: the spreadsheet.
        is_header: tells the row that names the columns, and so the sheet that holds facts.

    Raises:
        FactsError: it is broken, empty or too large, or python-calamine is not installed.
    """
    require_room(source, _broken)
    _require_extent(source)
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


def _require_extent(source: Source) -> None:
    """Makes sure that no sheet claims more cells than can be held: a row or a cell may stand for
    any number of equal ones."""
    try:
        with zipfile.ZipFile(source.file) as archive, archive.open("content.xml") as part:
            for rows, columns in _extents(part):
                if rows * columns > _MAX_CELLS:
                    what = f"has a sheet of {rows:,} rows and {columns:,} columns"
                    raise too_large(source.name, what, source.limit)
    except (KeyError, OSError, EOFError, RuntimeError, NotImplementedError, ValueError,
            zipfile.BadZipFile, zipfile.zlib.error) as error:  # type: ignore[attr-defined]  # fmt: skip
        raise _broken(source) from error
    finally:
        source.file.seek(0)


def _extents(part: Any) -> Iterator[tuple[int, int]]:
    """Yields the last row and the last column with something in it, whenever one grows."""
    row, step, column, last_row, last_column = 0, 1, 0, 0, 0
    for name, attributes in _tags(part):
        found = _REPEATED.search(attributes)
        repeated = int(found[1]) if found else 1
        if name == b"table:table":
            row, step, column, last_row, last_column = 0, 0, 0, 0, 0
        elif name == b"table:table-row":
            row, step, column = row + step, repeated, 0
        else:
            column += repeated
            if b"value-type" in attributes or b"formula" in attributes:
                last_row, last_column = max(last_row, row + step), max(last_column, column)
                yield last_row, last_column


def _tags(part: Any) -> Iterator[tuple[bytes, bytes]]:
    left = b""
    while chunk := part.read(_CHUNK):
        text = left + chunk
        cut = text.rfind(b"<")
        text, left = text[:cut], text[cut:]
        for found in _TAG.finditer(text):
            yield found[1], found[2] or b""
        if len(left) > 2 * _CHUNK:
            left = b""
    for found in _TAG.finditer(left):
        yield found[1], found[2] or b""


def _broken(source: Source) -> FactsError:
    return FactsError(
        f"{source.name} is an OpenDocument spreadsheet that cannot be read: it is broken, or "
        "locked with a password. Save the sheet as CSV (UTF-8), and read that."
    )
