"""The runs of a session: settings, events, metrics, and what became of each fact.

A run is ``running``, then ``done`` (it has a patch), ``stopped`` (by its user), ``interrupted``
(the worker died) or ``failed``. A stopped or interrupted run can go on. Its folder holds the
facts as they were compiled, its checkpoint, and its patch. Knows nothing about models.
"""

import json
import shutil
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workbench.recipe import events as run_events
from workbench.recipe.errors import SessionError
from workbench.recipe.settings import EditSettings
from workbench.session.database import Database, to_json
from workbench.session.facts import FactRow

__all__ = ["FactOutcome", "Run", "RunState", "RunTable"]

RunState = Literal["running", "done", "stopped", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class Run:
    """One compilation of facts into a patch.

    Args:
        id: number in its session, from 1.
        job: the job that worked on it last.
        state: see the module's docstring.
        model: name of the base model.
        settings: how; whole once the run has begun, automatic fields filled in.
        facts: how many facts it compiles.
        metrics: what `evaluate` said, JSON-ready; empty until then.
        outcome: how the training ended: reason, epochs, steps, seconds, losses.
        created, ended: seconds since the epoch.
    """

    id: int
    job: int
    state: RunState
    model: str
    settings: EditSettings
    facts: int
    metrics: dict[str, Any]
    outcome: dict[str, Any]
    created: float
    ended: float | None

    @property
    def name(self) -> str:
        """How the page calls it."""
        return f"run {self.id}"

    @property
    def can_resume(self) -> bool:
        """Whether the run can go on where it ended."""
        return self.state in ("stopped", "interrupted")


@dataclass(frozen=True, slots=True)
class FactOutcome:
    """What a run did to one fact.

    Args:
        fact: id of the fact's row.
        prompt: its prompt as it stands now.
        target_new: the answer that was compiled.
        learned: by the strict protocol; None when not measured.
        before, after: generated answers; None when nobody asked yet.
    """

    fact: int
    prompt: str
    target_new: str
    learned: bool | None
    before: str | None
    after: str | None


class RunTable:
    """The runs of one session; their folders lie under `folder`."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def folder(self, run: int) -> Path:
        """Where a run keeps its files."""
        return self._folder / f"run-{run}"

    def patch_folder(self, run: int) -> Path:
        """Where a run's patch is, once it is done."""
        return self.folder(run) / "patch"

    def begin(self, job: int, model: str, settings: EditSettings, facts: Iterable[FactRow]) -> int:
        """A new run with the facts that it compiles; returns its id."""
        rows = [(row.id, row.fact.target_new) for row in facts]
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO runs (job, state, model, settings, facts, created)"
                " VALUES (?, 'running', ?, ?, ?, ?)",
                (job, model, to_json(settings.as_dict()), len(rows), time.time()),
            )
            run = int(cursor.lastrowid or 0)
            connection.executemany(
                "INSERT INTO run_facts (run, fact, target_new) VALUES (?, ?, ?)",
                [(run, fact, target) for fact, target in rows],
            )
        return run

    def again(self, run: int, job: int) -> None:
        """A run that ended early goes on under another job.

        Raises:
            SessionError: the run is not one that can go on.
        """
        cursor = self._database.write(
            "UPDATE runs SET state = 'running', job = ?, ended = NULL"
            " WHERE id = ? AND state IN ('stopped', 'interrupted')",
            (job, run),
        )
        if cursor.rowcount == 0:
            raise SessionError(f"Run {run} cannot go on: only a stopped or interrupted run can.")

    def end(self, run: int, state: RunState, outcome: dict[str, Any] | None = None) -> None:
        """Says how a run ended."""
        self._database.write(
            "UPDATE runs SET state = ?, ended = ?, outcome = coalesce(?, outcome) WHERE id = ?",
            (state, time.time(), None if outcome is None else to_json(outcome), run),
        )

    def end_by_job(self, job: int, state: RunState) -> None:
        """Ends the run that a job was working on, if there is one still running."""
        self._database.write(
            "UPDATE runs SET state = ?, ended = ? WHERE job = ? AND state = 'running'",
            (state, time.time(), job),
        )

    def set_metrics(self, run: int, metrics: dict[str, Any]) -> None:
        """Keeps what `evaluate` said of a run."""
        self._database.write("UPDATE runs SET metrics = ? WHERE id = ?", (to_json(metrics), run))

    def get(self, run: int) -> Run:
        """One run.

        Raises:
            SessionError: there is no such run.
        """
        row = self._database.row("SELECT * FROM runs WHERE id = ?", (run,))
        if row is None:
            raise SessionError(f"Run {run} is not there any more.")
        return _run(row)

    def all(self) -> list[Run]:
        """Every run, newest first."""
        return [_run(row) for row in self._database.rows("SELECT * FROM runs ORDER BY id DESC")]

    def newest(self) -> Run | None:
        """The run that was begun last."""
        row = self._database.row("SELECT * FROM runs ORDER BY id DESC LIMIT 1")
        return _run(row) if row is not None else None

    def delete(self, run: int) -> None:
        """Deletes a run with its patch.

        Raises:
            SessionError: it is running.
        """
        if self.get(run).state == "running":
            raise SessionError(f"Run {run} is still going. Cancel it first.")
        self._database.write("DELETE FROM runs WHERE id = ?", (run,))
        shutil.rmtree(self.folder(run), ignore_errors=True)

    def add_events(self, run: int, events: Iterable[run_events.Event]) -> None:
        """Appends events to a run's record, together."""
        now = time.time()
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO events (run, time, event) VALUES (?, ?, ?)",
                [(run, now, to_json(run_events.as_dict(event))) for event in events],
            )

    def events(self, run: int, kind: type[run_events.Event]) -> list[Any]:
        """A run's events of one type, oldest first."""
        rows = self._database.rows(
            "SELECT event FROM events WHERE run = ? AND event ->> 'event' = ? ORDER BY id",
            (run, kind.__name__),
        )
        return [run_events.from_dict(json.loads(row["event"])) for row in rows]

    def set_answers(self, run: int, answers: Iterable[tuple[int, str, str]]) -> None:
        """Keeps generated answers: (fact, before, after) each."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE run_facts SET before = ?, after = ? WHERE run = ? AND fact = ?",
                [(before, after, run, fact) for fact, before, after in answers],
            )

    def set_learned(self, run: int, learned: Iterable[tuple[int, bool]]) -> None:
        """Keeps which facts a run learned: (fact, learned) each."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE run_facts SET learned = ? WHERE run = ? AND fact = ?",
                [(int(yes), run, fact) for fact, yes in learned],
            )

    def learned(self, run: int) -> tuple[int, int]:
        """How many facts a run learned, and of how many that is known."""
        row = self._database.row(
            "SELECT sum(learned) AS yes, count(learned) AS known FROM run_facts WHERE run = ?",
            (run,),
        )
        return (row["yes"] or 0, row["known"]) if row is not None else (0, 0)

    def outcomes(self, run: int, offset: int, size: int, missed: bool = False) -> list[FactOutcome]:
        """Some of a run's facts with their answers before and after, in the table's order.

        Args:
            run: the run.
            offset: how many to pass over.
            size: how many to return at most.
            missed: only those that were not learned.
        """
        only = " AND r.learned = 0" if missed else ""
        rows = self._database.rows(
            "SELECT r.*, f.prompt FROM run_facts r JOIN facts f ON f.id = r.fact"
            f" WHERE r.run = ?{only} ORDER BY r.fact LIMIT ? OFFSET ?",
            (run, size, offset),
        )
        return [_outcome(row) for row in rows]

    def outcome(self, run: int, fact: int) -> FactOutcome | None:
        """What a run did to one fact; None when it did not see it."""
        row = self._database.row(
            "SELECT r.*, f.prompt FROM run_facts r JOIN facts f ON f.id = r.fact"
            " WHERE r.run = ? AND r.fact = ?",
            (run, fact),
        )
        return None if row is None else _outcome(row)


def _outcome(row: sqlite3.Row) -> FactOutcome:
    return FactOutcome(
        fact=row["fact"],
        prompt=row["prompt"],
        target_new=row["target_new"],
        learned=None if row["learned"] is None else bool(row["learned"]),
        before=row["before"],
        after=row["after"],
    )


def _run(row: sqlite3.Row) -> Run:
    return Run(
        id=row["id"],
        job=row["job"],
        state=row["state"],
        model=row["model"],
        settings=EditSettings.from_dict(json.loads(row["settings"])),
        facts=row["facts"],
        metrics=json.loads(row["metrics"]),
        outcome=json.loads(row["outcome"]),
        created=row["created"],
        ended=row["ended"],
    )
