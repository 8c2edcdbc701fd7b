"""What a file's columns seem to hold, for a person to confirm or to change.

Nothing is read but the first rows. Knows nothing about pages or commands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from workbench.facts.columns import FIELDS, find_columns
from workbench.facts.formats import published_layout
from workbench.facts.problems import printable, shorten
from workbench.facts.read import format_name, header_test, read_head
from workbench.facts.source import MAX_BYTES, open_source
from workbench.facts.tables import open_table
from workbench.facts.tables.table import shown

__all__ = ["ColumnGuess", "guess_columns"]

PREVIEW = 5


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """What a file's columns seem to hold.

    Args:
        format: what was recognised, for people to read.
        published: whether it is a published format, of which nothing has to be said.
        columns: the columns' names, in their order.
        fields: the column of every field of ours, or an empty text where none seems to hold it;
            to be changed and given to `read_facts` as its `columns`.
        preview: the first rows, each with a short text for every column.
        encoding: the codec by which a file of text was read; empty for other files.
    """

    format: str
    published: bool
    columns: tuple[str, ...]
    fields: Mapping[str, str]
    preview: tuple[tuple[str, ...], ...]
    encoding: str = ""

    @property
    def complete(self) -> bool:
        """Whether the file can be read as it is: a prompt and a new answer have their columns."""
        return self.published or bool(self.fields["prompt"] and self.fields["target_new"])


def guess_columns(
    path: str | Path, *, encoding: str = "", max_bytes: int = MAX_BYTES
) -> ColumnGuess:
    """Looks at a file's first rows.

    Args:
        path: see `read_facts`.
        encoding: see `read_facts`.
        max_bytes: the largest file.

    Raises:
        FactsError: the file cannot be opened, is too large, or is no table; or there is no such
            encoding.
    """
    source = open_source(Path(path), max_bytes)
    with source.stack:
        table = open_table(source, encoding, header_test())
        head, names, sample = read_head(table, source.name)
    layout = published_layout(names, sample)
    found = dict(layout.columns) if layout is not None else find_columns(names)
    good = islice((row.cells for row in head if row.problem is None), PREVIEW)
    return ColumnGuess(
        format=format_name(layout, table)
        if layout is not None
        else f"own table, {table.container}",
        published=layout is not None,
        columns=tuple(map(printable, names)),
        fields={field: found.get(part, "") for part, field in FIELDS.items()},
        preview=tuple(tuple(_brief(cells.get(name)) for name in names) for cells in good),
        encoding=table.encoding,
    )


def _brief(value: Any) -> str:
    if value is None:
        return ""
    return shorten(value, 80) if isinstance(value, str) else shown(value)
