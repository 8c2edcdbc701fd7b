"""A table: rows that come one after another, with how far reading has come.

Knows neither files nor facts.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from workbench.facts.problems import Problem, shorten

__all__ = ["MAX_CELL", "Row", "Table", "object_row", "shown", "unreadable"]

# The longest text that one cell may hold, in characters.
MAX_CELL = 100_000


@dataclass(frozen=True, slots=True)
class Row:
    """One record.

    Args:
        number: as a person sees it, see `Problem`.
        cells: the values by the names of their columns.
        problem: why the record cannot be used; None when it can.
    """

    number: int
    cells: Mapping[str, Any]
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds.

    Args:
        container: how it is written, for people to read, such as ``CSV, comma``.
        rows: the records, in their order; can be gone through once.
        share: how much of the file has been read by now, from 0 to 1.
        columns: the columns' names, in their order, where the file names them ahead of its
            rows; None where every row names its own.
        plain_cells: whether a cell can only be text, so that a list in it is written as text.
        problems: what is doubtful about the whole file.
        encoding: the codec of a file of text; empty for others.
        late: what turned out to be doubtful while the rows were read.
    """

    container: str
    rows: Iterator[Row]
    share: Callable[[], float]
    columns: tuple[str, ...] | None = None
    plain_cells: bool = False
    problems: tuple[Problem, ...] = ()
    encoding: str = ""
    late: Callable[[], Iterable[Problem]] = tuple


def object_row(number: int, item: Any) -> Row:
    """A row from a JSON value, which should be an object."""
    if isinstance(item, dict):
        return Row(number, item)
    what = f"This is not an object but {shown(item)}."
    return unreadable(number, what, 'Write it as {"prompt": "…", "target_new": "…"}.')


def unreadable(number: int, what: str, mend: str, kind: str = "unreadable") -> Row:
    """A record that cannot be used."""
    return Row(number, {}, Problem(number, "", what, mend, "error", kind))


def shown(value: Any) -> str:
    """A value that is no text, for a message."""
    if isinstance(value, Decimal):
        return shorten(str(value), 40)
    try:
        return shorten(json.dumps(value, ensure_ascii=False, default=str), 40)
    except (ValueError, TypeError, RecursionError):
        return "something deeply nested"
