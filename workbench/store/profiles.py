"""What is known of a model's layers: scans, and sweeps row by row as they come.

A sweep is ``running``, then ``done``, ``stopped`` (by its user), ``interrupted`` (the worker
died) or ``failed``. A row stays true as long as model, facts and settings are the same, which
the sweep's identity says; a sweep with the same identity takes it over instead of trying the
location again. Knows nothing about models, and weighs nothing.
"""

import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any, Literal, cast

from workbench.errors import SessionError
from workbench.search.scan_result import Scan
from workbench.search.sweep_events import LocationDone, SweepStarted
from workbench.search.sweep_settings import SweepSettings
from workbench.store.database import Database, to_json
from workbench.work.events import Event
from workbench.work.records import from_text

__all__ = ["KeptScan", "KeptSweep", "ProfileTable", "SweepState"]

SweepState = Literal["running", "done", "stopped", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class KeptScan:
    """One scan: number, name of the model, what came out, when."""

    id: int
    model: str
    result: Scan
    created: float


@dataclass(frozen=True, slots=True)
class KeptSweep:
    """One sweep with the rows that it has so far.

    Args:
        id: number in its session.
        job: the job that worked on it.
        state: see the module's docstring.
        model: name of the base model.
        settings: as they were asked for.
        plan: what it set out to do.
        rows: what it found, in the order of the trials.
        created: seconds since the epoch.
    """

    id: int
    job: int
    state: SweepState
    model: str
    settings: SweepSettings
    plan: SweepStarted
    rows: tuple[LocationDone, ...]
    created: float

    @property
    def name(self) -> str:
        """How the page calls it."""
        return f"sweep {self.id}"


class ProfileTable:
    """The scans and sweeps of one session."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_scan(self, model: str, result: Scan) -> int:
        """Keeps a scan; returns its id."""
        cursor = self._database.write(
            "INSERT INTO scans (model, result, created) VALUES (?, ?, ?)",
            (model, to_json(result.as_dict()), time.time()),
        )
        return int(cursor.lastrowid or 0)

    def latest_scan(self, model: str) -> KeptScan | None:
        """The newest scan of a model."""
        row = self._database.row(
            "SELECT * FROM scans WHERE model = ? ORDER BY id DESC LIMIT 1", (model,)
        )
        if row is None:
            return None
        found = from_text(Scan, row["result"])
        return KeptScan(row["id"], row["model"], found, row["created"])

    def known_rows(self, identity: dict[str, Any]) -> list[LocationDone]:
        """Rows of earlier sweeps of just this kind; the newest at each trial."""
        rows = self._database.rows(
            "SELECT r.row FROM sweep_rows r JOIN sweeps s ON s.id = r.sweep"
            " WHERE s.identity = ? ORDER BY r.sweep, r.place",
            (_plain(identity),),
        )
        newest = {row.key: row for row in (_location(found["row"]) for found in rows)}
        return list(newest.values())

    def begin_sweep(
        self,
        job: int,
        model: str,
        settings: SweepSettings,
        identity: dict[str, Any],
        plan: SweepStarted,
        rows: list[LocationDone],
    ) -> int:
        """A new sweep; returns its id.

        Args:
            job: the job that works on it.
            model: name of the base.
            settings: as asked for.
            identity: what its rows depend on.
            plan: what it sets out to do.
            rows: what is known already.
        """
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO sweeps (job, state, model, settings, identity, plan, created)"
                " VALUES (?, 'running', ?, ?, ?, ?, ?)",
                (
                    job,
                    model,
                    to_json(settings.as_dict()),
                    _plain(identity),
                    to_json(plan.as_dict()),
                    time.time(),
                ),
            )
            sweep = int(cursor.lastrowid or 0)
            for row in rows:
                self.add_row(sweep, row)
        return sweep

    def add_row(self, sweep: int, row: LocationDone) -> None:
        """Keeps what was found at one location."""
        self._database.write(
            "INSERT INTO sweep_rows (sweep, row) VALUES (?, ?)", (sweep, to_json(row.as_dict()))
        )

    def end_sweep(self, sweep: int, state: SweepState) -> None:
        """Says how a sweep ended."""
        self._database.write(
            "UPDATE sweeps SET state = ?, ended = ? WHERE id = ?", (state, time.time(), sweep)
        )

    def end_by_job(self, job: int, state: SweepState) -> None:
        """Ends the sweep that a job was working on, if there is one still running."""
        self._database.write(
            "UPDATE sweeps SET state = ?, ended = ? WHERE job = ? AND state = 'running'",
            (state, time.time(), job),
        )

    def sweeps(self, model: str) -> list[KeptSweep]:
        """Every sweep of a model, newest first."""
        rows = self._database.rows(
            "SELECT * FROM sweeps WHERE model = ? ORDER BY id DESC", (model,)
        )
        return [self._sweep(row) for row in rows]

    def get(self, sweep: int) -> KeptSweep:
        """One sweep.

        Raises:
            SessionError: there is no such sweep.
        """
        row = self._database.row("SELECT * FROM sweeps WHERE id = ?", (sweep,))
        if row is None:
            raise SessionError(f"Sweep {sweep} is not there any more.")
        return self._sweep(row)

    def delete(self, sweep: int) -> None:
        """Deletes a sweep.

        Raises:
            SessionError: it is still going, or gone.
        """
        if self.get(sweep).state == "running":
            raise SessionError(f"Sweep {sweep} is still going. Cancel it first.")
        self._database.write("DELETE FROM sweeps WHERE id = ?", (sweep,))

    def _sweep(self, row: sqlite3.Row) -> KeptSweep:
        found = self._database.rows(
            "SELECT row FROM sweep_rows WHERE sweep = ? ORDER BY place", (row["id"],)
        )
        plan = cast(SweepStarted, Event.from_dict(json.loads(row["plan"])))
        order = {at: place for place, at in enumerate(plan.locations)}
        rows = [_location(entry["row"]) for entry in found]
        rows.sort(
            key=lambda entry: (entry.size, order.get(entry.at, len(order)), entry.learning_rate)
        )
        return KeptSweep(
            id=row["id"],
            job=row["job"],
            state=row["state"],
            model=row["model"],
            settings=SweepSettings.from_dict(json.loads(row["settings"])),
            plan=plan,
            rows=tuple(rows),
            created=row["created"],
        )


def _location(text: str) -> LocationDone:
    return cast(LocationDone, Event.from_dict(json.loads(text)))


def _plain(identity: dict[str, Any]) -> str:
    """The same text for the same identity."""
    return json.dumps(identity, sort_keys=True, ensure_ascii=False)
