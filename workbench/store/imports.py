"""The imports of a session: what each brought, what was wrong with it, and its undo.

Invariants: an import is kept whole or not at all, together with the end of its job; rows =
facts + merged + rejected, and facts = added + same + against. A prompt that is there already, or
one that is the same to a reader, is never overwritten: its other answers wait in `ConflictTable`.
Undoing hides what the import added and nobody changed since, and brings back what it replaced.
Reads no files.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import SessionError
from workbench.facts import FactFile, Problem
from workbench.facts.same import answer_key, prompt_key
from workbench.store.database import Database, to_json
from workbench.store.fact_rows import columns_of
from workbench.store.import_conflicts import ConflictTable, conflict_groups

__all__ = ["LARGEST", "Import", "ImportTable", "KindCount"]

Finish = Callable[[int], None]
OnPrepared = Callable[[int], None]

LARGEST = "largest_import"  # the setting that holds the most megabytes of a file
_PREPARE_STEP = 2000
_FACT = (
    "INSERT INTO facts (prompt, target_new, subject, ground_truth, questions, problems, source,"
    " import) VALUES (:prompt, :target_new, :subject, :ground_truth, :questions, :problems,"
    " :source, :import)"
)
_PROBLEM = (
    "INSERT INTO import_problems (import, row, field, what, mend, severity, kind)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Import:
    """One import.

    Args:
        id: number in its session.
        name: the file's name.
        format: what it was read as.
        rows, facts, merged, rejected: the file's sum, see `FactFile`.
        added: facts that were new here.
        same: facts that stood here already with the same answer.
        against: facts whose prompt had another answer here.
        unused: columns that are no part of a fact.
        columns: which column a person said holds what; empty when nobody had to.
        path: the uploaded file, which may be gone; empty for pasted text.
        created: seconds since the epoch.
        undone: when it was undone; None while it stands.
        kept: facts that its undo kept, because they had been changed.
        encoding: the codec by which a file of text was read; empty for other files.
    """

    id: int
    name: str
    format: str
    rows: int
    facts: int
    merged: int
    rejected: int
    added: int
    same: int
    against: int
    unused: tuple[str, ...]
    columns: dict[str, str]
    path: str
    created: float
    undone: float | None
    kept: int
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many problems of one kind and severity an import has."""

    severity: str
    kind: str
    number: int


