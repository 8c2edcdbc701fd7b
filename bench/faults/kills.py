"""Processes killed by SIGKILL at random moments of each kind of job.

After each kill: what was confirmed before is there, the databases are sound, and the job is done
anew or goes on. A run that went on must end with the weights, to the bit, of one that was never
touched.
"""

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from bench.faults.web import Web, ended, wait_until
from workbench.methods.locft_settings import EditSettings
from workbench.model.patch import Patch
from workbench.store import Library, Store
from workbench.store.database import connect_to_read
from workbench.store.jobs import JobKind

__all__ = ["KINDS", "Kills", "kill_often"]

KINDS: tuple[JobKind, ...] = ("import", "sweep", "edit", "evaluate", "export")
VICTIMS = {"worker": (False, True), "server": (True, False), "both": (True, True)}
ROWS = 20_000  # of an imported file
EDIT = EditSettings(
    epochs=60, stop_loss=0.0, skip_loss=0.0, seed=3, batch_size=10, at=("7.mlp.down_proj",)
)
SWEEP = {"modules": ["mlp.down_proj"], "layers": [5, 7], "sample": 4, "epochs": 4, "full_runs": 1}


@dataclass
class Kills:
    """What was counted.

    Args:
        kind: of the jobs.
        kills: how many processes or pairs were killed while a job was open.
        ended: the states in which the jobs were found afterwards.
        lost: what had been confirmed and was gone; must stay empty.
        bits: how many runs that went on had the weights of an untouched one.
        seconds: longest time from a kill until the same work was done.
    """

    kind: str
    kills: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    bits: int = 0
    seconds: float = 0.0


def kill_often(root: Path, kind: JobKind, times: int, chance: random.Random) -> Kills:
    """Kills during jobs of one kind.

    Args:
        root: a new folder of sessions.
        kind: of the jobs.
        times: how many kills.
        chance: where the moments come from.
    """
    store = Library(root).create("kills", samples=True)
    web = Web(root)
    web.start()
    try:
        return _Rounds(web, store, kind, chance).play(times)
    finally:
        web.stop()


class _Rounds:
    """A session with one run that nobody touched, and what is tried on it."""

    def __init__(self, web: Web, store: Store, kind: JobKind, chance: random.Random) -> None:
        self._web, self._store, self._chance = web, store, chance
        self._found = Kills(kind)
        self._kind = kind
        self._files = web.root / "files"
        self._files.mkdir()
        self._exports = web.root.parent / "exports"
        ended(store, store.jobs.submit("edit", {"settings": EDIT.as_dict()}))
        self._reference = load_file(store.runs.patch_folder(1) / "patch.safetensors")
        # How long the work takes when nobody interferes: kills come at any moment of it.
        self._length = self._time(lambda: self._submit(0))
        self._confirmed = 1

    def _time(self, start: Callable[[], int]) -> float:
        began = time.monotonic()
        job = ended(self._store, start())
        assert job.state == "done", job.error
        return time.monotonic() - began

    def _submit(self, number: int) -> int:
        """Asks for the job; returns its id."""
        if self._kind == "import":
            return self._web.bring(self._store, self._file(number))
        params: dict[JobKind, dict[str, Any]] = {
            "edit": {"settings": EDIT.as_dict()},
            "sweep": {"settings": {**SWEEP, "seed": number}},  # what is known is not tried again
            "evaluate": {"run": 1},
            "export": {"run": 1, "folder": str(self._exports / str(number))},
        }
        return self._store.jobs.submit(self._kind, params[self._kind])

    def _file(self, number: int) -> Path:
        path = self._files / f"{number}.csv"
        rows = (f"Number {n} of file {number} is,{n + 1}\n" for n in range(ROWS))
        path.write_text("prompt,target_new\n" + "".join(rows))
        return path

    def play(self, times: int) -> Kills:
        """Kills, looks, and does the work anew, again and again."""
        for number in range(1, times + 1):
            noted = self._note(number)
            job = self._submit(number)
            time.sleep(self._chance.uniform(0.0, self._length))
            victim = self._chance.choice(list(VICTIMS))
            killed = time.monotonic()
            self._web.kill(*VICTIMS[victim])
            self._found.kills += 1
            state = ended(self._store, job).state
            self._found.ended[state] += 1
            self._look(number, noted)
            if state != "done":
                self._again(number)
            self._found.seconds = max(self._found.seconds, time.monotonic() - killed)
            self._tidy(number)
        return self._found

    def _note(self, number: int) -> str:
        """Something that was confirmed before the kill."""
        name = f"note {number}"
        self._store.settings.set("name", name)
        return name

    def _look(self, number: int, noted: str) -> None:
        """What was confirmed must be there."""
        store, lost = self._store, self._found.lost
        with closing(connect_to_read(store.folder / "session.db")) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                lost.append(f"{number}: the database is damaged")
        if store.settings.get("name") != noted:
            lost.append(f"{number}: a setting")
        facts = store.facts.count()
        if (facts - 20) % ROWS:
            lost.append(f"{number}: an import is there in part ({facts} facts)")
        for run in store.runs.all():
            if run.state == "done" and not _loads(store.runs.patch_folder(run.id)):
                lost.append(f"{number}: the patch of run {run.id}")
        if self._kind == "export":
            whole = (self._exports / str(number) / "model.safetensors").exists()
            if whole and not _is_model(self._exports / str(number)):
                lost.append(f"{number}: half of an export")

    def _again(self, number: int) -> None:
        """Does the work anew, or lets it go on."""
        store = self._store
        newest = store.runs.newest()
        if self._kind == "edit" and newest is not None and newest.can_resume:
            job = ended(store, store.resume(newest.id))
        else:
            shutil.rmtree(self._exports / str(number), ignore_errors=True)
            job = ended(store, self._submit(number))
        if job.state != "done":
            self._found.lost.append(f"{number}: afterwards the job was {job.state}: {job.error}")

    def _tidy(self, number: int) -> None:
        """Compares weights, and makes room."""
        store = self._store
        if self._kind == "edit":
            run = store.runs.newest()
            assert run is not None
            found = load_file(store.runs.patch_folder(run.id) / "patch.safetensors")
            same = all(found[n].tobytes() == self._reference[n].tobytes() for n in self._reference)
            self._found.bits += same
            if not same:
                self._found.lost.append(f"{number}: run {run.id} has other weights")
        shutil.rmtree(self._exports / str(number), ignore_errors=True)
        if self._kind == "import":
            store.facts.delete([row.id for row in store.facts.page(20, ROWS * 3)])
            wait_until(lambda: store.facts.count() == 20)


def _loads(folder: Path) -> bool:
    try:
        Patch.load(folder)
    except Exception:
        return False
    return True


def _is_model(folder: Path) -> bool:
    try:
        load_file(folder / "model.safetensors")
    except Exception:
        return False
    return (folder / "config.json").is_file()
