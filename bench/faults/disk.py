"""A disk that is full, and one that becomes read-only, in each kind of job.

Needs Linux and the right to mount: the sessions lie on a small disk in memory. What a job says is
noted, and whether the same job is done once there is room again.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.faults.web import Web, ended, wait_until
from workbench.errors import WorkbenchError
from workbench.store import Library, Store
from workbench.store.database import connect_to_read
from workbench.store.jobs import JobKind

__all__ = ["DiskFault", "can_mount", "full_disk", "read_only"]

SIZE = "20m"
LEFT = 150_000  # bytes that a nearly full disk has left: enough to ask for a job, for little more
ROWS = 30_000
WAIT = 15.0  # seconds until there is room again
WORDS = ("full", "read-only", "space", "written")
JOBS: dict[JobKind, dict[str, Any]] = {
    "edit": {"settings": {"epochs": 30, "stop_loss": 0.0, "skip_loss": 0.0}},
    "sweep": {"settings": {"modules": ["mlp.down_proj"], "layers": [6, 7], "sample": 4}},
    "evaluate": {"run": None},
    "export": {"run": 1},
    "import": {},
}


@dataclass(frozen=True, slots=True)
class DiskFault:
    """How one job ended.

    Args:
        kind: of the job.
        state: in which it was found.
        error: what it said.
        after: the state of the same job once there was room; ``done`` is right.
        sound: whether the database was sound in the end.
    """

    kind: str
    state: str
    error: str
    after: str
    sound: bool

    @property
    def is_clear(self) -> bool:
        """Whether it succeeded all the same, or said what was wrong."""
        return self.state == "done" or any(word in self.error.lower() for word in WORDS)


def can_mount() -> bool:
    """Whether a disk in memory can be mounted here."""
    if os.name != "posix" or os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], capture_output=True)
        if done.returncode == 0:
            subprocess.run(["umount", place], check=True)
    return done.returncode == 0


@contextmanager
def _small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place], check=True)
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "-l", place], check=True)


@contextmanager
def _served() -> Iterator[tuple[Path, Web, Store]]:
    """Sessions on a small disk, with a run that was done while there was room."""
    with _small_disk() as place:
        store = Library(place / "sessions").create("faults", samples=True)
        web = Web(place / "sessions")
        web.start()
        try:
            assert ended(store, store.jobs.submit("edit")).state == "done"
            yield place, web, store
        finally:
            web.stop()


def full_disk() -> list[DiskFault]:
    """Every kind of job on a disk that is nearly full when it begins."""
    found = []
    for kind in JOBS:
        with _served() as (place, web, store):
            path = _file(place)
            filler = place / "filler"
            _fill(filler, place)
            job = _submit(web, store, kind, path, place)
            with suppress(TimeoutError):
                wait_until(lambda s=store, j=job: not s.jobs.get(j).is_open, WAIT)  # type: ignore[misc]
            filler.unlink()  # a job that could not even be ended ends now
            done = ended(store, job)
            found.append(_again(web, store, kind, path, (done.state, done.error)))
    return found


def read_only() -> list[DiskFault]:
    """An export to a folder that is read-only, and a workbench started on one.

    A disk on which a database is open for writing cannot become read-only by the system's rules.
    """
    with _small_disk() as place:
        Library(place / "sessions").create("faults", samples=True).close()
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        with _served() as (own, web, store):
            job = ended(store, _submit(web, store, "export", own, place))
            exported = _again(web, store, "export", own, (job.state, job.error))
        started = subprocess.run(
            [sys.executable, "app.py", "--no-browser", "--sessions", str(place / "sessions")],
            capture_output=True,
            text=True,
        )
        subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True)
    words = started.stderr.strip()
    traceback = "Traceback" in words
    return [exported, DiskFault("start", "failed", words, "done", not traceback)]


def _fill(filler: Path, place: Path) -> None:
    free = os.statvfs(place)
    room = free.f_bavail * free.f_frsize - LEFT
    filler.write_bytes(bytes(max(room, 0)))


def _file(place: Path) -> Path:
    path = place / "sessions" / "facts.csv"
    rows = (f"Number {n} is,{n + 1}\n" for n in range(ROWS))
    path.write_text("prompt,target_new\n" + "".join(rows))
    return path


def _submit(web: Web, store: Store, kind: JobKind, path: Path, place: Path) -> int:
    if kind == "import":
        return web.bring(store, path)
    more = {"folder": str(place / "model")} if kind == "export" else {}
    return store.jobs.submit(kind, {**JOBS[kind], **more})


def _try(web: Web, store: Store, kind: JobKind, path: Path, place: Path) -> tuple[str, str]:
    try:
        job = ended(store, _submit(web, store, kind, path, place))
    except WorkbenchError as error:
        return "refused", str(error)
    except TimeoutError:
        return "stuck", ""
    return job.state, job.error


def _again(web: Web, store: Store, kind: JobKind, path: Path, before: tuple[str, str]) -> DiskFault:
    """The same job once more, with room; a model is larger than the disk and goes elsewhere."""
    with tempfile.TemporaryDirectory() as elsewhere:
        after, error = _try(web, store, kind, path, Path(elsewhere))
    with closing(connect_to_read(store.folder / "session.db")) as connection:
        sound = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    return DiskFault(kind, *before, after if after == "done" else f"{after}: {error}", sound)
