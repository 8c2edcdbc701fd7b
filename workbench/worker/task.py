"""What a piece of work in the worker sees of the job it does: progress out, cancelling in.

A task is a place where the events of work go: what they tell stands on the job's line. Knows
nothing about models; the pieces of work themselves do.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from workbench.errors import SessionError, WorkbenchError
from workbench.store.amounts import amount_of
from workbench.store.facts import FactRow
from workbench.store.jobs import Job, Queue
from workbench.store.paces import Paces
from workbench.store.requests import Request
from workbench.store.store import Store
from workbench.work.events import Event, Told, Work, follow
from workbench.work.stop import Cancelled, Stop
from workbench.worker.countdown import Countdown

__all__ = ["Cancelled", "JobStop", "Task"]

REPORT_EVERY = 0.15  # seconds; the page looks no more often than a few times a second

Asked = TypeVar("Asked", bound=Request)
Result = TypeVar("Result")


class JobStop(Stop):
    """The wish of a person who cancelled a job, looked up a few times a second at most."""

    def __init__(self, jobs: Queue, job: int) -> None:
        super().__init__()
        self._jobs, self._job = jobs, job
        self._looked_at = 0.0

    @property
    def asked(self) -> bool:
        """Whether the person asked for the end; cheap enough to ask at every step."""
        moment = time.monotonic()
        if not self._asked and moment - self._looked_at >= REPORT_EVERY:
            self._looked_at = moment
            self._asked = self._jobs.cancel_asked(self._job)
        return self._asked


class Task:
    """A job that is being done.

    Args:
        store: the session that it belongs to.
        job: the job as it was claimed.
    """

    def __init__(self, store: Store, job: Job) -> None:
        self.store = store
        self.job = job
        self.stop = JobStop(store.jobs, job.id)
        self.goes_on = False  # whether a part was done before, so that its time says little
        self._reported_at = 0.0
        self._countdown = Countdown()
        self._told = Told()

    def request(self, kind: type[Asked]) -> Asked:
        """What was asked for, which must be of this kind.

        Raises:
            RecordError: the job's params are no request.
        """
        asked = self.job.request
        assert isinstance(asked, kind), asked
        return asked

    def facts(self) -> list[FactRow]:
        """The ticked facts.

        Raises:
            SessionError: there are none.
        """
        rows = self.store.facts.enabled()
        if not rows:
            raise SessionError("No fact is ticked. Tick at least one on the Facts tab.")
        return rows

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

    def begin(self, line: str, progress: float | None = None) -> None:
        """Another phase of the job begins, whose time left is foretold anew.

        Args:
            line: one line.
            progress: share of the job that is done, when it can be told.
        """
        self._countdown = Countdown()
        self.report(line, progress, now=True)

    def take(self, event: Event) -> None:
        """Says what an event tells, with the time left."""
        told = event.told()
        if told is None or not told.line:
            return
        self._told = told
        phase = told.share if told.phase is None else told.phase
        left = self._countdown.left(phase) if phase is not None else ""
        self.report(f"{told.line}{left}", told.share)

    def tick(self, share: float) -> None:
        """Says the same as before with the time left now, between two events that are told.

        Args:
            share: of the job that is done, from 0 to 1.
        """
        left = self._countdown.left(share)
        if self._told.share is not None:
            self.report(f"{self._told.line}{left}", share)

    def follow(self, work: Work[Result], *takers: Callable[[Event], object]) -> Result:
        """Does work, and says how it goes.

        Args:
            work: yields events.
            takers: also called with every event, before it is told.

        Raises:
            Cancelled: as the work itself does.
        """

        def take(event: Event) -> None:
            for taker in takers:
                taker(event)
            self.take(event)

        return follow(work, take)

    @contextmanager
    def timed(self, request: Request) -> Iterator[None]:
        """Notes what the work in the block takes, once it is whole, for the next such work.

        Args:
            request: what is done.
        """
        amount = None
        with suppress(WorkbenchError):  # the work itself says what is wrong
            amount = amount_of(self.store, request)
        paces = Paces(self.store.folder.parent, self.store.settings)
        began, self.goes_on = time.monotonic(), False
        yield
        if amount is not None and not self.goes_on:
            paces.keep(amount, time.monotonic() - began)

    def check(self) -> None:
        """Ends the work when that was asked for.

        Raises:
            Cancelled: it was.
        """
        self.stop.check()
