"""Which kind of table a file is: its first bytes decide, not its name.

Knows the kinds; each reads itself.
"""

import io
from dataclasses import replace
from typing import TextIO

from workbench.errors import FactsError
from workbench.facts.decode import open_text
from workbench.facts.problems import Problem
from workbench.facts.source import Source, is_workbook, unpacked
from workbench.facts.tables.excel import excel_table
from workbench.facts.tables.json_text import array_table, object_table, opening
from workbench.facts.tables.parquet import parquet_table
from workbench.facts.tables.separated import separated_table
from workbench.facts.tables.table import Table

__all__ = ["FILE_TYPES", "open_table", "text_table"]

# The endings that such files usually have, for a file dialog; nothing is told by them.
FILE_TYPES = (
    ".csv", ".tsv", ".txt", ".json", ".jsonl", ".xlsx", ".parquet", ".gz", ".zip",
)  # fmt: skip

PARQUET = b"PAR1"


def open_table(source: Source) -> Table:
    """Opens the table in a file.

    Raises:
        FactsError: it cannot be read at all.
    """
    source = unpacked(source)
    if source.head(len(PARQUET)) == PARQUET:
        return parquet_table(source)
    if is_workbook(source):
        return excel_table(source)
    text, guessed = open_text(source)
    table = _table_of(text, source)
    return replace(table, problems=(_guessed_encoding(guessed),)) if guessed else table


def text_table(content: str, name: str) -> Table:
    """Opens the table in a text that was pasted.

    Raises:
        FactsError: it cannot be read at all.
    """
    text = io.StringIO(content.removeprefix("\ufeff"), newline="")
    raw = Source(io.BytesIO(), name, 0)
    return _table_of(text, raw)


def _table_of(text: TextIO, source: Source) -> Table:
    start = _first_character(text)
    if not start:
        raise FactsError(f"There is nothing in {source.name}. Put in at least one fact.")
    if start == "/":
        start = opening(text)
    if start == "[":
        return array_table(text, source)
    if start == "{":
        return object_table(text, source)
    return separated_table(text, source)


def _first_character(text: TextIO) -> str:
    """The first character that is no blank; the text is at its beginning again afterwards."""
    begin = text.tell()
    found = ""
    while piece := text.read(4096):
        found = piece.lstrip()[:1]
        if found:
            break
    text.seek(begin)
    return found


def _guessed_encoding(encoding: str) -> Problem:
    what = f"The file is not UTF-8; it was read as {encoding}, which may be wrong for accents."
    return Problem(0, "", what, "Save it as UTF-8 if letters look wrong.", "warning", "encoding")
