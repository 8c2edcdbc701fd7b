"""What a piece of work in the worker sees of the job it does: progress out, cancelling in.

Knows nothing about models; the pieces of work themselves do.
"""

import time

from workbench.session.jobs import Job
from workbench.session.store import Store

__all__ = ["Cancelled", "Task"]

REPORT_EVERY = 0.15  # seconds; the page looks no more often than a few times a second


class Cancelled(Exception):
    """The person asked for the end of this job."""


class Task:
    """A job that is being done.

    Args:
        store: the session that it belongs to.
        job: the job as it was claimed.
    """

    def __init__(self, store: Store, job: Job) -> None:
        self.store = store
        self.job = job
        self._reported_at = 0.0
        self._looked_at = 0.0
        self._cancelled = False

    def report(self, line: str, progress: float | None = None, *, now: bool = False) -> None:
        """Says what happens, for people; dropped when it follows another too soon.

        Args:
            line: one line.
            progress: share of the job that is done, 0 to 1, when it can be told.
            now: write it in any case, as at the beginning of another phase.
        """
        moment = time.monotonic()
        if now or moment - self._reported_at >= REPORT_EVERY:
            self._reported_at = moment
            self.store.jobs.report(self.job.id, progress, line)

    @property
    def cancelled(self) -> bool:
        """Whether the person asked for the end; cheap enough to ask at every step."""
        moment = time.monotonic()
        if not self._cancelled and moment - self._looked_at >= REPORT_EVERY:
            self._looked_at = moment
            self._cancelled = self.store.jobs.cancel_asked(self.job.id)
        return self._cancelled

    def check(self) -> None:
        """Ends the work when that was asked for.

        Raises:
            Cancelled: it was.
        """
        if self.cancelled:
            raise Cancelled
