"""The facts of a run as they were when it began, so that a resumed run sees the same ones.

Knows nothing about models.
"""

from dataclasses import asdict
from typing import Any

from workbench.errors import SessionError, WorkbenchError
from workbench.facts import Fact
from workbench.store.database import to_json
from workbench.store.facts import FactRow
from workbench.store.store import Store
from workbench.work.records import from_data, from_text
from workbench.work.words import one_line

__all__ = ["keep_facts", "kept_facts"]


def keep_facts(store: Store, run: int, rows: list[FactRow]) -> None:
    """Keeps the facts of a run that begins."""
    folder = store.runs.folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / "facts.part"
    with beside.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(to_json({"id": row.id, **asdict(row.fact)}) + "\n")
    beside.replace(folder / "facts.jsonl")


def kept_facts(store: Store, run: int) -> list[FactRow]:
    """The facts of a run as they were when it began.

    Raises:
        SessionError: the worker died before they were kept, or the file is damaged.
    """
    path = store.runs.folder(run) / "facts.jsonl"
    if not path.exists():
        raise SessionError(
            f"Run {run} was interrupted before anything was done. Start a new one instead."
        )
    rows = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                data = from_text(dict[str, Any], line)
                row = from_data(int, data.pop("id", None))
                rows.append(FactRow(row, from_data(Fact, data), enabled=True, source=""))
            except WorkbenchError as error:
                raise SessionError(
                    f"The facts of run {run} cannot be read, in line {number}: "
                    f"{one_line(str(error))} Start a new run instead."
                ) from error
    return rows
