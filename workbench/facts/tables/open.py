"""Which kind of table a file is: its first bytes decide, not its name.

Knows the kinds; each reads itself.
"""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import TextIO

from workbench.errors import FactsError
from workbench.facts.decode import Text, open_text
from workbench.facts.problems import Problem
from workbench.facts.source import Source, unpacked, workbook_kind
from workbench.facts.tables.arrow import arrow_table, is_arrow
from workbench.facts.tables.excel import excel_table
from workbench.facts.tables.header import IsHeader, any_header
from workbench.facts.tables.json_text import array_table, object_table, opening
from workbench.facts.tables.open_document import open_document_table
from workbench.facts.tables.parquet import parquet_table
from workbench.facts.tables.separated import separated_table
from workbench.facts.tables.table import Table
from workbench.facts.tables.yaml_text import is_yaml, yaml_table

__all__ = ["FILE_TYPES", "open_table", "text_table"]

# The endings that such files usually have, for a file dialog; nothing is told by them.
FILE_TYPES = (
    ".csv", ".tsv", ".txt", ".md", ".json", ".jsonl", ".yaml", ".yml", ".xlsx", ".ods", ".parquet",
    ".feather", ".arrow", ".gz", ".zip",
)  # fmt: skip

PARQUET = b"PAR1"


def open_table(source: Source, encoding: str = "", is_header: IsHeader = any_header) -> Table:
    """Opens the table in a file.

    Args:
        source: the file.
        encoding: of its text, where somebody says so; see `find_encoding`.
        is_header: tells the row that names the columns, where other rows may stand above it.

    Raises:
        FactsError: it cannot be read at all.
    """
    source = unpacked(source)
    head = source.head(16)
    if head.startswith(PARQUET):
        return parquet_table(source)
    if is_arrow(head):
        return arrow_table(source)
    kind = workbook_kind(source)
    if kind == "excel":
        return excel_table(source, is_header)
    if kind == "open document":
        return open_document_table(source, is_header)
    text = open_text(source, encoding)
    table = _table_of(text.stream, source, is_header)
    problems = (*_about_encoding(text), *table.problems)
    return replace(table, problems=problems, encoding=text.encoding)


def text_table(content: str, name: str, is_header: IsHeader = any_header) -> Table:
    """Opens the table in a text that was pasted.

    Args:
        content: the text.
        name: what to call it in messages.
        is_header: see `open_table`.

    Raises:
        FactsError: it cannot be read at all.
    """
    text = io.StringIO(content.removeprefix("\ufeff"), newline="")
    raw = Source(io.BytesIO(), name, 0)
    return _table_of(text, raw, is_header)


def _table_of(text: TextIO, source: Source, is_header: IsHeader) -> Table:
    start = _first_character(text)
    if not start:
        raise FactsError(f"There is nothing in {source.name}. Put in at least one fact.")
    if start == "/":
        start = opening(text)
    if start == "[":
        return array_table(text, source)
    if start == "{":
        return object_table(text, source)
    if is_yaml(text):
        return yaml_table(text, source)
    return separated_table(text, source, is_header)


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


def _about_encoding(text: Text) -> Iterator[Problem]:
    """What is said of an encoding that was guessed, and of what could not be read in it."""
    if text.guessed:
        what = f"The file is not UTF-8; it was read as {text.label}: '{text.preview}'"
        mend = "Choose another encoding if letters look wrong, or save the file as UTF-8."
        yield Problem(0, "", what, mend, "warning", "encoding")
    if text.lost:
        characters = "1 character" if text.lost == 1 else f"{text.lost:,} characters"
        what = f"In {text.label}, {characters} could not be read; '\ufffd' stands there now."
        mend = "Write what was meant, in the rows that are named, or choose another encoding."
        yield Problem(0, "", what, mend, "warning", "unreadable characters")
