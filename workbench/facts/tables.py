"""From text to rows: CSV with any of the usual separators, JSON and JSON lines, told by content.

Invariant: every record in the text becomes one `Row`, also one that cannot be read; nothing is
dropped but blank lines. Knows nothing about what the columns mean.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.facts.columns import recognise
from workbench.facts.problems import Problem, shorten
from workbench.recipe.errors import FactsError

__all__ = ["Row", "Table", "read_table"]

_SEPARATORS = {",": "CSV, comma", ";": "CSV, semicolon", "\t": "TSV, tab"}
# How many lines are tried before broken JSON is taken for one broken value, not for JSON lines.
_LINES_TO_TELL = 20


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
    """What a text holds.

    Args:
        container: how it is written, for people to read, such as ``CSV, comma``.
        columns: the columns' names, in their order.
        rows: the records, in their order.
        plain_cells: whether a cell can only be text, so that a list in it is written as text.
    """

    container: str
    columns: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    plain_cells: bool = False


def read_table(text: str, where: str) -> Table:
    """Reads a table in whatever form it is written.

    Args:
        text: the whole content.
        where: the file's name, for messages.

    Raises:
        FactsError: the text is empty, or broken so that no row can be told from another.
    """
    start = text.lstrip()
    if not start:
        raise FactsError(f"There is nothing in {where}. Put in at least one fact.")
    if start[0] == "[":
        return _json(_load(text, where), where)
    if start[0] == "{":
        return _objects(text, where)
    return _separated(text, where)


def _load(text: str, where: str) -> Any:
    """The JSON value of the text; FactsError says where it is broken."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise FactsError(
            f"The JSON in {where} is broken in line {error.lineno}, column {error.colno}: "
            f"{error.msg}. Mend it there and read it again."
        ) from error
    except (ValueError, RecursionError) as error:
        raise FactsError(
            f"The JSON in {where} cannot be read: a number is too long or it is nested too deeply."
        ) from error


def _objects(text: str, where: str) -> Table:
    """Text that starts with an object: one JSON value, or JSON lines."""
    try:
        return _json(_load(text, where), where)
    except FactsError:
        lines = text.split("\n")
        if any(_is_object(line) for line in lines[:_LINES_TO_TELL]):
            return _json_lines(lines)
        raise


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _json(value: Any, where: str) -> Table:
    if isinstance(value, dict):
        value = value["facts"] if isinstance(value.get("facts"), list) else [value]
    rows = [_object_row(number, item) for number, item in enumerate(value, start=1)]
    if rows and not any(row.cells for row in rows):
        raise FactsError(
            f"The list in {where} holds no objects. Write facts as "
            '[{"prompt": "…", "target_new": "…"}, …].'
        )
    return Table("JSON", _columns(rows), rows)


def _json_lines(lines: Sequence[str]) -> Table:
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(_object_row(number, json.loads(line)))
        except (ValueError, RecursionError) as error:
            what = f"This line is not JSON: {error}."
            rows.append(_unreadable(number, what, "Write one whole object on each line."))
    return Table("JSON lines", _columns(rows), rows)


def _object_row(number: int, item: Any) -> Row:
    if isinstance(item, dict):
        return Row(number, item)
    what = f"This is not an object but {shorten(json.dumps(item))}."
    return _unreadable(number, what, 'Write it as {"prompt": "…", "target_new": "…"}.')


def _columns(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in rows for name in row.cells))


def _separated(text: str, where: str) -> Table:
    """Text in lines with a separator: the first line that is not blank names the columns."""
    lines = list(io.StringIO(text, newline=""))
    first = next(number for number, line in enumerate(lines) if line.strip())
    separator = _separator(lines[first])
    records = _records(lines, first, separator)
    _, header, problem = next(records)
    if problem:
        raise FactsError(
            f"The first line of {where}, which names the columns, is broken. {problem}"
        )
    names = tuple(name.strip() for name in header)
    # Fails early, so that a text which is no table is not reported line by line.
    recognise(names, where)
    rows = [
        _unreadable(number, problem, "Close every quote, and double a quote inside a cell.")
        if problem
        else _cells_row(number, names, cells)
        for number, cells, problem in records
        if problem or any(cell.strip() for cell in cells)
    ]
    return Table(_SEPARATORS[separator], names, rows, plain_cells=True)


def _separator(line: str) -> str:
    """The separator that yields the most names in the first line."""
    return max(_SEPARATORS, key=lambda separator: line.count(separator))


def _records(
    lines: Sequence[str], start: int, separator: str
) -> Iterator[tuple[int, list[str], str]]:
    """Yields (line number from 1, cells, what is wrong or nothing) for every record.

    A quote that is never closed would swallow all lines after it. So a broken record ends with
    its first line, and reading goes on with the next.
    """
    while start < len(lines):
        rest = (lines[number] for number in range(start, len(lines)))
        reader = csv.reader(rest, delimiter=separator, skipinitialspace=True, strict=True)
        begin = 0
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                start += begin + 1
                yield start, [], f"This line cannot be read: {error}."
                break
            yield start + begin + 1, cells, ""
            begin = reader.line_num


def _cells_row(number: int, names: Sequence[str], cells: list[str]) -> Row:
    while len(cells) > len(names) and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(names):
        amount = "many" if len(cells) > len(names) else "few"
        what = f"This row has too {amount} cells: {len(cells)}, and {len(names)} columns."
        mend = "Put a text that holds the separator in double quotes, and leave no cell out."
        return _unreadable(number, what, mend, "cells")
    return Row(number, dict(zip(names, cells, strict=True)))


def _unreadable(number: int, what: str, mend: str, kind: str = "unreadable") -> Row:
    return Row(number, {}, Problem(number, "", what, mend, "error", kind))