class ImportTable:
    """The imports of one session; see the module's docstring."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.conflicts = ConflictTable(database)

    def keep(
        self,
        found: FactFile,
        name: str,
        *,
        path: str = "",
        columns: Mapping[str, str] | None = None,
        replaces: int | None = None,
        on_prepared: OnPrepared | None = None,
        finish: Finish | None = None,
    ) -> int:
        """Adds the facts of a file with its report, all in one transaction; returns the id.

        Args:
            found: what was read.
            name: how people call the file.
            path: where the file lies.
            columns: which column a person said holds what.
            replaces: an import that is undone before, unless it is already; None for none.
            on_prepared: called now and then with the number of facts that are ready to be
                written; what it raises ends the import.
            finish: called with the import's id inside the transaction, at its end; what it
                raises takes everything back.
        """
        prepared = _prepare(found, on_prepared)
        with self._database.transaction() as connection:
            if replaces is not None and self.get(replaces).undone is None:
                self._undo(connection, replaces)
            cursor = connection.execute(
                "INSERT INTO imports (name, format, rows, facts, merged, rejected, added, same,"
                " against, unused, columns, path, created, encoding)"
                " VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?, ?)",
                (
                    name,
                    found.format,
                    found.rows,
                    len(found),
                    found.merged,
                    found.rejected,
                    to_json(list(found.unused_columns)),
                    to_json(dict(columns or {})),
                    path,
                    time.time(),
                    found.encoding,
                ),
            )
            number = int(cursor.lastrowid or 0)
            _write_facts(connection, number, name, found, prepared)
            connection.executemany(
                _PROBLEM,
                (
                    (number, p.row, p.field, p.what, p.mend, p.severity, p.kind)
                    for p in found.problems
                ),
            )
            if finish is not None:
                finish(number)
        return number

    def get(self, number: int) -> Import:
        """One import.

        Raises:
            SessionError: there is no such import.
        """
        row = self._database.row("SELECT * FROM imports WHERE id = ?", (number,))
        if row is None:
            raise SessionError(f"This session has no import {number}.")
        return _import(row)

    def all(self) -> list[Import]:
        """Every import, the newest first."""
        return [
            _import(row) for row in self._database.rows("SELECT * FROM imports ORDER BY id DESC")
        ]

    def kinds(self, number: int) -> list[KindCount]:
        """How often each kind of problem was found, errors first, then the most frequent."""
        rows = self._database.rows(
            "SELECT severity, kind, count(*) AS number FROM import_problems WHERE import = ?"
            " GROUP BY severity, kind ORDER BY severity, number DESC",
            (number,),
        )
        return [KindCount(row["severity"], row["kind"], row["number"]) for row in rows]

    def problems(
        self, number: int, offset: int = 0, size: int = -1, severity: str = "", kind: str = ""
    ) -> list[Problem]:
        """Some of an import's problems, in the order of their rows.

        Args:
            number: the import.
            offset: how many to pass over.
            size: how many at most; -1 for all.
            severity: ``error`` or ``warning``; empty for both.
            kind: one kind; empty for all.
        """
        rows = self._database.rows(
            "SELECT row, field, what, mend, severity, kind FROM import_problems WHERE import = ?"
            " AND (? = '' OR severity = ?) AND (? = '' OR kind = ?)"
            " ORDER BY id LIMIT ? OFFSET ?",
            (number, severity, severity, kind, kind, size, offset),
        )
        return [Problem(**dict(row)) for row in rows]

    def changed_since(self, number: int) -> int:
        """How many facts of an import were changed by a person since."""
        return self._database.number(
            "SELECT count(*) FROM facts WHERE import = ? AND changed IS NOT NULL"
            " AND deleted IS NULL",
            (number,),
        )

    def undo(self, number: int) -> int:
        """Takes an import back; returns how many facts it hid.

        Hides the facts that it added, but for those that were changed since, and gives facts
        whose answer was replaced by the file's their former answer, unless they were changed
        since. `FactTable.restore` brings hidden facts back.

        Raises:
            SessionError: there is no such import, or it is undone already.
        """
        if self.get(number).undone is not None:
            raise SessionError(f"Import {number} is undone already.")
        with self._database.transaction() as connection:
            return self._undo(connection, number)

    def _undo(self, connection: sqlite3.Connection, number: int) -> int:
        now = time.time()
        kept = self.conflicts.take_back(connection, number)
        hidden = connection.execute(
            "UPDATE facts SET deleted = ? WHERE import = ? AND changed IS NULL AND deleted IS NULL",
            (now, number),
        ).rowcount
        kept += self.changed_since(number)
        connection.execute(
            "UPDATE imports SET undone = ?, kept = ? WHERE id = ? AND undone IS NULL",
            (now, kept, number),
        )
        return hidden


def _prepare(found: FactFile, on_prepared: OnPrepared | None) -> list[dict[str, str]]:
    """The facts as rows of the table, made before the transaction begins."""
    prepared = []
    for place, fact in enumerate(found):
        if on_prepared is not None and place % _PREPARE_STEP == 0:
            on_prepared(place)
        prepared.append(columns_of(fact))
    if on_prepared is not None:
        on_prepared(len(prepared))
    return prepared


def _write_facts(
    connection: sqlite3.Connection,
    number: int,
    name: str,
    found: FactFile,
    prepared: Sequence[dict[str, Any]],
) -> None:
    """Adds what is new, and keeps the conflicts."""
    answers, prompts = _standing(connection)
    new, same = [], 0
    against: list[int] = []
    there: dict[str, str] = {}
    for place, values in enumerate(prepared):
        key = prompt_key(values["prompt"])
        prompt = values["prompt"] if values["prompt"] in answers else prompts.get(key)
        if prompt is None:
            new.append({**values, "source": name, "import": number})
            continue
        there[key] = prompt
        if answer_key(answers[prompt]) == answer_key(values["target_new"]):
            same += 1
        else:
            against.append(place)
    connection.executemany(_FACT, new)
    groups = conflict_groups(connection, found, against, there)
    connection.executemany(
        "INSERT INTO import_conflicts (import, fact, against, options) VALUES (?, ?, ?, ?)",
        [(number, fact, int(table), to_json(options)) for fact, table, options in groups],
    )
    connection.execute(
        "UPDATE imports SET added = ?, same = ?, against = ? WHERE id = ?",
        (len(new), same, len(against), number),
    )


def _standing(connection: sqlite3.Connection) -> tuple[dict[str, str], dict[str, str]]:
    """What stands in the table: answers by prompt, and prompts by what makes them the same."""
    rows = connection.execute("SELECT prompt, target_new FROM facts WHERE deleted IS NULL")
    answers = {row["prompt"]: row["target_new"] for row in rows}
    prompts: dict[str, str] = {}
    for prompt in answers:
        prompts.setdefault(prompt_key(prompt), prompt)
    return answers, prompts


def _import(row: sqlite3.Row) -> Import:
    values = dict(row)
    values["unused"] = tuple(json.loads(values["unused"]))
    values["columns"] = json.loads(values["columns"])
    return Import(**values)
