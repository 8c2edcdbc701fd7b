"""The runs of a session: settings, events, metrics, and what became of each fact.

A run is ``running``, then ``done`` (it has a patch), ``stopped`` (by its user), ``interrupted``
(the worker died) or ``failed``. A stopped or interrupted run can go on. Its folder holds the
facts as they were compiled, its checkpoint, and its patch. Knows nothing about models.
"""

import json
import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from workbench.errors import SessionError
from workbench.methods import events as run_events
from workbench.methods.base import LOCFT_BF
from workbench.store.database import Database, to_json
from workbench.store.fact_rows import FactRow
from workbench.store.run_pair import RunPair
from workbench.store.run_rows import FactOutcome, Run, RunOnto, RunState, outcome_of, run_of
from workbench.work.events import Event
from workbench.work.records import as_data
from workbench.work.settings import SettingsRecord

__all__ = ["FactOutcome", "Run", "RunOnto", "RunState", "RunTable"]

# The run that was deleted last stays until another one is, so that it can be brought back.
_NOT_HIDDEN = (
    "id != coalesce((SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'hidden_run'), 0)"
)


class RunTable:
    """The runs of one session; their folders lie under `folder`."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def folder(self, run: int) -> Path:
        """Where a run keeps its files."""
        return self._folder / str(run)

    def checkpoint(self, run: int) -> Path:
        """Where a run that ended early keeps what it needs to go on.

        Earlier versions called the file ``checkpoint.pt``.
        """
        former = self.folder(run) / "checkpoint.pt"
        return former if former.exists() else self.folder(run) / "checkpoint.safetensors"

    def patch_folder(self, run: int) -> Path:
        """Where a run's patch is, once it is done."""
        return self.folder(run) / "patch"

    def models(self) -> list[str]:
        """Names of the models that runs edited, the last first."""
        found = self._database.rows("SELECT model FROM runs GROUP BY model ORDER BY max(id) DESC")
        return [str(row["model"]) for row in found]

    def begin(
        self,
        job: int,
        model: str,
        settings: SettingsRecord,
        facts: Iterable[FactRow],
        *,
        method: str = LOCFT_BF.key,
        at: Sequence[str] | None = None,
        onto: RunOnto | None = None,
    ) -> int:
        """A new run with the facts that it compiles; returns its id.

        Args:
            job: the job that works on it.
            model: name of the base.
            settings: of the method, resolved.
            facts: their rows.
            method: its key.
            at: the places that it changes; None for those that the settings name.
            onto: the earlier run to whose edit the facts are added.
        """
        places = getattr(settings, "at", ()) if at is None else at
        rows = [(row.id, row.fact.target_new) for row in facts]
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO runs"
                " (job, state, model, method, places, settings, facts, created, onto)"
                " VALUES (?, 'running', ?, ?, ?, ?, ?, ?, ?)",
                (
                    job,
                    model,
                    method,
                    to_json(list(places)),
                    to_json(settings.as_dict()),
                    len(rows),
                    time.time(),
                    None if onto is None else to_json(as_data(onto)),
                ),
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
        return run_of(row)

    def all(self) -> list[Run]:
        """Every run, newest first."""
        rows = self._database.rows(f"SELECT * FROM runs WHERE {_NOT_HIDDEN} ORDER BY id DESC")
        return [run_of(row) for row in rows]

    def newest(self) -> Run | None:
        """The run that was begun last."""
        row = self._database.row(f"SELECT * FROM runs WHERE {_NOT_HIDDEN} ORDER BY id DESC LIMIT 1")
        return run_of(row) if row is not None else None

    def hidden(self) -> Run | None:
        """The run that was deleted last and can be brought back."""
        row = self._database.row(f"SELECT * FROM runs WHERE NOT {_NOT_HIDDEN}")
        return run_of(row) if row is not None else None

    def hide(self, run: int) -> None:
        """Deletes a run, so that `unhide` brings it back; the one hidden before goes for good.

        Raises:
            SessionError: it is running.
        """
        if self.get(run).state == "running":
            raise SessionError(f"Run {run} is still going. Cancel it first.")
        before = self.hidden()
        self._set_hidden(run)
        if before is not None and before.id != run:
            self._remove(before.id)

    def unhide(self) -> None:
        """Brings back the run that was hidden last."""
        self._set_hidden(None)

    def remove_hidden(self) -> None:
        """Deletes the hidden run for good, with its patch."""
        hidden = self.hidden()
        if hidden is not None:
            self._remove(hidden.id)
            self._set_hidden(None)

    def _set_hidden(self, run: int | None) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO settings (name, value) VALUES ('hidden_run', ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (to_json(run),),
            )
            # Whoever shows runs is told of a change of their rows.
            connection.execute("UPDATE changes SET count = count + 1 WHERE name = 'runs'")

    def _remove(self, run: int) -> None:
        self._database.write("DELETE FROM runs WHERE id = ?", (run,))
        shutil.rmtree(self.folder(run), ignore_errors=True)

    def losses(self, run: Run) -> list[float]:
        """The mean loss of each epoch so far."""
        if run.outcome.get("losses"):
            return list(run.outcome["losses"])
        return [epoch.loss for epoch in self.events(run.id, run_events.EpochDone)]

    def pair(self, first: int, second: int) -> RunPair:
        """Two runs, to be compared."""
        return RunPair(self._database, first, second)

    def add_events(self, run: int, events: Iterable[Event]) -> None:
        """Appends events to a run's record, together."""
        now = time.time()
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO events (run, time, event) VALUES (?, ?, ?)",
                [(run, now, to_json(event.as_dict())) for event in events],
            )

    def events(self, run: int, kind: type[Event]) -> list[Any]:
        """A run's events of one type, oldest first."""
        return self._events(run, kind, "ORDER BY id")

    def last_event(self, run: int, kind: type[Event]) -> Any:
        """A run's last event of one type; None when there is none."""
        found = self._events(run, kind, "ORDER BY id DESC LIMIT 1")
        return found[0] if found else None

    def _events(self, run: int, kind: type[Event], order: str) -> list[Any]:
        # As `to_json` writes it. SQLite's own JSON refuses the NaN of a loss that went astray.
        begins = f'{{"event":"{kind.__name__}"'
        rows = self._database.rows(
            f"SELECT event FROM events WHERE run = ? AND substr(event, 1, ?) = ? {order}",
            (run, len(begins), begins),
        )
        return [Event.from_dict(json.loads(row["event"])) for row in rows]

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
        return [outcome_of(row) for row in rows]

    def outcomes_of(self, fact: int) -> list[tuple[int, FactOutcome]]:
        """What each run that saw a fact did to it, with the run's number, the last first."""
        rows = self._database.rows(
            "SELECT r.*, f.prompt FROM run_facts r JOIN facts f ON f.id = r.fact"
            " WHERE r.fact = ? ORDER BY r.run DESC",
            (fact,),
        )
        return [(row["run"], outcome_of(row)) for row in rows]

    def outcome(self, run: int, fact: int) -> FactOutcome | None:
        """What a run did to one fact; None when it did not see it."""
        row = self._database.row(
            "SELECT r.*, f.prompt FROM run_facts r JOIN facts f ON f.id = r.fact"
            " WHERE r.run = ? AND r.fact = ?",
            (run, fact),
        )
        return None if row is None else outcome_of(row)
