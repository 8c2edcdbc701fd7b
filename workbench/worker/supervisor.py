"""Keeps one worker process alive for a folder of sessions, from inside the web process.

The worker is started as a program of its own, never forked, so that torch stays out of the web
process. It ends when this process does: it reads its standard input until that closes.
Invariant: a job whose worker is gone never stays ``running``. Knows nothing about the work.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from workbench.errors import SessionError, StorageError
from workbench.store.library import Library
from workbench.store.status import WorkerStatus

__all__ = ["LOG_NAME", "Supervisor", "environment"]

LOG_NAME = "worker.log"
CLOSED = "The workbench was closed while this was running."
LOOK_EVERY = 0.2  # seconds
CANCEL_GRACE = 1.5  # seconds; what does not end by itself by then is ended by force
STEADY_AFTER = 20.0  # seconds; a worker that lived this long is started again at once
LONGEST_PAUSE = 30.0  # seconds between two starts of a worker that keeps dying
LOG_LIMIT = 5_000_000  # bytes; a longer log is started afresh, the old one kept beside it


class Supervisor:
    """Starts the worker and watches it until `stop`.

    Args:
        library: the sessions that the worker serves.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._deaths = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Ends what an earlier process left running, then starts the worker."""
        for store in self._library.sessions():
            store.abandon_jobs(CLOSED, everywhere=True)
        self._start_worker()
        self._thread.start()

    def stop(self) -> None:
        """Ends the worker; what it was doing becomes interrupted."""
        self._stopping.set()
        self._thread.join(timeout=5)
        if self._process is not None:
            _end(self._process)
        with contextlib.suppress(StorageError):
            self._abandon(CLOSED, everywhere=True)

    @property
    def pid(self) -> int | None:
        """The worker's process, while there is one."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def _start_worker(self) -> None:
        log_path = self._library.root / LOG_NAME
        with _open_log(log_path) as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workbench.worker.process", str(self._library.root)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment(),
            )
        self._started_at = time.monotonic()

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_EVERY):
            # What cannot be written now is written at one of the next looks.
            with contextlib.suppress(StorageError, OSError):
                self._look()

    def _look(self) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is not None:
            self._replace(process)
        else:
            self._enforce_cancel(process)

    def _replace(self, process: subprocess.Popen[bytes]) -> None:
        _end(process)
        self._abandon(_last_words(process.returncode))
        lived = time.monotonic() - self._started_at
        self._deaths = 0 if lived > STEADY_AFTER else self._deaths + 1
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** (self._deaths - 2)) if self._deaths > 1 else 0.0
        if not self._stopping.wait(pause):
            self._start_worker()

    def _enforce_cancel(self, process: subprocess.Popen[bytes]) -> None:
        """Kills the worker when the job it works on should have ended by now."""
        status = WorkerStatus.read(self._library.root)
        if status is None or status.state != "busy" or status.pid != process.pid:
            return
        try:
            job = self._library.open(status.session).jobs.get(status.job)
        except SessionError:
            return
        overdue = job.cancel_asked is not None and time.time() - job.cancel_asked > CANCEL_GRACE
        if job.state == "running" and overdue:
            _end(process)
            self._abandon("")
            self._start_worker()

    def _abandon(self, error: str, everywhere: bool = False) -> None:
        for store in self._library.sessions():
            store.abandon_jobs(error, everywhere)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a worker that may have ended already."""
    process.kill()
    process.wait(timeout=10)
    if process.stdin is not None:
        process.stdin.close()


def _open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".old.log"))
    return path.open("ab")


def environment() -> dict[str, str]:
    """The worker's environment: it imports this very package, wherever this process found it."""
    here = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    path = here + (os.pathsep + inherited if inherited else "")
    # Threads that wait actively for one another crawl when other programs want the processor.
    return {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONPATH": path}


def _last_words(code: int) -> str:
    """What to tell people about a worker that ended with this code."""
    if code == -9:
        why = "The worker was killed, perhaps because memory ran out."
    else:
        why = (
            f"The worker stopped unexpectedly (code {code}); see {LOG_NAME} in the sessions folder."
        )
    return why + " It was started again, and the queue goes on."
