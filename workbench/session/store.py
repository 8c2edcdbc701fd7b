"""A session: one folder with one database, and the files of its runs beside it.

Invariant: the folder's name is ours and never changes; the name that people see is a setting.
Every process opens its own `Store` on the folder.
"""

import time
from pathlib import Path

from workbench.recipe.errors import SessionError
from workbench.session.database import Database
from workbench.session.facts import FactTable
from workbench.session.jobs import Job, Queue
from workbench.session.probes import ProbeTable
from workbench.session.runs import RunTable
from workbench.session.settings import Settings

__all__ = ["DATABASE_NAME", "Store"]

DATABASE_NAME = "session.db"


class Store:
    """Everything that a session keeps.

    Args:
        folder: the session's folder, which exists.

    Raises:
        SessionError: a newer workbench made it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = Database(folder / DATABASE_NAME)
        self.settings = Settings(self._database)
        self.facts = FactTable(self._database)
        self.jobs = Queue(self._database)
        self.runs = RunTable(self._database, folder / "runs")
        self.probes = ProbeTable(self._database)

    @property
    def id(self) -> str:
        """The name of the folder, by which the page refers to the session."""
        return self.folder.name

    def ask(self, prompt: str, chat: bool = False) -> int:
        """Puts a prompt in the queue, to be answered before and after; returns the probe's id.

        Raises:
            SessionError: the prompt is empty.
        """
        probe = self.probes.add(prompt, chat)
        self.probes.set_job(probe, self.jobs.submit("ask", {"probe": probe}))
        return probe

    def resume(self, run: int) -> int:
        """Lets a stopped or interrupted run go on; returns the job's id.

        Raises:
            SessionError: it is not such a run.
        """
        found = self.runs.get(run)
        if not found.can_resume:
            raise SessionError(f"Run {run} is {found.state}; there is nothing to resume.")
        return self.jobs.submit("edit", {"resume": run})

    def delete_run(self, run: int) -> None:
        """Deletes a run; when it was the one shown as "after", the base is shown alone.

        Raises:
            SessionError: it is running.
        """
        self.runs.delete(run)
        if self.settings.shown_run == run:
            self.settings.set("shown_run", None)

    def abandon_jobs(self, error: str) -> list[Job]:
        """Ends what runs here because the worker is gone; see `Queue.abandon`."""
        ended = self.jobs.abandon(error)
        for job in ended:
            self.runs.end_by_job(job.id, "stopped" if job.state == "cancelled" else "interrupted")
        return ended

    def touch(self) -> None:
        """Notes that somebody opened this session now."""
        self.settings.set("opened", time.time())

    def enter(self) -> None:
        """Opens this session for work: it is the newest now, and its model is loaded if need be."""
        self.touch()
        loading = any(job.kind == "load" for job in self.jobs.open_jobs())
        if self.settings.summary is None and not loading:
            self.jobs.submit("load")

    def version(self, *tables: str) -> str:
        """A short text that differs after any change of these tables.

        Args:
            tables: of ``facts``, ``jobs`` (their states, not their progress), ``probes``,
                ``runs`` and ``settings``.
        """
        counts = {row["name"]: row["count"] for row in self._database.rows("SELECT * FROM changes")}
        return " ".join(f"{table} {counts[table]}" for table in tables)

    def progress_version(self) -> str:
        """A short text that differs after any progress of the jobs here."""
        jobs = [(job.id, job.state, job.progress, job.line) for job in self.jobs.open_jobs()]
        newest = self._database.number("SELECT max(id) FROM events")
        return f"{jobs} {newest}"
