"""Rows from JSON and JSON lines.

An array is read element by element, so that a file of any size needs little memory. Knows
nothing about what the objects mean.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

from workbench.facts.source import Source
from workbench.facts.tables.elements import MAX_ELEMENT, Elements, broken
from workbench.facts.tables.table import Row, Table, object_row, unreadable

__all__ = ["array_table", "object_table"]

# How many lines are tried before broken JSON is taken for one broken value, not for JSON lines.
_LINES_TO_TELL = 20
_WRAPPED = re.compile(r'\s*\{\s*"facts"\s*:\s*(?=\[)')


def array_table(text: TextIO, source: Source) -> Table:
    """A table from text that starts with an array: each element is a row."""
    return Table("JSON", _numbered(Elements(text, source.name)), source.share)


def object_table(text: TextIO, source: Source) -> Table:
    """A table from text that starts with an object: JSON lines, one fact, or a wrapped array.

    Raises:
        FactsError: the JSON is broken so that no row can be told from another.
    """
    begin = text.tell()
    wrapped = _WRAPPED.match(text.read(1000))
    text.seek(begin)
    if wrapped is not None:
        text.read(wrapped.end())
        return Table("JSON", _numbered(Elements(text, source.name, _closed)), source.share)
    if _are_lines(text, begin):
        return Table("JSON lines", _lines(text), source.share)
    return _value_table(text, begin, source)


def _numbered(elements: Elements) -> Iterator[Row]:
    return (object_row(number, item) for number, item in enumerate(elements, start=1))


def _closed(rest: str) -> bool:
    """Whether the text after ``{"facts": […]`` closes that object."""
    try:
        return isinstance(json.loads('{"facts":[]' + rest), dict)
    except (ValueError, RecursionError):
        return False


def _are_lines(text: TextIO, begin: int) -> bool:
    """Whether the first line that is not blank is an object, and something follows it."""
    try:
        while line := text.readline(MAX_ELEMENT):
            if line.strip():
                return _is_object(line) and _anything(text)
        return False
    finally:
        text.seek(begin)


def _anything(text: TextIO) -> bool:
    while piece := text.read(4096):
        if piece.strip():
            return True
    return False


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _value_table(text: TextIO, begin: int, source: Source) -> Table:
    """One JSON value over the whole text, or JSON lines whose first line is broken."""
    content = text.read()
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        if any(_is_object(line) for line in content.split("\n", _LINES_TO_TELL)[:_LINES_TO_TELL]):
            text.seek(begin)
            return Table("JSON lines", _lines(text), source.share)
        raise broken(source.name, error) from error
    return Table("JSON", iter(_value_rows(value)), source.share)


def _value_rows(value: Any) -> list[Row]:
    items = value["facts"] if isinstance(value.get("facts"), list) else [value]
    return [object_row(number, item) for number, item in enumerate(items, start=1)]


def _lines(text: TextIO) -> Iterator[Row]:
    number = 0
    while line := text.readline(MAX_ELEMENT):
        number += 1
        if len(line) == MAX_ELEMENT:
            yield _endless(number, text)
        elif line.strip():
            yield _line_row(number, line)


def _line_row(number: int, line: str) -> Row:
    try:
        return object_row(number, json.loads(line))
    except (ValueError, RecursionError) as error:
        what = f"This line is not JSON: {error}."
        return unreadable(number, what, "Write one whole object on each line.")


def _endless(number: int, text: TextIO) -> Row:
    """A line of which no end is in sight; what is left of it is passed over."""
    for piece in iter(lambda: text.readline(MAX_ELEMENT), ""):
        if len(piece) < MAX_ELEMENT:
            break
    what = f"This line is longer than {MAX_ELEMENT:,} characters."
    return unreadable(number, what, "Write one object on each line.", "too long")
