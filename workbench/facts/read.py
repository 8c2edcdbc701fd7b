"""Reading facts from a file or from pasted text: all good rows, and what is wrong with the rest.

Invariant: every row that was read is a fact, was merged into one, or was rejected with a reason:
rows = facts + merged + rejected. Nothing here changes a file, and reading that is stopped or
fails gives nothing at all.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, overload

from workbench.errors import FactsError, ReadingStopped
from workbench.facts.check import Collection, Conflict
from workbench.facts.columns import find_columns
from workbench.facts.fact import Fact
from workbench.facts.formats import published_layout, recognise
from workbench.facts.layout import Layout
from workbench.facts.problems import Problem
from workbench.facts.rows import read_row
from workbench.facts.source import MAX_BYTES, Source, open_source
from workbench.facts.tables import Row, Table, open_table, text_table
from workbench.facts.tables.header import IsHeader

__all__ = ["FactFile", "OnProgress", "ShouldStop", "parse_facts", "read_facts"]

OnProgress = Callable[[int, float], None]
ShouldStop = Callable[[], bool]

# How many rows are looked at to tell the format, and after how many progress is told.
HEAD = 200
_STEP = 500
# A million facts take about a gigabyte; names beyond a thousand are values in the wrong place.
MAX_ROWS = 1_000_000
MAX_COLUMNS = 1000


@dataclass(frozen=True, slots=True)
class FactFile(Sequence[Fact]):
    """The facts of a file, as a sequence, with a report of how they were read.

    Args:
        facts: the facts, in the order of their rows.
        problems: what is wrong or doubtful, by row; see `Problem` for how rows are numbered.
        format: what was recognised, for people to read.
        rows: how many rows were read; blank lines and the header are none. A row of a format
            with several facts in a record counts once for each.
        merged: rows that say the same as an earlier one.
        rejected: rows left out because of an error.
        unused_columns: the columns that are no part of a fact.
        conflicts: prompts with several answers, and the rows that give them.
        numbers: the row of each fact.
        encoding: the codec by which a file of text was read; empty for other files.
    """

    facts: tuple[Fact, ...]
    problems: tuple[Problem, ...]
    format: str
    rows: int
    merged: int
    rejected: int
    unused_columns: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    numbers: tuple[int, ...] = ()
    encoding: str = ""

    def __len__(self) -> int:
        return len(self.facts)

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.facts)

    @overload
    def __getitem__(self, index: int) -> Fact: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Fact]: ...
    def __getitem__(self, index: int | slice) -> Fact | Sequence[Fact]:
        return self.facts[index]

    def kinds(self) -> dict[str, int]:
        """How often each kind of problem was found, the most frequent first."""
        return dict(Counter(problem.kind for problem in self.problems).most_common())

    def summary(self) -> dict[str, Any]:
        """The report as JSON-ready data."""
        return {
            "format": self.format,
            "rows": self.rows,
            "facts": len(self.facts),
            "merged": self.merged,
            "rejected": self.rejected,
            "conflicts": len(self.conflicts),
            "counts": {
                "rephrases": sum(len(fact.rephrase_prompts) for fact in self.facts),
                "locality": sum(len(fact.locality_prompts) for fact in self.facts),
                "portability": sum(len(fact.portability_prompts) for fact in self.facts),
                "wordings": sum(len(fact.wordings) for fact in self.facts),
                "keep": sum(len(fact.keep_prompts) for fact in self.facts),
            },
            "kinds": self.kinds(),
            "unused_columns": list(self.unused_columns),
            "encoding": self.encoding,
            "problems": [problem.as_dict() for problem in self.problems],
        }


def read_facts(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    encoding: str = "",
    on_progress: OnProgress | None = None,
    should_stop: ShouldStop | None = None,
    max_bytes: int = MAX_BYTES,
) -> FactFile:
    """Reads the facts of a file; its content decides the format, not its name.

    Args:
        path: a CSV, TSV, JSON, JSON lines, YAML, Excel, OpenDocument, Parquet or Arrow file, or a
            .gz or .zip of one.
        columns: which column holds what, such as ``{"prompt": "Q"}``; an empty column for a
            field that should have none. What is not said is told from the columns' names.
        encoding: of a file of text, such as ``cp1251``; empty: told from its bytes.
        on_progress: called now and then with the rows read and the share of the file, 0 to 1.
        should_stop: asked as often; once it answers True, reading ends.
        max_bytes: the largest file, packed or unpacked.

    Raises:
        FactsError: the file cannot be opened, is too large or no table, or has no columns that
            are known; or there is no such encoding.
        ReadingStopped: `should_stop` said so.
    """
    source = open_source(Path(path), max_bytes)
    return _read_source(source, _Wanted(columns, encoding, on_progress, should_stop))


def parse_facts(
    content: str | bytes,
    name: str = "the text",
    columns: Mapping[str, str] | None = None,
    encoding: str = "",
) -> FactFile:
    """Reads facts from content that was pasted or uploaded.

    Args:
        content: what a file would hold.
        name: what to call it in messages.
        columns: see `read_facts`.
        encoding: see `read_facts`; of bytes only.

    Raises:
        FactsError: see `read_facts`.
    """
    wanted = _Wanted(columns, encoding, None, None)
    if isinstance(content, str):
        return _read_table(text_table(content, name, header_test(columns)), name, wanted)
    return _read_source(Source(io.BytesIO(content), name, len(content)), wanted)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the caller asks for, see `read_facts`."""

    columns: Mapping[str, str] | None
    encoding: str
    on_progress: OnProgress | None
    should_stop: ShouldStop | None

    def step(self, rows: int, share: float) -> None:
        if self.on_progress is not None:
            self.on_progress(rows, share)
        if self.should_stop is not None and self.should_stop():
            raise ReadingStopped(f"Reading was stopped after {rows:,} rows; nothing was kept.")


