"""Prompts that an import gave another answer than the table, or several answers itself.

Invariants: the first option of a conflict is what stood when it arose, and stands until somebody
chooses; a conflict is decided once. Knows nothing about files.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from workbench.errors import SessionError
from workbench.facts import Fact, FactFile
from workbench.facts.same import answer_key, prompt_key
from workbench.store.database import Database, to_json
from workbench.store.fact_rows import columns_of, fact_of, united

__all__ = ["Choice", "Conflict", "ConflictTable", "Option", "conflict_groups"]

Choice = Literal["first", "file", "last"]
"""For all: what stands; the file's where the table says otherwise; the file's last row."""

_KEPT = ("prompt", "target_new", "subject", "ground_truth", "questions")


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers: the fact, and the rows of the file that give it; none for the table."""

    fact: Fact
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A prompt with several answers, of which one can stand.

    Args:
        id: number in its session.
        fact: the row of the table.
        against: whether the first option is the table's rather than the file's first row.
        options: the answers; the first one stands.
    """

    id: int
    fact: int
    against: bool
    options: tuple[Option, ...]


class ConflictTable:
    """The conflicts of one session's imports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, number: int) -> int:
        """How many conflicts of an import nobody has decided on."""
        return self._database.number(
            "SELECT count(*) FROM import_conflicts WHERE import = ? AND chosen IS NULL", (number,)
        )

    def count_against(self, number: int) -> int:
        """How many of them are against the table."""
        return self._database.number(
            "SELECT count(*) FROM import_conflicts WHERE import = ? AND chosen IS NULL AND against",
            (number,),
        )

    def taken(self, number: int) -> int:
        """How often the file's answer was taken over the table's."""
        return self._database.number(
            "SELECT count(*) FROM import_conflicts WHERE import = ? AND chosen > 0 AND against",
            (number,),
        )

    def open(self, number: int, size: int = -1) -> list[Conflict]:
        """An import's conflicts that nobody has decided on, in the file's order."""
        rows = self._database.rows(
            "SELECT * FROM import_conflicts WHERE import = ? AND chosen IS NULL"
            " ORDER BY id LIMIT ?",
            (number, size),
        )
        return [_conflict(row) for row in rows]

    def choose(self, conflict: int, option: int) -> None:
        """Decides on one conflict.

        Raises:
            SessionError: it is decided already, or the fact is gone.
        """
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT * FROM import_conflicts WHERE id = ? AND chosen IS NULL", (conflict,)
            ).fetchone()
            if row is None or not 0 <= option < len(json.loads(row["options"])):
                raise SessionError("This was decided meanwhile. Refresh the page.")
            if not _choose(connection, row, option, time.time()):
                raise SessionError("This fact was deleted meanwhile. Keep what stands.")

    def choose_all(self, number: int, choice: Choice) -> int:
        """Decides on every open conflict of an import to which the choice applies.

        Args:
            number: the import.
            choice: see `Choice`; with ``file`` what is not against the table stays open.

        Returns:
            How many were decided.
        """
        now, decided = time.time(), 0
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT * FROM import_conflicts WHERE import = ? AND chosen IS NULL", (number,)
            ).fetchall()
            for row in rows:
                if choice == "file" and not row["against"]:
                    continue
                last = len(json.loads(row["options"])) - 1
                option = {"first": 0, "file": 1, "last": last}[choice]
                # A fact that was deleted meanwhile stays so, and its conflict is over.
                if not _choose(connection, row, option, now):
                    _choose(connection, row, 0, now)
                decided += 1
        return decided

    def take_back(self, connection: sqlite3.Connection, number: int) -> int:
        """Gives facts that an import replaced what they were, unless they were changed since.

        Args:
            connection: of a transaction that goes on.
            number: the import.

        Returns:
            How many facts of other origin stay as they are, because they were changed since.
        """
        kept = 0
        rows = connection.execute(
            "SELECT * FROM import_conflicts WHERE import = ? AND chosen > 0", (number,)
        ).fetchall()
        for row in rows:
            was = json.loads(row["was"])
            values = {**columns_of(fact_of(was)), "changed": was["changed"]}
            done = connection.execute(
                f"UPDATE facts SET {_assigned(values)}, lengths = '[]', measured = NULL"
                " WHERE id = :id AND deleted IS NULL AND changed = :moment",
                {**values, "id": row["fact"], "moment": row["moment"]},
            )
            if done.rowcount:
                connection.execute(
                    "UPDATE import_conflicts SET chosen = 0 WHERE id = ?", (row["id"],)
                )
            else:
                left = connection.execute(
                    "SELECT 1 FROM facts WHERE id = ? AND deleted IS NULL AND import IS NOT ?",
                    (row["fact"], number),
                )
                kept += left.fetchone() is not None
        return kept


