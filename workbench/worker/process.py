"""The process that owns the model: takes one job at a time from the sessions' queues.

Started as ``python -m workbench.worker.process SESSIONS_DIR`` by `Supervisor`; ends when its
standard input closes, which the operating system does when the web process is gone. Errors that
are meant for people end a job with their text; any other goes to the log with its traceback.
Knows nothing about the page.
"""

import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import SessionError, WorkbenchError
from workbench.store.glance import Glance, session_marks
from workbench.store.jobs import JobState
from workbench.store.library import Library
from workbench.store.lock import FolderLock
from workbench.store.status import WorkerStatus
from workbench.store.storage import storage_error
from workbench.store.store import Store
from workbench.work.stop import StopWhen
from workbench.worker.patience import when_possible
from workbench.worker.supervisor import LOG_NAME
from workbench.worker.task import Cancelled, Task

if TYPE_CHECKING:
    from workbench.worker.workshop import Workshop

__all__ = ["main"]

LOOK_EVERY = 0.05  # seconds between two looks into the queues
QUIET_FOR = 0.3  # seconds without a job after which the time is used otherwise
LOCK_NAME = "worker.lock"
LOCK_WAIT = 10.0  # seconds; an earlier worker may still be about to end


class Worker:
    """Serves the sessions under a folder until the process ends.

    Args:
        library: the sessions.
        workshop: what does the work.
    """

    def __init__(self, library: Library, workshop: "Workshop") -> None:
        self._library = library
        self._workshop = workshop
        self._name = f"{os.getpid()}-{time.time():.0f}"

    def run_forever(self) -> None:
        """Does what waits in the queues, oldest first."""
        self._tell("idle")
        idle_since = time.monotonic()
        glance = Glance()
        while True:
            if not glance.differs(frozenset(session_marks(self._library.root).items())):
                time.sleep(LOOK_EVERY)
            elif self.run_next():
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > QUIET_FOR:
                self._use_idle_time()
                idle_since = time.monotonic()
            else:
                time.sleep(LOOK_EVERY)

    def _waiting(self) -> list[tuple[tuple[float, int], Store]]:
        """The first job in each session's queue, with when it was asked for."""
        waiting = []
        for store in self._library.sessions():
            first = store.jobs.next_queued()
            if first is not None:
                waiting.append((first, store))
        return waiting

    def _use_idle_time(self) -> None:
        sessions = self._library.sessions()
        try:
            if sessions:
                self._workshop.use_idle_time(sessions[0], StopWhen(lambda: bool(self._waiting())))
        except Exception:
            # Nobody asked for this work, so nobody is told; the log is.
            traceback.print_exc()
            sys.stderr.flush()

    def run_next(self) -> bool:
        """Does the job that waits longest; False when none waits."""
        waiting = self._waiting()
        if not waiting:
            return False
        (_, job), store = min(waiting, key=lambda entry: entry[0])
        if when_possible(lambda: store.jobs.claim(job, self._name)):
            self._tell("busy", store, job)
            self._do(Task(store, store.jobs.get(job)))
            self._tell("idle")
        return True

    def _do(self, task: Task) -> None:
        state, result, error = self._outcome(task)
        store, job = task.store, task.job.id

        def keep() -> None:
            store.jobs.finish(job, state, result, error)
            store.runs.end_by_job(job, "failed")
            store.profiles.end_by_job(job, "failed")
            store.studies.end_by_job(job, "failed")

        when_possible(keep)
        sys.stderr.flush()

    def _outcome(self, task: Task) -> tuple[JobState, dict[str, Any], str]:
        """Does the job; how it ended, with its result and what to tell people."""
        try:
            return "done", self._workshop.do(task), ""
        except Cancelled:
            return "cancelled", {}, ""
        except Exception as error:
            # Errors meant for people name their own place already.
            known = error if isinstance(error, WorkbenchError) else None
            words = known or storage_error(error, task.store.folder)
            if words is not None:
                return "failed", {}, str(words)
            traceback.print_exc()
            sentence = (
                f"Something went wrong inside the workbench ({type(error).__name__}). "
                f"{LOG_NAME} in the sessions folder has the details."
            )
            return "failed", {}, sentence

    def _tell(
        self, state: Literal["idle", "busy"], store: Store | None = None, job: int = 0
    ) -> None:
        WorkerStatus(
            pid=os.getpid(),
            state=state,
            session=store.id if store is not None else "",
            job=job,
            model=self._workshop.choice,
            **self._workshop.memory(),
        ).write(self._library.root)


def _end_with_parent() -> None:
    """Ends this process, whatever it is doing, once the web process is gone."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(0)


def main(arguments: list[str]) -> int:
    """Runs the worker on the folder that the arguments name; returns an exit code."""
    if len(arguments) != 1:
        print("usage: python -m workbench.worker.process SESSIONS_DIR", file=sys.stderr)
        return 2
    # Ctrl-C in a terminal reaches the whole group; the web process decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    library = Library(Path(arguments[0]))
    try:
        lock = FolderLock(library.root / LOCK_NAME, wait=LOCK_WAIT)
    except SessionError as error:
        print(error, file=sys.stderr)
        return 2
    WorkerStatus(os.getpid(), "starting").write(library.root)
    # Importing the engine's libraries takes seconds: the page must be told before.
    from workbench.worker.workshop import Workshop

    try:
        Worker(library, Workshop()).run_forever()
    finally:
        lock.release()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
