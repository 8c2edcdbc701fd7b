"""Reading facts from a file or from pasted text: all good rows, and what is wrong with the rest.

Invariant: every row that was read is a fact, was merged into one, or was rejected with a reason:
rows = facts + merged + rejected. Nothing here changes a file.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from workbench.facts.check import Collection
from workbench.facts.columns import Layout, recognise
from workbench.facts.decode import decode
from workbench.facts.fact import Fact
from workbench.facts.problems import Problem
from workbench.facts.rows import read_row
from workbench.facts.tables import Table, read_table
from workbench.recipe.errors import FactsError

__all__ = ["FactFile", "parse_facts", "read_facts"]


@dataclass(frozen=True, slots=True)
class FactFile(Sequence[Fact]):
    """The facts of a file, as a sequence, with a report of how they were read.

    Args:
        facts: the facts, in the order of their rows.
        problems: what is wrong or doubtful, by row; see `Problem` for how rows are numbered.
        format: what was recognised, for people to read.
        rows: how many rows were read; blank lines and the header are none.
        merged: rows that say the same as an earlier one.
        rejected: rows left out because of an error.
        unused_columns: the columns that are no part of a fact.
        row_numbers: for each fact, the row on which it stood first.
    """

    facts: tuple[Fact, ...]
    problems: tuple[Problem, ...]
    format: str
    rows: int
    merged: int
    rejected: int
    unused_columns: tuple[str, ...] = ()
    row_numbers: tuple[int, ...] = ()

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

    def summary(self) -> dict[str, Any]:
        """The report as JSON-ready data."""
        kinds = Counter(problem.kind for problem in self.problems)
        return {
            "format": self.format,
            "rows": self.rows,
            "facts": len(self.facts),
            "merged": self.merged,
            "rejected": self.rejected,
            "conflicts": kinds["conflict"],
            "counts": {
                "rephrase_prompts": sum(len(fact.rephrase_prompts) for fact in self.facts),
                "locality_prompts": sum(len(fact.locality_prompts) for fact in self.facts),
                "portability_prompts": sum(len(fact.portability_prompts) for fact in self.facts),
            },
            "unused_columns": list(self.unused_columns),
            "problems": [problem.as_dict() for problem in self.problems],
        }


def read_facts(path: str | Path) -> FactFile:
    """Reads the facts of a file; its content decides the format, not its name.

    Args:
        path: a CSV, TSV, JSON or JSON lines file.

    Raises:
        FactsError: the file cannot be opened, is no text, or has no columns that are known.
    """
    path = Path(path)
    if path.is_dir():
        raise FactsError(f"'{path}' is a folder. Name a file with facts in it.")
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FactsError(f"There is no file '{path}'. Check the name and the folder.") from error
    except OSError as error:
        raise FactsError(f"'{path}' cannot be read: {error.strerror}.") from error
    return parse_facts(data, f"'{path.name}'")


def parse_facts(content: str | bytes, name: str = "the text") -> FactFile:
    """Reads facts from content that was pasted or uploaded.

    Args:
        content: what a file would hold.
        name: what to call it in messages.

    Raises:
        FactsError: the content is no text, or has no columns that are known.
    """
    if isinstance(content, bytes):
        text, guessed = decode(content, name)
    else:
        text, guessed = content.removeprefix("\ufeff"), ""
    table = read_table(text, name)
    layout = recognise(table.columns, name) if table.rows else Layout("own table", False, {})
    collection = Collection(layout)
    if guessed:
        collection.problems.append(_guessed_encoding(guessed))
    for row in table.rows:
        fact, problems = read_row(row, layout, table.plain_cells)
        if fact is None:
            collection.reject(problems)
        else:
            collection.add(row.number, fact)
    collection.finish()
    return FactFile(
        facts=collection.facts,
        problems=tuple(collection.problems),
        format=_format(layout, table),
        rows=len(table.rows),
        merged=collection.merged,
        rejected=collection.rejected,
        unused_columns=layout.unused(table.columns),
        row_numbers=collection.row_numbers,
    )


def _format(layout: Layout, table: Table) -> str:
    """Published formats are JSON, so that goes without saying."""
    if layout.published and table.container == "JSON":
        return layout.name
    return f"{layout.name}, {table.container}"


def _guessed_encoding(encoding: str) -> Problem:
    what = f"The file is not UTF-8; it was read as {encoding}, which may be wrong for accents."
    return Problem(0, "", what, "Save it as UTF-8 if letters look wrong.", "warning", "encoding")
