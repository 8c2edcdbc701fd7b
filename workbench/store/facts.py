"""The fact table of a session: the source from which runs are compiled.

Invariants: among the facts that are not deleted, a prompt stands once. Deleting only hides
facts, so that they can be brought back, all of one deletion together. Knows nothing about files
or models.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from workbench.errors import SessionError
from workbench.facts import Fact
from workbench.store.database import Database
from workbench.store.fact_rows import (
    Added,
    Contradiction,
    Deletion,
    FactRow,
    columns_of,
    fact_of,
    row_of,
    united,
)
from workbench.store.found import SHOWS, Found, Show

__all__ = ["Added", "Contradiction", "Deletion", "FactRow", "FactTable", "Overview"]

_ALL = Found()
_ALONE = "SELECT *, NULL AS learned FROM facts WHERE deleted IS NULL"
# JSON writes a quote inside a text behind a backslash, so that these are names alone.
_BRINGING = "(instr(questions, '\"wordings\":') > 0 OR instr(questions, '\"keep\":') > 0)"
_GONE = "This fact was deleted meanwhile. Refresh the page."
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Overview:
    """How many facts there are.

    Args:
        counts: how many the search finds, for each filter.
        found_ticked: how many of those found are ticked.
        found_unanswered: how many of those found have no old answer.
        total: how many there are in the table.
        enabled: how many of these are ticked.
    """

    counts: Mapping[Show, int] = field(default_factory=dict)
    found_ticked: int = 0
    found_unanswered: int = 0
    total: int = 0
    enabled: int = 0


class FactTable:
    """The facts of one session; see the module's docstring."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, facts: Iterable[Fact], source: str) -> Added:
        """Adds facts, all together; a prompt that is there already is never overwritten."""
        ids: list[int] = []
        contradictions: list[Contradiction] = []
        same = 0
        with self._database.transaction() as connection:
            for place, fact in enumerate(facts):
                present = _with_prompt(connection, fact.prompt)
                if present is None:
                    ids.append(_insert(connection, fact, source))
                elif present["target_new"] == fact.target_new:
                    same += 1
                else:
                    contradictions.append(Contradiction(fact, place, present["target_new"]))
        return Added(tuple(ids), same, tuple(contradictions))

    def put(self, fact: Fact, source: str) -> tuple[int, str]:
        """Adds one fact, or gives the fact with its prompt the new answer.

        Returns:
            The row's id, and the answer that it replaced (empty when the prompt is new).
        """
        with self._database.transaction() as connection:
            present = _with_prompt(connection, fact.prompt)
            if present is None:
                return _insert(connection, fact, source), ""
            row = row_of(present)
            _update(connection, row.id, united(row.fact, fact), changed=True)
            connection.execute("UPDATE facts SET enabled = 1 WHERE id = ?", (row.id,))
            return row.id, row.fact.target_new

    def change(self, row: int, fact: Fact) -> None:
        """Replaces the fact in a row; see `amend`."""
        self.amend(row, lambda _: fact)

    def amend(self, row: int, change: Callable[[Fact], Fact]) -> None:
        """Changes the fact in a row, so that no other change in between is lost.

        Args:
            row: its id.
            change: makes the new fact from the one that is there now; what it raises is passed on.

        Raises:
            SessionError: another row has the new prompt, or the row is gone.
        """
        with self._database.transaction() as connection:
            found = connection.execute(f"{_ALONE} AND id = ?", (row,)).fetchone()
            if found is None:
                raise SessionError(_GONE)
            fact = change(row_of(found).fact)
            try:
                _update(connection, row, fact, changed=True)
            except sqlite3.IntegrityError:
                raise SessionError(
                    f"Another fact has the prompt '{fact.prompt}'. Change its answer there instead."
                ) from None

    def fill_old_answers(
        self, answers: Iterable[tuple[int, str, str]], overwrite: bool
    ) -> list[FactRow]:
        """Sets old answers, of facts that still have the prompt that was asked.

        Args:
            answers: (row, prompt that was asked, answer) each.
            overwrite: whether old answers that are there are replaced.

        Returns:
            The rows that were filled, as they are now.
        """
        filled = []
        with self._database.transaction() as connection:
            for row, prompt, answer in answers:
                found = connection.execute(
                    f"{_ALONE} AND id = ? AND prompt = ?", (row, prompt)
                ).fetchone()
                if found is None or (found["ground_truth"] and not overwrite):
                    continue
                now = row_of(found)
                _update(connection, row, replace(now.fact, ground_truth=answer))
                filled.append(replace(now, fact=replace(now.fact, ground_truth=answer)))
        return filled

    def judge_all(self) -> None:
        """Fills in the problems of every fact, for tables from before they were kept."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE facts SET problems = ? WHERE id = ?",
                [(columns_of(row.fact)["problems"], row.id) for row in self],
            )

    def get(self, row: int, run: int | None = None) -> FactRow:
        """One row, with what `run` learned of it.

        Raises:
            SessionError: the row is gone.
        """
        found = self._database.row(
            f"SELECT f.*, {Found(run=run).learned}{Found(run=run).rows} AND f.id = :id",
            {**Found(run=run).values, "id": row},
        )
        if found is None:
            raise SessionError(_GONE)
        return row_of(found)

    def enable(self, rows: Iterable[int], enabled: bool) -> None:
        """Ticks rows on or off."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE facts SET enabled = ? WHERE id = ?", [(int(enabled), r) for r in rows]
            )

    def enable_found(self, found: Found, enabled: bool) -> None:
        """Ticks every fact that is found on or off."""
        self._database.write(
            f"UPDATE facts SET enabled = :on WHERE id IN (SELECT f.id{found.rows})",
            {**found.values, "on": int(enabled)},
        )

    def delete(self, rows: Iterable[int]) -> None:
        """Hides rows; `restore` brings them back."""
        now = time.time()
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE facts SET deleted = ? WHERE id = ? AND deleted IS NULL",
                [(now, r) for r in rows],
            )

    def delete_found(self, found: Found) -> None:
        """Hides every fact that is found."""
        self._database.write(
            f"UPDATE facts SET deleted = :now WHERE id IN (SELECT f.id{found.rows})",
            {**found.values, "now": time.time()},
        )

    def deletions(self, since: float = 0.0) -> list[Deletion]:
        """What was deleted after a moment and not brought back, the last deletion first."""
        rows = self._database.rows(
            "SELECT deleted, count(*) AS facts, prompt, min(id) FROM facts WHERE deleted > ?"
            " GROUP BY deleted ORDER BY deleted DESC",
            (since,),
        )
        return [Deletion(row["deleted"], row["facts"], row["prompt"]) for row in rows]

    def restore(self, deleted: float) -> None:
        """Brings back what one deletion hid; see `deletions`.

        Raises:
            SessionError: a fact with the same prompt was added meanwhile.
        """
        try:
            with self._database.transaction() as connection:
                connection.execute("UPDATE facts SET deleted = NULL WHERE deleted = ?", (deleted,))
                # An import whose facts are back stands again.
                connection.execute(
                    "UPDATE imports SET undone = NULL, kept = 0 WHERE undone = ?", (deleted,)
                )
        except sqlite3.IntegrityError:
            taken = self._database.row(
                "SELECT prompt FROM facts WHERE deleted = ? AND prompt IN"
                " (SELECT prompt FROM facts WHERE deleted IS NULL)",
                (deleted,),
            )
            named = f" '{taken['prompt']}'" if taken is not None else ""
            raise SessionError(
                f"A fact with the same prompt{named} was added meanwhile. Delete that one first, "
                "or keep it and dismiss the undo."
            ) from None

    def ids(self, found: Found) -> list[int]:
        """The ids of every fact that is found, in the table's order."""
        rows = self._database.rows(f"SELECT f.id{found.rows} ORDER BY f.id", found.values)
        return [row["id"] for row in rows]

    def count(self, enabled: bool = False) -> int:
        """How many facts there are, or only those ticked on."""
        return self._database.number(
            "SELECT count(*) FROM facts WHERE deleted IS NULL" + (" AND enabled" if enabled else "")
        )

    def letters(self) -> int:
        """How many letters the ticked facts have, with all that is asked of them."""
        return self._database.number(
            "SELECT coalesce(sum(length(prompt) + length(target_new) + length(questions)), 0)"
            " FROM facts WHERE deleted IS NULL AND enabled"
        )

    def keeping(self) -> bool:
        """Whether a fact that the next run compiles has prompts that must stay."""
        return (
            self._database.row(
                "SELECT 1 FROM facts WHERE deleted IS NULL AND instr(questions, '\"keep\":') > 0"
                " AND enabled = 1 LIMIT 1"
            )
            is not None
        )

    def overview(self, found: Found) -> Overview:
        """How many facts there are and are found, in one look at the table."""
        row = self._database.row(f"SELECT {found.counts}{found.searched}", found.values)
        assert row is not None
        return Overview(
            counts={show: row[show] for show in SHOWS},
            found_ticked=row["found_ticked"],
            found_unanswered=row["found_unanswered"],
            total=self.count(),
            enabled=self.count(enabled=True),
        )

    def without_old_answer(self, found: Found) -> list[int]:
        """The ids of those found that have no old answer."""
        sql = f"SELECT f.id{found.rows} AND f.ground_truth = '' ORDER BY f.id"
        return [row["id"] for row in self._database.rows(sql, found.values)]

    def page(self, offset: int, size: int, found: Found = _ALL) -> list[FactRow]:
        """Some of the facts that are found, in the table's order."""
        rows = self._database.rows(
            f"SELECT f.*, {found.learned}{found.rows} ORDER BY f.id LIMIT :size OFFSET :offset",
            {**found.values, "size": size, "offset": offset},
        )
        return [row_of(row) for row in rows]

    def each(self, found: Found) -> list[FactRow]:
        """Every fact that is found, in the table's order."""
        return self.page(0, -1, found)

    def one_by_one(self, found: Found) -> Iterator[Fact]:
        """Every fact that is found, in the table's order, with few of them in memory at once."""
        last = 0
        while True:
            rows = self._database.rows(
                f"SELECT f.*{found.rows} AND f.id > :last ORDER BY f.id LIMIT :size",
                {**found.values, "last": last, "size": _AT_ONCE},
            )
            if not rows:
                return
            last = rows[-1]["id"]
            yield from map(fact_of, rows)

    def beside(self, row: int) -> Iterator[Fact]:
        """The facts that may have in common with one what either brings to be trained on.

        All others where it brings something itself, else those that do, one by one.

        Args:
            row: its id.

        Raises:
            SessionError: the row is gone.
        """
        fact = self.get(row).fact
        own = bool(fact.wordings or fact.keep_prompts)
        return self._in_turn("id != :row AND (:own OR " + _BRINGING + ")", {"row": row, "own": own})

    def _in_turn(self, where: str, values: Mapping[str, object]) -> Iterator[Fact]:
        """Every fact for which a condition holds, with few of them in memory at once."""
        last = 0
        while rows := self._database.rows(
            f"{_ALONE} AND {where} AND id > :last ORDER BY id LIMIT :size",
            {**values, "last": last, "size": _AT_ONCE},
        ):
            last = rows[-1]["id"]
            yield from map(fact_of, rows)

    def enabled(self) -> list[FactRow]:
        """Every fact that the next run compiles, in the table's order."""
        return self.each(Found(show="ticked"))

    def __iter__(self) -> Iterator[FactRow]:
        return iter(self.each(_ALL))


def _with_prompt(connection: sqlite3.Connection, prompt: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = connection.execute(f"{_ALONE} AND prompt = ?", (prompt,)).fetchone()
    return found


def _insert(connection: sqlite3.Connection, fact: Fact, source: str) -> int:
    values = {**columns_of(fact), "source": source}
    marks = ", ".join(f":{name}" for name in values)
    cursor = connection.execute(f"INSERT INTO facts ({', '.join(values)}) VALUES ({marks})", values)
    return int(cursor.lastrowid or 0)


def _update(connection: sqlite3.Connection, row: int, fact: Fact, *, changed: bool = False) -> bool:
    """Replaces the fact in a row.

    Args:
        connection: of a transaction.
        row: its id.
        fact: the new one.
        changed: whether a person did so, which the undo of an import respects.
    """
    values: dict[str, object] = {**columns_of(fact)}
    if changed:
        values["changed"] = time.time()
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    cursor = connection.execute(
        f"UPDATE facts SET {assignments}, lengths = '[]', measured = NULL"
        " WHERE id = :id AND deleted IS NULL",
        {**values, "id": row},
    )
    return cursor.rowcount == 1
