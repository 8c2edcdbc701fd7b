"""Rows from JSON and JSON lines, also with comments, other quotes, or one comma too many.

An array is read element by element, so that a file of any size needs little memory; so is one
that an object wraps, where the array comes first in it. Knows nothing about what the objects
mean.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from workbench.facts.problems import Problem
from workbench.facts.source import Source
from workbench.facts.tables.elements import MAX_ELEMENT, Elements, broken
from workbench.facts.tables.loose import json_value, loosened
from workbench.facts.tables.nearly import COMMENTS, SHORT, loose_value
from workbench.facts.tables.shapes import WRAPPERS, list_rows, others, shaped, unwrapped_row
from workbench.facts.tables.table import Row, Table, unreadable

__all__ = ["array_table", "object_table", "opening"]

# How many lines are tried before broken JSON is taken for one broken value, not for JSON lines.
_LINES_TO_TELL = 20
_WRAPPED = re.compile(rf'\s*\{{\s*"({"|".join(WRAPPERS)})"\s*:\s*(?=\[\s*\{{)')


def opening(text: TextIO) -> str:
    """The first character after comments, where it opens JSON; the text is where it was."""
    begin = text.tell()
    head = text.read(SHORT)
    text.seek(begin)
    return found if (found := loosened(head).lstrip()[:1]) in ("[", "{") else ""


def array_table(text: TextIO, source: Source) -> Table:
    """A table from text that starts with an array: each element is a row."""
    begin = text.tell()
    content = text.read(SHORT + 1)
    if len(content) <= SHORT:
        value, words = _tolerantly(content)
        if words:
            return _value_rows(value, words, source)
    text.seek(begin)
    elements = Elements(text, source.name)
    return Table("JSON", list_rows(elements), source.share, late=_about(elements))


def object_table(text: TextIO, source: Source) -> Table:
    """A table from text that starts with an object: JSON lines, one fact, or a table in one.

    Raises:
        FactsError: the JSON is broken so that no row can be told from another.
    """
    begin = text.tell()
    wrapped = _WRAPPED.match(text.read(1000))
    text.seek(begin)
    if wrapped is not None:
        text.read(wrapped.end())
        closing = _Closing(wrapped[1])
        elements = Elements(text, source.name, closing)
        late = _about(elements, closing)
        return Table("JSON", list_rows(elements), source.share, late=late)
    if _are_lines(text, begin):
        return _lines_table(text, source)
    return _value_table(text, begin, source)


class _Closing:
    """Takes the text after ``{"data": […]``, which should close that object, and what it holds."""

    def __init__(self, taken: str) -> None:
        self._taken = taken
        self.problems: tuple[Problem, ...] = ()

    def __call__(self, rest: str) -> bool:
        if len(rest) > MAX_ELEMENT:
            what = f"What comes after the list '{self._taken}' is too long to be looked at."
            mend = "Look whether there are more facts, and save them in a file of their own."
            self.problems = (Problem(0, "", what, mend, "warning", "left out"),)
            return True
        try:
            value = json.loads(f'{{"{self._taken}":[]' + rest)
        except (ValueError, RecursionError):
            return False
        if isinstance(value, dict):
            self.problems = tuple(others(value, self._taken))
        return isinstance(value, dict)


def _about(elements: Elements, closing: _Closing | None = None) -> Callable[[], list[Problem]]:
    """What there is to say once all elements were read."""

    def late() -> list[Problem]:
        loose = [_loose(COMMENTS)] if elements.loose else []
        return [*loose, *(closing.problems if closing else ())]

    return late


def _loose(words: str) -> Problem:
    what = f"The file is not quite JSON; it was read in spite of {words}."
    return Problem(0, "", what, "Leave it so, or save it as JSON.", "warning", "loose JSON")


def _tolerantly(content: str) -> tuple[Any, str]:
    """The value of a text that is only nearly JSON, and a word about that; else no word."""
    try:
        json.loads(content)
    except ValueError:
        pass
    except RecursionError:
        return None, ""
    else:
        return None, ""
    try:
        return loose_value(content)
    except (ValueError, RecursionError):
        return None, ""


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
    for text in (line, loosened(line)):
        try:
            return isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            continue
    return False


def _value_table(text: TextIO, begin: int, source: Source) -> Table:
    """One JSON value over the whole text, or JSON lines whose first line is broken."""
    content = text.read()
    try:
        return _value_rows(json_value(content), "", source)
    except (ValueError, RecursionError) as error:
        if any(_is_object(line) for line in content.split("\n", _LINES_TO_TELL)[:_LINES_TO_TELL]):
            text.seek(begin)
            return _lines_table(text, source)
        value, words = _tolerantly(content)
        if not words:
            raise broken(source.name, error) from error
    return _value_rows(value, words, source)


def _value_rows(value: Any, words: str, source: Source) -> Table:
    rows, kind, problems = shaped(value, source.name)
    container = f"JSON, {kind}" if kind else "JSON"
    told = (*((_loose(words),) if words else ()), *problems)
    return Table(container, iter(rows), source.share, late=lambda: told)


def _lines_table(text: TextIO, source: Source) -> Table:
    told: list[Problem] = []
    return Table("JSON lines", _lines(text, told), source.share, late=lambda: told)


def _lines(text: TextIO, told: list[Problem]) -> Iterator[Row]:
    number = 0
    while line := text.readline(MAX_ELEMENT):
        number += 1
        if len(line) == MAX_ELEMENT:
            yield _endless(number, text)
        elif line.strip():
            yield _line_row(number, line, told)


def _line_row(number: int, line: str, told: list[Problem]) -> Row:
    try:
        return unwrapped_row(number, json_value(line))
    except (ValueError, RecursionError) as error:
        reason = error
    try:
        row = unwrapped_row(number, json_value(loosened(line)))
    except (ValueError, RecursionError):
        what = f"This line is not JSON: {reason}."
        return unreadable(number, what, "Write one whole object on each line.")
    if not told:
        told.append(_loose(COMMENTS))
    return row


def _endless(number: int, text: TextIO) -> Row:
    """A line of which no end is in sight; what is left of it is passed over."""
    for piece in iter(lambda: text.readline(MAX_ELEMENT), ""):
        if len(piece) < MAX_ELEMENT:
            break
    what = f"This line is longer than {MAX_ELEMENT:,} characters."
    return unreadable(number, what, "Write one object on each line.", "too long")
