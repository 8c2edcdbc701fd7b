"""The fact table of a session: the source from which runs are compiled.

Invariant: among the facts that are not deleted, a prompt stands once. Deleting only hides a
fact, so that it can be brought back. Knows nothing about files or models.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from workbench.facts import Fact, Question
from workbench.recipe.errors import SessionError
from workbench.session.database import Database, to_json

__all__ = ["Added", "FactRow", "FactTable"]

# LEFT JOIN: what the newest finished run says of each fact, as long as its answer is the same.
_SELECT = """
    SELECT f.*, r.learned AS learned FROM facts f
    LEFT JOIN run_facts r
        ON r.fact = f.id AND r.target_new = f.target_new AND r.run = :run
    WHERE f.deleted IS NULL
"""
_MATCH = " AND (f.prompt LIKE :like ESCAPE '\\' OR f.target_new LIKE :like ESCAPE '\\'" + (
    " OR f.subject LIKE :like ESCAPE '\\')"
)


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact as it stands in the table.

    Args:
        id: number of the row, never reused.
        fact: the fact.
        enabled: whether the next run compiles it.
        source: where it came from, such as a file's name.
        learned: whether the run in question learned it; None when that run did not see it.
    """

    id: int
    fact: Fact
    enabled: bool
    source: str
    learned: bool | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """What became of facts that were added.

    Args:
        ids: rows that are new.
        same: how many stood there already, word for word.
        conflicts: facts whose prompt stands there with another answer; they were not added.
    """

    ids: tuple[int, ...]
    same: int
    conflicts: tuple[Fact, ...]


class FactTable:
    """The facts of one session; see the module's docstring."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, facts: Iterable[Fact], source: str) -> Added:
        """Adds facts, all together; a prompt that is there already is never overwritten."""
        ids: list[int] = []
        conflicts: list[Fact] = []
        same = 0
        with self._database.transaction() as connection:
            for fact in facts:
                present = connection.execute(
                    "SELECT target_new FROM facts WHERE prompt = ? AND deleted IS NULL",
                    (fact.prompt,),
                ).fetchone()
                if present is None:
                    ids.append(_insert(connection, fact, source))
                elif present["target_new"] == fact.target_new:
                    same += 1
                else:
                    conflicts.append(fact)
        return Added(tuple(ids), same, tuple(conflicts))

    def put(self, fact: Fact, source: str) -> tuple[int, str]:
        """Adds one fact, or gives the fact with its prompt the new answer.

        Returns:
            The row's id, and the answer that it replaced (empty when the prompt is new).
        """
        with self._database.transaction() as connection:
            present = connection.execute(
                "SELECT id, target_new FROM facts WHERE prompt = ? AND deleted IS NULL",
                (fact.prompt,),
            ).fetchone()
            if present is None:
                return _insert(connection, fact, source), ""
            values = _columns(fact)
            kept = {name: value for name, value in values.items() if value not in ("", "{}")}
            assignments = ", ".join(f"{name} = :{name}" for name in kept)
            connection.execute(
                f"UPDATE facts SET {assignments}, enabled = 1 WHERE id = :id",
                {**kept, "id": present["id"]},
            )
            return int(present["id"]), str(present["target_new"])

    def change(self, row: int, fact: Fact) -> None:
        """Replaces the fact in a row.

        Raises:
            SessionError: another row has this prompt, or the row is gone.
        """
        assignments = ", ".join(f"{name} = :{name}" for name in _columns(fact))
        try:
            done = self._database.write(
                f"UPDATE facts SET {assignments} WHERE id = :id AND deleted IS NULL",
                {**_columns(fact), "id": row},
            )
        except sqlite3.IntegrityError:
            raise SessionError(
                f"Another fact has the prompt '{fact.prompt}'. Change its answer there instead."
            ) from None
        if done.rowcount == 0:
            raise SessionError("This fact was deleted meanwhile. Refresh the page.")

    def get(self, row: int) -> FactRow:
        """One row.

        Raises:
            SessionError: the row is gone.
        """
        found = self._database.row(
            "SELECT *, NULL AS learned FROM facts WHERE id = ? AND deleted IS NULL", (row,)
        )
        if found is None:
            raise SessionError("This fact was deleted meanwhile. Refresh the page.")
        return _row(found)

    def enable(self, rows: Iterable[int], enabled: bool) -> None:
        """Ticks rows on or off."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE facts SET enabled = ? WHERE id = ?", [(int(enabled), r) for r in rows]
            )

    def enable_matching(self, search: str, enabled: bool) -> None:
        """Ticks every row that a search finds on or off; an empty search finds all."""
        self._database.write(
            "UPDATE facts AS f SET enabled = :on WHERE f.deleted IS NULL" + _MATCH,
            {"on": int(enabled), "like": _like(search)},
        )

    def delete(self, rows: Iterable[int]) -> None:
        """Hides rows; `restore` brings them back."""
        now = time.time()
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE facts SET deleted = ? WHERE id = ?", [(now, r) for r in rows]
            )

    def restore(self, rows: Iterable[int]) -> None:
        """Brings deleted rows back.

        Raises:
            SessionError: a fact with the same prompt was added meanwhile.
        """
        try:
            with self._database.transaction() as connection:
                connection.executemany(
                    "UPDATE facts SET deleted = NULL WHERE id = ?", [(r,) for r in rows]
                )
        except sqlite3.IntegrityError:
            raise SessionError(
                "A fact with the same prompt was added meanwhile. Delete that one first."
            ) from None

    def matching(self, search: str) -> list[int]:
        """The ids of every row that a search finds."""
        found = self._database.rows(
            "SELECT f.id FROM facts f WHERE f.deleted IS NULL" + _MATCH, {"like": _like(search)}
        )
        return [row["id"] for row in found]

    def count(self, search: str = "", enabled: bool = False) -> int:
        """How many facts there are that a search finds, or only those ticked on."""
        sql = "SELECT count(*) FROM facts f WHERE f.deleted IS NULL" + _MATCH
        return self._database.number(
            sql + (" AND f.enabled" if enabled else ""),
            {"like": _like(search)},
        )

    def page(
        self, offset: int, size: int, search: str = "", run: int | None = None
    ) -> list[FactRow]:
        """Some rows in their order, with what `run` learned of them."""
        found = self._database.rows(
            _SELECT + _MATCH + " ORDER BY f.id LIMIT :size OFFSET :offset",
            {"like": _like(search), "run": run, "size": size, "offset": offset},
        )
        return [_row(row) for row in found]

    def enabled(self) -> list[FactRow]:
        """Every fact that the next run compiles, in the table's order."""
        found = self._database.rows(
            "SELECT *, NULL AS learned FROM facts WHERE deleted IS NULL AND enabled ORDER BY id"
        )
        return [_row(row) for row in found]

    def __iter__(self) -> Iterator[FactRow]:
        found = self._database.rows(
            "SELECT *, NULL AS learned FROM facts WHERE deleted IS NULL ORDER BY id"
        )
        return iter([_row(row) for row in found])


