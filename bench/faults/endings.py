"""A worker that the kernel ends for memory, and a server that is asked to end.

Memory is limited by a control group where this machine lets one be made; else the worker is killed
in the way in which the kernel does it.
"""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.faults.web import Web, ended, wait_until
from workbench.store import Library

__all__ = ["MemoryFault", "no_memory", "processes_left"]

ROOM = 2_000_000  # bytes above what the worker holds
LONG = {"settings": {"epochs": 100_000, "stop_loss": 0.0, "skip_loss": 0.0}}


@dataclass(frozen=True, slots=True)
class MemoryFault:
    """What became of a worker without memory.

    Args:
        by_kernel: whether the kernel ended it, at a limit; else it was killed.
        state, error: of its job.
        after: the state of the next job.
    """

    by_kernel: bool
    state: str
    error: str
    after: str


def no_memory(root: Path) -> MemoryFault:
    """Lets a worker run out of memory in a run, and asks for another job."""
    store = Library(root).create("memory", samples=True)
    web = Web(root)
    web.start()
    try:
        ended(store, store.jobs.submit("edit"))
        job = store.jobs.submit("edit", LONG)
        wait_until(lambda: store.jobs.get(job).state == "running" and store.jobs.get(job).line)
        pid = web.worker
        group = _limit(pid)
        if group is None:
            os.kill(pid, signal.SIGKILL)
        else:
            # What the job holds by now is above the limit as soon as it asks for more.
            store.jobs.cancel(job)
            job = store.jobs.submit("sweep")
        done = ended(store, job)
        after = ended(store, store.jobs.submit("edit")).state
        if group is not None:
            with suppress(OSError):
                group.rmdir()
        return MemoryFault(group is not None, done.state, done.error, after)
    finally:
        web.stop()


def _limit(pid: int) -> Path | None:
    """A control group with little room above what a process holds, and the process in it."""
    found = re.search(r":memory:(/\S*)", Path("/proc/self/cgroup").read_text())
    if found is None:
        return None
    group = Path("/sys/fs/cgroup/memory" + found.group(1)) / f"faults-{pid}"
    try:
        group.mkdir()
        (group / "cgroup.procs").write_text(str(pid))
        # Only what is asked for from now on counts against the group.
        (group / "memory.limit_in_bytes").write_text(str(ROOM))
    except OSError:
        return None
    return group


def processes_left(root: Path) -> list[str]:
    """The processes that are left three seconds after a working server got SIGTERM."""
    store = Library(root).create("ending", samples=True)
    server = subprocess.Popen(
        [sys.executable, "app.py", "--port", "0", "--sessions", str(root), "--no-browser"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    server.stdout.readline()
    job = store.jobs.submit("edit", LONG)
    wait_until(lambda: store.jobs.get(job).state == "running")
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    server.terminate()
    server.wait(timeout=30)
    server.stdout.close()
    time.sleep(3)
    return [" ".join(process.cmdline()) for process in family if process.is_running()]
