"""What a piece of work in the worker sees of the job it does: progress out, cancelling in.

Knows nothing about models; the pieces of work themselves do.
"""

import time

from workbench.store.jobs import Job
from workbench.store.store import Store

__all__ = ["Cancelled", "Countdown", "Task", "time_left"]

REPORT_EVERY = 0.15  # seconds; the page looks no more often than a few times a second
WORTH_SAYING = 1.0  # seconds of work before its end can be told


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


class Countdown:
    """How long a phase that began when this was made will still take."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def left(self, done: float) -> str:
        """The rest of the time for the end of a line; empty while it cannot be told.

        Args:
            done: share of the phase that is done, 0 to 1.
        """
        spent = time.monotonic() - self._began
        if not 0 < done < 1 or spent < WORTH_SAYING:
            return ""
        return f" · {time_left(spent * (1 - done) / done)}"


def time_left(seconds: float) -> str:
    """Such as ``1:05 left``."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02} left"
