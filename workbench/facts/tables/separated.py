"""Rows from text in lines: comma, semicolon, tab or bar, whichever the header is written with.

The header is the first line whose names are known, so that titles and notes may stand above it.
Invariant: a broken record costs its own line only, and is reported. Knows nothing about what the
columns mean.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TextIO

from workbench.errors import FactsError
from workbench.facts.source import Source
from workbench.facts.tables.header import (
    LOOKED_AT,
    IsHeader,
    header_names,
    passed_over,
)
from workbench.facts.tables.table import Row, Table, unreadable

__all__ = ["cells_row", "separated_table"]

_SEPARATORS = {",": "CSV, comma", ";": "CSV, semicolon", "\t": "TSV, tab", "|": "CSV, bar"}
# What Excel writes into the first line to say which separator follows.
_SAID = re.compile(r"""["']?sep=([^\w\s"']|\t)["']?\s*""", re.IGNORECASE)
_RULER = re.compile(r"\s*:?-+:?\s*")
_LONGEST = 1 << 20


def separated_table(text: TextIO, source: Source, is_header: IsHeader) -> Table:
    """A table from lines of text.

    Args:
        text: the lines; at least one is not blank.
        source: the file.
        is_header: tells the line that names the columns.

    Raises:
        FactsError: that line cannot be read.
    """
    lines = _Lines(text)
    said = _said_separator(lines)
    header = _find_header(_head(lines), said, is_header)
    if header is None:
        raise FactsError(f"There is nothing in {source.name}. Put in at least one fact.")
    for _ in range(header.line):
        next(lines)
    lines.mark()
    records = _records(lines, header.separator)
    _, cells, problem = next(records)
    if problem:
        raise FactsError(f"The line of {source.name} that names the columns is broken. {problem}")
    # A table in Markdown has bars around each row too.
    barred = header.separator == "|" and _inside(cells) is not cells
    names = tuple(name.strip() for name in (_inside(cells) if barred else cells))
    container = _SEPARATORS.get(header.separator, f"CSV, {header.separator}")
    rows = _rows(records, names, barred)
    doubts = passed_over(header.above)
    return Table(container, rows, source.share, names, plain_cells=True, problems=doubts)


def cells_row(number: int, names: Sequence[str], cells: list[str]) -> Row:
    """A row from cells in the order of their columns; blank ones at the end may be too many."""
    while len(cells) > len(names) and not str(cells[-1]).strip():
        cells.pop()
    if len(cells) != len(names):
        amount = "many" if len(cells) > len(names) else "few"
        what = f"This row has too {amount} cells: {len(cells)}, and {len(names)} columns."
        mend = "Put a text that holds the separator in double quotes, and leave no cell out."
        return unreadable(number, what, mend, "cells")
    return Row(number, dict(zip(names, cells, strict=True)))


class _Header(NamedTuple):
    """Where the header is.

    Args:
        line: how many lines stand before it.
        separator: between its names.
        above: the rows above it.
    """

    line: int
    separator: str
    above: list[list[str]]


class _Lines:
    """Lines, of which those since a mark can be put back.

    A quote that is never closed would swallow all lines after it. Then all but the first of
    them are put back.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._waiting: deque[str] = deque()
        self._taken: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._text)
        self._taken.append(line)
        self.number += 1
        return line

    def mark(self) -> None:
        """Lets go of the lines that were taken so far."""
        self._taken.clear()

    def put_back(self, keep: int = 0) -> None:
        """Puts the lines since the mark back, but for the first `keep`."""
        back = self._taken[keep:]
        del self._taken[keep:]
        self.number -= len(back)
        self._waiting.extendleft(reversed(back))


def _said_separator(lines: _Lines) -> str:
    """The separator that the first line names, which is then no line of the table."""
    while not (line := next(lines)).strip():
        lines.mark()
    said = _SAID.fullmatch(line)
    if said is None:
        lines.put_back()
        return ""
    lines.mark()
    return said[1]


def _head(lines: _Lines) -> list[str]:
    """The first lines, blank ones too, which stay to be read."""
    found: list[str] = []
    filled = size = 0
    for line in lines:
        found.append(line)
        filled += bool(line.strip())
        size += len(line)
        if filled >= LOOKED_AT or size > _LONGEST:
            break
    lines.put_back()
    return found


def _find_header(head: list[str], said: str, is_header: IsHeader) -> _Header | None:
    """The first line whose names are known with any separator, else the first with several.

    None when all lines are blank.
    """
    separators = [said] if said else list(_SEPARATORS)
    looks = [_known_header(head, separator, is_header) for separator in separators]
    known = [look for look in looks if look is not None]
    if known:
        return min(known, key=lambda look: look.line)
    places = [place for place, line in enumerate(head) if line.strip()]
    if not places:
        return None
    several = (place for place in places if any(map(head[place].count, separators)))
    line = next(several, places[0])
    above = [[head[place].strip()] for place in places if place < line]
    return _Header(line, max(separators, key=head[line].count), above)


def _known_header(head: list[str], separator: str, is_header: IsHeader) -> _Header | None:
    """Where the header is with a separator; None when no line has known names.

    A header is on one line, whatever quotes are open above it; else it goes over several.
    """
    rows = [(place, _cells([line], separator)) for place, line in enumerate(head)]
    for found in (rows, _running(head, separator)):
        for number, (place, cells) in enumerate(found):
            if is_header(header_names(cells)):
                above = [cells for _, cells in found[:number] if any(map(str.strip, cells))]
                return _Header(place, separator, above)
    return None


def _cells(lines: list[str], separator: str) -> list[str]:
    return next((cells for _, cells in _running(lines, separator)), [])


def _running(head: list[str], separator: str) -> list[tuple[int, list[str]]]:
    """The records of some lines with the place of their first line; a cell may go over several."""
    found: list[tuple[int, list[str]]] = []
    reader = csv.reader(iter(head), delimiter=separator, skipinitialspace=True)
    while True:
        start = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return found
        except csv.Error:
            continue
        found.append((start, _inside(cells) if separator == "|" else cells))


def _inside(cells: list[str]) -> list[str]:
    """The cells between the outer bars of a row, where it has outer bars."""
    if len(cells) > 2 and not cells[0].strip() and not cells[-1].strip():
        return cells[1:-1]
    return cells


def _rows(
    records: Iterator[tuple[int, list[str], str]], names: Sequence[str], barred: bool
) -> Iterator[Row]:
    may_be_ruler = barred
    for number, cells, problem in records:
        cells = _inside(cells) if barred else cells
        if problem:
            mend = "Close every quote, and double a quote inside a cell."
            kind = "too long" if "limit" in problem else "unreadable"
            yield unreadable(number, problem, mend, kind)
        elif any(cell.strip() for cell in cells):
            if not (may_be_ruler and all(map(_RULER.fullmatch, cells))):
                yield cells_row(number, names, cells)
            may_be_ruler = False


def _records(lines: _Lines, separator: str) -> Iterator[tuple[int, list[str], str]]:
    """Yields (line number from 1, cells, what is wrong or nothing) for every record."""
    while True:
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
        while True:
            lines.mark()
            start = lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                lines.put_back(keep=1)
                yield start, [], f"This line cannot be read: {error}."
                break
            yield start, cells, ""
