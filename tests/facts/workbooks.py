"""Small workbooks as the tests need them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import openpyxl

Rows = Sequence[Sequence[object]]

_ODS = "application/vnd.oasis.opendocument.spreadsheet"
_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)
_HIDDEN = (
    '<style:style style:name="hidden" style:family="table">'
    '<style:table-properties table:display="false"/></style:style>'
)


def xlsx(sheets: Mapping[str, Rows], hidden: Sequence[str] = (), filtered: Rows = ()) -> bytes:
    """An Excel workbook.

    Args:
        sheets: the rows of each.
        hidden: titles of sheets that are hidden.
        filtered: for the first sheet, the numbers of rows that a filter hides.
    """
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        if title in hidden:
            sheet.sheet_state = "hidden"
    first = book.worksheets[0]
    for row in filtered:
        first.auto_filter.ref = first.dimensions
        first.row_dimensions[int(str(row[0]))].hidden = True
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def ods(sheets: Mapping[str, Rows], hidden: Sequence[str] = ()) -> bytes:
    """An OpenDocument spreadsheet; see `xlsx`."""
    shown = dict.fromkeys(sheets, "") | dict.fromkeys(hidden, 'table:style-name="hidden"')
    tables = "".join(
        f'<table:table table:name="{escape(title)}" {shown[title]}>'
        f"{''.join(map(_row, rows))}{_EMPTY}</table:table>"
        for title, rows in sheets.items()
    )
    return ods_of(tables)


def ods_of(tables: str) -> bytes:
    """A spreadsheet of tables that are written out."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", _ODS, zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest xmlns:manifest='
            '"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_SPACES}>'
            f"<office:automatic-styles>{_HIDDEN}</office:automatic-styles><office:body>"
            f"<office:spreadsheet>{tables}</office:spreadsheet></office:body>"
            "</office:document-content>",
        )
    return stream.getvalue()


# What LibreOffice writes below the last row.
_EMPTY = (
    '<table:table-row table:number-rows-repeated="1048000">'
    '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
)


def _row(cells: Sequence[object]) -> str:
    return f"<table:table-row>{''.join(map(_cell, cells))}</table:table-row>"


def _cell(value: object) -> str:
    if value is None:
        return "<table:table-cell/>"
    kind, told = "string", ""
    if isinstance(value, (int, float)):
        kind, told = "float", f' office:value="{value}"'
    text = escape(str(value))
    return (
        f'<table:table-cell office:value-type="{kind}"{told}><text:p>{text}</text:p>'
        "</table:table-cell>"
    )
