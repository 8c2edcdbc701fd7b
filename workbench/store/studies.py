"""The studies of a session, event by event as they come.

A study is ``running``, then ``done``, ``stopped`` (by its user), ``interrupted`` (the worker
died) or ``failed``. One with the same identity goes on from what is kept. Knows nothing about
models.
"""

import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any, Literal

from workbench.search.study_result import StudyResult
from workbench.search.study_settings import StudySettings
from workbench.store.database import Database, to_json
from workbench.work.events import Event

__all__ = ["KeptStudy", "StudyState", "StudyTable"]

StudyState = Literal["running", "done", "stopped", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class KeptStudy:
    """One study.

    Args:
        id: number in its session.
        job: the job that worked on it.
        state: see the module's docstring.
        model: name of the base.
        result: what it found so far.
        asked: what is the same for every arm, for people.
        created: seconds since the epoch.
    """

    id: int
    job: int
    state: StudyState
    model: str
    result: StudyResult
    asked: str
    created: float

    def record(self) -> dict[str, Any]:
        """All there is to tell about it, JSON-ready."""
        return self.result.record(self.model, self.asked, self.state == "done")


class StudyTable:
    """The studies of one session."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known_events(self, identity: dict[str, Any]) -> list[Event]:
        """What the newest study with this identity found."""
        row = self._database.row(
            "SELECT id FROM studies WHERE identity = ? ORDER BY id DESC LIMIT 1",
            (_plain(identity),),
        )
        return self._events(row["id"]) if row is not None else []

    def begin(
        self,
        job: int,
        model: str,
        identity: dict[str, Any],
        asked: str,
        events: list[Event],
    ) -> int:
        """A new study; returns its id.

        Args:
            job: the job that works on it.
            model: name of the base.
            identity: what its events depend on; holds the resolved settings.
            asked: what is the same for every arm.
            events: what is known already.
        """
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO studies (job, state, model, settings, identity, asked, created)"
                " VALUES (?, 'running', ?, ?, ?, ?, ?)",
                (job, model, to_json(identity["settings"]), _plain(identity), asked, time.time()),
            )
            study = int(cursor.lastrowid or 0)
            for event in events:
                self.add_event(study, event)
        return study

    def add_event(self, study: int, event: Event) -> None:
        """Keeps what was found."""
        self._database.write(
            "INSERT INTO study_events (study, event) VALUES (?, ?)",
            (study, to_json(event.as_dict())),
        )

    def end(self, study: int, state: StudyState) -> None:
        """Says how a study ended."""
        self._database.write(
            "UPDATE studies SET state = ?, ended = ? WHERE id = ?", (state, time.time(), study)
        )

    def end_by_job(self, job: int, state: StudyState) -> None:
        """Ends the study that a job was working on, if there is one still running."""
        self._database.write(
            "UPDATE studies SET state = ?, ended = ? WHERE job = ? AND state = 'running'",
            (state, time.time(), job),
        )

    def latest(self, kind: str) -> KeptStudy | None:
        """The newest study of a kind."""
        for study in self.all():
            if study.result.settings.kind == kind:
                return study
        return None

    def all(self) -> list[KeptStudy]:
        """Every study, newest first."""
        rows = self._database.rows("SELECT * FROM studies ORDER BY id DESC")
        return [self._study(row) for row in rows]

    def _events(self, study: int) -> list[Event]:
        rows = self._database.rows(
            "SELECT event FROM study_events WHERE study = ? ORDER BY place", (study,)
        )
        return [Event.from_dict(json.loads(row["event"])) for row in rows]

    def _study(self, row: sqlite3.Row) -> KeptStudy:
        settings = StudySettings.from_dict(json.loads(row["settings"]))
        return KeptStudy(
            id=row["id"],
            job=row["job"],
            state=row["state"],
            model=row["model"],
            result=StudyResult.of(settings, self._events(row["id"])),
            asked=row["asked"],
            created=row["created"],
        )


def _plain(identity: dict[str, Any]) -> str:
    """The same text for the same identity."""
    return json.dumps(identity, sort_keys=True, ensure_ascii=False)
