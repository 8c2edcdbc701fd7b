"""The queue of a session: what was asked of the worker, how far it is, how it ended.

A job goes from ``queued`` to ``running`` to one end state, which never changes again:
``done``, ``cancelled``, ``failed`` (the error says why) or ``interrupted`` (the worker died).
Invariant: only the worker that claimed a job writes its progress and its end, and a job that
someone else ended in the meantime stays as it is. Knows nothing about what the jobs do.
"""

import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any, Literal

from workbench.errors import SessionError
from workbench.store.database import Database, to_json
from workbench.store.requests import JobKind, Request, request_of
from workbench.work.records import as_text

__all__ = ["Job", "JobKind", "JobState", "Queue"]

# Done beside the worker, see `workbench.worker.import_file`.
_ELSEWHERE = "kind = 'import'"
JobState = Literal["queued", "running", "done", "cancelled", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work for the worker.

    Args:
        id: number in its session.
        kind: what is to be done.
        params: how, as JSON-ready data; see `request`.
        state: see the module's docstring.
        progress: share done, 0 to 1; None when it cannot be told.
        line: one line for people about what happens now.
        result: what came out, JSON-ready; empty until the job is done.
        error: what went wrong and what to do; empty otherwise.
        created, started, ended, cancel_asked: seconds since the epoch; None for not yet.
    """

    id: int
    kind: JobKind
    params: dict[str, Any]
    state: JobState
    progress: float | None
    line: str
    result: dict[str, Any]
    error: str
    created: float
    started: float | None
    ended: float | None
    cancel_asked: float | None

    @property
    def request(self) -> Request:
        """What was asked for.

        Raises:
            RecordError: the params are no such request.
        """
        return request_of(self.kind, self.params)

    @property
    def is_open(self) -> bool:
        """Whether the job still waits or runs."""
        return self.state in ("queued", "running")


class Queue:
    """The jobs of one session."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask_for(self, request: Request) -> int:
        """Puts a request at the end of the queue; returns the job's id."""
        cursor = self._database.write(
            "INSERT INTO jobs (kind, params, created) VALUES (?, ?, ?)",
            (request.kind, as_text(request), time.time()),
        )
        return int(cursor.lastrowid or 0)

    def submit(self, kind: JobKind, params: dict[str, Any] | None = None) -> int:
        """Like `ask_for`, from data.

        Raises:
            RecordError: the params are no request of this kind.
        """
        return self.ask_for(request_of(kind, params or {}))

    def get(self, job: int) -> Job:
        """One job.

        Raises:
            SessionError: there is no such job.
        """
        row = self._database.row("SELECT * FROM jobs WHERE id = ?", (job,))
        if row is None:
            raise SessionError(f"This session has no job {job}.")
        return _job(row)

    def of(self, job: object, *kinds: type[Request]) -> Job | None:
        """The job of a number, if there is one and it was asked for by one of these requests."""
        row = self._database.row("SELECT * FROM jobs WHERE id IS ?", (job,))
        found = None if row is None else _job(row)
        return found if found is not None and isinstance(found.request, kinds) else None

    def open_jobs(self) -> list[Job]:
        """What runs (first) and what waits, in the order in which it will be done."""
        rows = self._database.rows(
            "SELECT * FROM jobs WHERE state IN ('queued', 'running') ORDER BY state = 'queued', id"
        )
        return [_job(row) for row in rows]

    def latest(self, *kinds: JobKind) -> Job | None:
        """The newest job of some kinds, whatever its state."""
        marks = ", ".join("?" for _ in kinds)
        row = self._database.row(
            f"SELECT * FROM jobs WHERE kind IN ({marks}) ORDER BY id DESC LIMIT 1", kinds
        )
        return _job(row) if row is not None else None

    def latest_done(self, kind: JobKind, run: int | None) -> Job | None:
        """The newest job of a kind about a run, or about the base, that was done."""
        row = self._database.row(
            "SELECT * FROM jobs WHERE kind = ? AND state = 'done' AND json_valid(params)"
            " AND json_extract(params, '$.run') IS ? ORDER BY id DESC LIMIT 1",
            (kind, run),
        )
        return _job(row) if row is not None else None

    def cancel(self, job: int) -> None:
        """Asks for a job's end: one that waits ends at once, one that runs is told."""
        now = time.time()
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET state = 'cancelled', cancel_asked = ?, ended = ?"
                " WHERE id = ? AND state = 'queued'",
                (now, now, job),
            )
            connection.execute(
                "UPDATE jobs SET cancel_asked = ? WHERE id = ? AND state = 'running'"
                " AND cancel_asked IS NULL",
                (now, job),
            )

    def next_queued(self) -> tuple[float, int] | None:
        """When the worker's job that is next in line was asked for, and its id."""
        row = self._database.row(
            f"SELECT created, id FROM jobs WHERE state = 'queued' AND NOT {_ELSEWHERE}"
            " ORDER BY id LIMIT 1"
        )
        return (row["created"], row["id"]) if row is not None else None

    def claim(self, job: int, worker: str) -> bool:
        """Takes a queued job for a worker; False when someone took or cancelled it before."""
        cursor = self._database.write(
            "UPDATE jobs SET state = 'running', started = ?, worker = ?"
            " WHERE id = ? AND state = 'queued'",
            (time.time(), worker, job),
        )
        return cursor.rowcount == 1

    def report(self, job: int, progress: float | None, line: str) -> None:
        """Writes how far a running job is."""
        self._database.write(
            "UPDATE jobs SET progress = ?, line = ? WHERE id = ? AND state = 'running'",
            (progress, line, job),
        )

    def cancel_asked(self, job: int) -> bool:
        """Whether somebody asked for the end of this job, or ended it."""
        return bool(
            self._database.number(
                "SELECT cancel_asked IS NOT NULL OR state != 'running' FROM jobs WHERE id = ?",
                (job,),
            )
        )

    def finish(
        self, job: int, state: JobState, result: dict[str, Any] | None = None, error: str = ""
    ) -> bool:
        """Ends a running job; False when it had been ended already."""
        cursor = self._database.write(
            "UPDATE jobs SET state = ?, result = ?, error = ?, ended = ?, progress = NULL"
            " WHERE id = ? AND state = 'running'",
            (state, to_json(result or {}), error, time.time(), job),
        )
        return cursor.rowcount == 1

    def abandon(self, error: str, everywhere: bool = False) -> list[Job]:
        """Ends whatever runs because its worker is gone.

        A job whose cancelling was asked for ends as cancelled, any other as interrupted.

        Args:
            error: what to tell people about the interruption.
            everywhere: also what is done beside the worker, running or waiting, because the web
                process is gone too.

        Returns:
            The jobs that were ended, as they are now.
        """
        which = f"state = 'running' AND NOT {_ELSEWHERE}"
        if everywhere:
            which = f"(state = 'running' OR (state = 'queued' AND {_ELSEWHERE}))"
        with self._database.transaction() as connection:
            ids = [row["id"] for row in connection.execute(f"SELECT id FROM jobs WHERE {which}")]
            connection.execute(
                "UPDATE jobs SET ended = ?, progress = NULL,"
                " error = CASE WHEN cancel_asked IS NULL THEN ? ELSE '' END,"
                " state = CASE WHEN cancel_asked IS NULL THEN 'interrupted' ELSE 'cancelled' END"
                f" WHERE {which}",
                (time.time(), error),
            )
        return [self.get(job) for job in ids]

    def troubled(self, kind: JobKind, after: int) -> list[Job]:
        """Jobs of a kind that failed or were interrupted, of those that came after a job."""
        rows = self._database.rows(
            "SELECT * FROM jobs WHERE kind = ? AND id > ? AND state IN ('failed', 'interrupted')"
            " ORDER BY id",
            (kind, after),
        )
        return [_job(row) for row in rows]


def _job(row: sqlite3.Row) -> Job:
    return Job(
        id=row["id"],
        kind=row["kind"],
        params=json.loads(row["params"]),
        state=row["state"],
        progress=row["progress"],
        line=row["line"],
        result=json.loads(row["result"] or "{}"),
        error=row["error"],
        created=row["created"],
        started=row["started"],
        ended=row["ended"],
        cancel_asked=row["cancel_asked"],
    )