def _like(search: str) -> str:
    escaped = search.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _columns(fact: Fact) -> dict[str, str]:
    questions: dict[str, Any] = {}
    if fact.rephrase_prompts:
        questions["rephrase"] = list(fact.rephrase_prompts)
    if fact.locality_prompts:
        questions["locality"] = [[q.prompt, q.answer] for q in fact.locality_prompts]
    if fact.portability_prompts:
        questions["portability"] = [[q.prompt, q.answer] for q in fact.portability_prompts]
    return {
        "prompt": fact.prompt,
        "target_new": fact.target_new,
        "subject": fact.subject,
        "ground_truth": fact.ground_truth,
        "questions": to_json(questions),
    }


def _insert(connection: sqlite3.Connection, fact: Fact, source: str) -> int:
    cursor = connection.execute(
        "INSERT INTO facts (prompt, target_new, subject, ground_truth, questions, source)"
        " VALUES (:prompt, :target_new, :subject, :ground_truth, :questions, :source)",
        {**_columns(fact), "source": source},
    )
    return int(cursor.lastrowid or 0)


def _row(row: sqlite3.Row) -> FactRow:
    questions = json.loads(row["questions"])
    fact = Fact(
        prompt=row["prompt"],
        target_new=row["target_new"],
        subject=row["subject"],
        ground_truth=row["ground_truth"],
        rephrase_prompts=tuple(questions.get("rephrase", ())),
        locality_prompts=tuple(Question(*q) for q in questions.get("locality", ())),
        portability_prompts=tuple(Question(*q) for q in questions.get("portability", ())),
    )
    learned = row["learned"]
    return FactRow(
        id=row["id"],
        fact=fact,
        enabled=bool(row["enabled"]),
        source=row["source"],
        learned=None if learned is None else bool(learned),
    )