def _read_source(source: Source, wanted: _Wanted) -> FactFile:
    with source.stack:
        table = open_table(source, wanted.encoding, header_test(wanted.columns))
        return _read_table(table, source.name, wanted)


def _read_table(table: Table, name: str, wanted: _Wanted) -> FactFile:
    head, names, sample = read_head(table, name)
    layout = Layout("own table", False, {})
    if head or table.columns is not None:
        layout = recognise(names, sample, name, wanted.columns)
    collection = Collection()
    collection.problems.extend(table.problems)
    seen = set(names)
    for count, row in enumerate(chain(head, table.rows), start=1):
        if count > MAX_ROWS or len(seen) > MAX_COLUMNS:
            raise _too_many(name, "rows" if count > MAX_ROWS else "columns")
        if table.columns is None and not row.cells.keys() <= seen:
            names += [column for column in row.cells if column not in seen]
            seen.update(row.cells)
            if not layout.published:
                layout = recognise(names, sample, name, wanted.columns)
        for reading in read_row(row, layout, table.plain_cells):
            collection.take(row.number, reading, layout)
        if count % _STEP == 0:
            wanted.step(count, table.share())
    collection.problems.extend((*layout.notes, *table.late()))
    collection.finish(layout)
    wanted.step(collection.taken, 1.0)
    return FactFile(
        facts=collection.facts,
        problems=tuple(collection.problems),
        format=format_name(layout, table),
        rows=collection.taken,
        merged=collection.merged,
        rejected=collection.rejected,
        unused_columns=layout.unused(names),
        conflicts=collection.conflicts,
        numbers=collection.numbers,
        encoding=table.encoding,
    )


def header_test(columns: Mapping[str, str] | None = None) -> IsHeader:
    """Tells whether facts can be read from columns of given names.

    Args:
        columns: which column holds what, where somebody says so.
    """

    def is_header(names: Sequence[str]) -> bool:
        if len(names) > MAX_COLUMNS or len(set(names)) < 2:
            return False
        try:
            found = find_columns(names, columns)
        except FactsError:
            return False
        complete = bool(found.get("prompt") and found.get("target_new"))
        return complete or (not columns and published_layout(names, {}) is not None)

    return is_header


def read_head(table: Table, name: str) -> tuple[list[Row], list[str], dict[str, Any]]:
    """The first rows of a table, its columns as far as they are known, and a value of each.

    Args:
        table: it goes on after these rows.
        name: what to call the file in messages.

    Raises:
        FactsError: there are rows, but none of them has columns.
    """
    head = list(islice(table.rows, HEAD))
    names = list(table.columns or ())
    sample: dict[str, Any] = {}
    for row in head:
        for column, value in row.cells.items():
            if sample.get(column) is None:
                sample[column] = value
    if table.columns is None:
        names = list(sample)
        if head and not names:
            raise FactsError(
                f"The list in {name} holds no objects. Write facts as "
                '[{"prompt": "…", "target_new": "…"}, …].'
            )
    return head, names, sample


def format_name(layout: Layout, table: Table) -> str:
    """Published formats are JSON, so that goes without saying."""
    if layout.published and table.container == "JSON":
        return layout.name
    return f"{layout.name}, {table.container}"


def _too_many(name: str, what: str) -> FactsError:
    most = MAX_ROWS if what == "rows" else MAX_COLUMNS
    return FactsError(f"There are more than {most:,} {what} in {name}. Split it, or check it.")