def conflict_groups(
    connection: sqlite3.Connection,
    found: FactFile,
    against: Iterable[int],
    there: Mapping[str, str],
) -> Iterator[tuple[int, bool, list[dict[str, Any]]]]:
    """The conflicts of a file as they are to be kept: row of the table, against it, options.

    Args:
        connection: of the transaction in which the file's facts were added.
        found: the file.
        against: places of its facts whose prompt has another answer in the table.
        there: the prompts in the table that are the same as one of the file's, by `prompt_key`.
    """
    inside = {prompt_key(conflict.prompt): conflict.rows for conflict in found.conflicts}
    wanted = {prompt_key(found.facts[place].prompt): ((found.numbers[place], found.facts[place]),)
              for place in against}  # fmt: skip
    for key in {**wanted, **inside}:
        rows = inside.get(key) or wanted[key]
        row = connection.execute(
            "SELECT * FROM facts WHERE prompt = ? AND deleted IS NULL",
            (there.get(key, rows[0][1].prompt),),
        ).fetchone()
        standing = answer_key(row["target_new"])
        table = key in wanted or standing != answer_key(rows[0][1].target_new)
        options: dict[str, dict[str, Any]] = {}
        if table:
            options[standing] = {"rows": [], **_kept(fact_of(row))}
        for number, fact in rows:
            kept = {"rows": [], **_kept(fact)}
            options.setdefault(answer_key(fact.target_new), kept)["rows"].append(number)
        if len(options) > 1:
            yield row["id"], table, list(options.values())


def _choose(connection: sqlite3.Connection, row: sqlite3.Row, option: int, now: float) -> bool:
    """Marks a conflict as decided, and gives the fact the chosen answer; False when it is gone."""
    was = None
    if option:
        fact = connection.execute(
            "SELECT * FROM facts WHERE id = ? AND deleted IS NULL", (row["fact"],)
        ).fetchone()
        if fact is None:
            return False
        was = to_json({**{name: fact[name] for name in _KEPT}, "changed": fact["changed"]})
        # Prompts that are the same to a reader are one: the table's stays.
        chosen = replace(fact_of(json.loads(row["options"])[option]), prompt=fact["prompt"])
        # Another row of the same file is no change by a person: undo hides it like the first.
        own = fact["import"] == row["import"] and fact["changed"] is None
        values = {
            **columns_of(united(fact_of(fact), chosen)),
            "changed": None if own else now,
        }
        connection.execute(
            f"UPDATE facts SET {_assigned(values)}, lengths = '[]', measured = NULL WHERE id = :id",
            {**values, "id": row["fact"]},
        )
    connection.execute(
        "UPDATE import_conflicts SET chosen = ?, was = ?, moment = ? WHERE id = ?",
        (option, was, now, row["id"]),
    )
    return True


def _assigned(values: Iterable[str]) -> str:
    return ", ".join(f"{name} = :{name}" for name in values)


def _kept(fact: Fact) -> dict[str, str]:
    values = columns_of(fact)
    return {name: values[name] for name in _KEPT}


def _conflict(row: sqlite3.Row) -> Conflict:
    options = tuple(
        Option(fact_of(entry), tuple(entry["rows"])) for entry in json.loads(row["options"])
    )
    return Conflict(row["id"], row["fact"], bool(row["against"]), options)
