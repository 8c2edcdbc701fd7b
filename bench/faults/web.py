"""The workbench's processes without the page: what keeps the worker and does the imports.

Run as a program it is the web process, reading what to import from its standard input; `Web` is
how the measurements start, feed and kill it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from workbench.store import Library, Store
from workbench.store.jobs import Job
from workbench.store.status import WorkerStatus
from workbench.worker.importer import Importer
from workbench.worker.supervisor import Supervisor

__all__ = ["LONGEST", "Web", "ended", "wait_until"]

LONGEST = 300.0  # seconds after which something has gone wrong


def wait_until(what: Callable[[], object], longest: float = LONGEST) -> None:
    """Waits.

    Raises:
        TimeoutError: it did not come true.
    """
    end = time.monotonic() + longest
    while not what():
        if time.monotonic() > end:
            raise TimeoutError("waited too long")
        time.sleep(0.02)


def ended(store: Store, job: int) -> Job:
    """A job, once it has ended."""
    wait_until(lambda: not store.jobs.get(job).is_open)
    return store.jobs.get(job)


class Web:
    """A web process with its worker, from `start` on.

    Args:
        root: the folder of sessions.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts both and waits until the worker is ready."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.faults.web", str(self.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    @property
    def worker(self) -> int:
        """The worker's process; 0 while there is none that works or waits."""
        status = WorkerStatus.read(self.root)
        return status.pid if status is not None and status.state != "starting" else 0

    @property
    def pid(self) -> int:
        """The web process."""
        assert self._process is not None
        return self._process.pid

    def bring(self, store: Store, path: Path) -> int:
        """Lets a file be imported; returns the job's id."""
        assert self._process is not None
        assert self._process.stdin is not None and self._process.stdout is not None
        print(store.id, path, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def kill(self, web: bool, worker: bool) -> None:
        """Kills one or both at once, by SIGKILL; a killed web process is started again."""
        pids = [self.worker] if worker and self.worker else []
        if web and self._process is not None:
            pids.append(self._process.pid)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if web:
            self.stop()
            self.start()

    def stop(self) -> None:
        """Ends the web process, and with it the worker."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        process.wait(timeout=30)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def main() -> None:
    """Serves a folder until it is ended."""
    library = Library(Path(sys.argv[1]))
    supervisor, importer = Supervisor(library), Importer(library)
    supervisor.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("ready", flush=True)
    try:
        for line in sys.stdin:
            session, path = line.rstrip("\n").split(" ", 1)
            job = importer.start(library.open(session), Path(path), Path(path).name)
            print(job, flush=True)
    finally:
        supervisor.stop()


if __name__ == "__main__":
    main()
