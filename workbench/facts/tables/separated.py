"""Rows from text in lines: comma, semicolon or tab, whichever yields most names in the header.

Invariant: a broken record costs its own line only, and is reported. Knows nothing about what the
columns mean.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TextIO

from workbench.errors import FactsError
from workbench.facts.source import Source
from workbench.facts.tables.table import Row, Table, unreadable

__all__ = ["cells_row", "separated_table"]

_SEPARATORS = {",": "CSV, comma", ";": "CSV, semicolon", "\t": "TSV, tab"}


def separated_table(text: TextIO, source: Source) -> Table:
    """A table from lines of text, of which the first that is not blank names the columns.

    Raises:
        FactsError: that line cannot be read.
    """
    lines = _Lines(text)
    first = _first_line(lines)
    separator = max(_SEPARATORS, key=first.count)
    records = _records(lines, separator)
    _, header, problem = next(records)
    if problem:
        raise FactsError(
            f"The first line of {source.name}, which names the columns, is broken. {problem}"
        )
    names = tuple(name.strip() for name in header)
    return Table(
        _SEPARATORS[separator], _rows(records, names), source.share, names, plain_cells=True
    )


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


def _first_line(lines: _Lines) -> str:
    """The first line that is not blank, which stays to be read."""
    while not (line := next(lines)).strip():
        lines.mark()
    lines.put_back()
    return line


def _rows(records: Iterator[tuple[int, list[str], str]], names: Sequence[str]) -> Iterator[Row]:
    for number, cells, problem in records:
        if problem:
            mend = "Close every quote, and double a quote inside a cell."
            kind = "too long" if "limit" in problem else "unreadable"
            yield unreadable(number, problem, mend, kind)
        elif any(cell.strip() for cell in cells):
            yield cells_row(number, names, cells)


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
