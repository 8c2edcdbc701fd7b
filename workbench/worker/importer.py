"""Starts the import of files from inside the web process, one at a time, and sees them end.

Invariant: a job whose process is gone never stays open. Knows nothing about what a file holds;
see `workbench.worker.import_file` for why each import is a process.
"""

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from workbench.errors import SessionError
from workbench.store.jobs import Queue
from workbench.store.library import Library
from workbench.store.requests import ImportRequest
from workbench.store.storage import storage_error
from workbench.store.store import Store
from workbench.worker.patience import when_possible
from workbench.worker.supervisor import LOG_NAME

__all__ = ["Importer"]

LOOK_EVERY = 0.05  # seconds
CANCEL_GRACE = 1.0  # seconds; what does not end by itself by then is ended by force


class Importer:
    """Does the import jobs of a folder of sessions, in the order in which they were asked for.

    Args:
        library: the sessions.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._waiting: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def start(
        self,
        store: Store,
        path: Path,
        name: str,
        *,
        columns: Mapping[str, str] | None = None,
        ask: bool = False,
        replaces: int | None = None,
        encoding: str = "",
    ) -> int:
        """Puts a file in line; returns the job's id.

        Args:
            store: the session that takes its facts.
            path: the file, inside the folder of sessions.
            name: how people call it.
            columns: which column holds what; None to tell it from their names.
            ask: let a person say which column holds what before anything is read.
            replaces: an import that is undone before; None for none.
            encoding: of a file of text, where a person chose it.

        Raises:
            SessionError: nothing may be changed here.
        """
        known = None if columns is None else dict(columns)
        asked = ImportRequest(str(path), name, known, ask, replaces, encoding)
        job = store.jobs.ask_for(asked)
        self._waiting.put((store.id, job))
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="imports", daemon=True)
                self._thread.start()
        return job

    def _run(self) -> None:
        while True:
            session, job = self._waiting.get()
            try:
                store = self._library.open(session)
                when_possible(lambda: self._do(store, job))  # noqa: B023 (called at once)
            except SessionError:
                continue  # the session is gone, and the file's job with it

    def _do(self, store: Store, job: int) -> None:
        if store.jobs.get(job).state != "queued":
            return
        with _log(self._library.root) as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "workbench.worker.import_file",
                    str(self._library.root),
                    store.id,
                    str(job),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=_environment(),
            )
        try:
            while process.poll() is None:
                _enforce_cancel(store.jobs, job, process)
                time.sleep(LOOK_EVERY)
        finally:
            process.kill()
            process.wait(timeout=10)
            if process.stdin is not None:
                process.stdin.close()
        _see_end(store.jobs, job)


def _log(root: Path) -> IO[bytes]:
    try:
        return (root / LOG_NAME).open("ab")
    except OSError as error:
        raise storage_error(error, root) or error from error


def _enforce_cancel(jobs: Queue, job: int, process: subprocess.Popen[bytes]) -> None:
    """Kills an import that should have ended by now; its facts were not written yet."""
    now = jobs.get(job)
    if now.state == "cancelled":
        process.kill()
    if now.cancel_asked is not None and time.time() - now.cancel_asked > CANCEL_GRACE:
        process.kill()


def _see_end(jobs: Queue, job: int) -> None:
    """Ends the job where its process could not."""
    left = jobs.get(job)
    if not left.is_open:
        return
    jobs.claim(job, "importer")
    if left.cancel_asked is not None:
        jobs.finish(job, "cancelled")
        return
    sentence = (
        "The import ended unexpectedly, perhaps because memory ran out. Nothing of it was kept; "
        f"see {LOG_NAME} in the sessions folder."
    )
    jobs.finish(job, "failed", error=sentence)


def _environment() -> dict[str, str]:
    """The process imports this very package, wherever this process found it."""
    here = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": here + (os.pathsep + inherited if inherited else "")}
