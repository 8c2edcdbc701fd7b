"""The folder of sessions: which there are, a new one, copies, and the trash.

Invariants: a session is in the folder whole or not at all, whenever the process is killed; what
is being made has a name that begins with a dot. A closed library changes nothing, and creates
nothing either. Knows nothing about what the page shows.
"""

import contextlib
import json
import secrets
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import SessionError
from workbench.facts import read_facts
from workbench.paths import assets_dir
from workbench.store.archive import pack, unpack
from workbench.store.storage import room_trouble
from workbench.store.store import DATABASE_NAME, Store

__all__ = ["Discarded", "Library", "add_samples"]

SAMPLE_FILE = "facts_20.csv"
TRASH_NAME = ".trash"
LABEL_NAME = "discarded.json"


@dataclass(frozen=True, slots=True)
class Discarded:
    """A session in the trash: its folder's name, how people call it, when it was put there."""

    id: str
    name: str
    time: float


class Library:
    """The sessions under one folder, which is made when it is missing.

    Args:
        root: the folder.
        closed: why nothing may be changed, for people; empty when it may.

    Raises:
        SessionError: the folder cannot be made or written.
    """

    def __init__(self, root: Path, closed: str = "") -> None:
        self.root = root.expanduser().resolve()
        self.closed = closed
        self._stores: dict[str, Store] = {}
        if closed:
            return
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SessionError(
                f"The sessions folder {self.root} cannot be made: {error.strerror}. "
                "Choose another with --sessions DIR."
            ) from None

    def ids(self) -> list[str]:
        """The sessions' folder names, in no order."""
        names = (path.parent.name for path in self.root.glob(f"*/{DATABASE_NAME}"))
        return [name for name in names if not name.startswith(".")]

    def __contains__(self, session: str) -> bool:
        plain = session == Path(session).name and not session.startswith(".")
        try:
            return bool(session) and plain and (self.root / session / DATABASE_NAME).is_file()
        except (OSError, ValueError):  # no folder can have such a name
            return False

    def open(self, session: str) -> Store:
        """The session with this folder name.

        Raises:
            SessionError: there is none, or a newer workbench made it.
        """
        if session not in self:
            self._stores.pop(session, None)
            raise SessionError("This session is not there any more. Choose another one.")
        if session not in self._stores:
            self._stores[session] = Store(self.root / session, self.closed)
        return self._stores[session]

    def enter(self, session: str) -> Store:
        """Opens a session for work; a closed library shows it and leaves it as it is.

        Raises:
            SessionError: there is none, or a newer workbench made it.
        """
        store = self.open(session)
        if not self.closed:
            store.enter()
        return store

    def sessions(self) -> list[Store]:
        """Every session that can be opened, the one opened last first."""
        return self._opened()[0]

    def models_used(self) -> list[str]:
        """Names of the models that were edited in any session, the last one's first."""
        found: list[str] = []
        for store in self.sessions():
            found += [*store.settings.models_used, *store.runs.models()]
        return list(dict.fromkeys(found))

    def unreadable(self) -> dict[str, str]:
        """Why a session cannot be opened, by the names of the folders of those that cannot."""
        return self._opened()[1]

    def _opened(self) -> tuple[list[Store], dict[str, str]]:
        """One session that cannot be read must not hide the others."""
        stores, wrong = [], {}
        for session in sorted(self.ids()):
            try:
                stores.append(self.open(session))
            except (SessionError, sqlite3.DatabaseError) as error:
                wrong[session] = str(error)
        stores.sort(key=lambda store: -float(store.settings.get("opened", 0)))
        return stores, wrong

    def version(self) -> str:
        """A short text that differs after any change of the names, the trash, or the room left."""
        stores, wrong = self._opened()
        names = sorted((store.id, store.settings.name) for store in stores)
        return f"{names} {sorted(wrong)} {sorted(self._trashed())} {self.trouble}"

    @property
    def trouble(self) -> str:
        """Why work stands still here, for people; empty when it does not."""
        return "" if self.closed else room_trouble(self.root)

    def create(self, name: str, samples: bool = False) -> Store:
        """A new session.

        Args:
            name: how people call it.
            samples: with the sample facts; without facts otherwise.

        Raises:
            SessionError: nothing may be changed here.
        """
        self._require_open()
        folder = self._new_folder()
        beside = folder.with_name(f".{folder.name}.part")
        beside.mkdir()
        fresh = Store(beside)
        fresh.settings.set("name", name.strip() or "Untitled")
        fresh.touch()
        if samples:
            add_samples(fresh)
        fresh.close()
        beside.rename(folder)
        return self.open(folder.name)

    def latest(self) -> Store:
        """The session opened last; on the first visit a new one with the sample facts.

        Raises:
            SessionError: there is none, and none may be made.
        """
        found = self.sessions()
        return found[0] if found else self.create("First session", samples=True)

    @contextlib.contextmanager
    def packed(self, session: str) -> Iterator[Path]:
        """A session as a zip, as it is now; the file is gone after the block.

        Raises:
            SessionError: there is no such session, or no room for the zip.
        """
        store = self.open(session)
        # A closed library writes nothing here, so its zip goes where temporary files go.
        place = None if self.closed else self.root
        with tempfile.TemporaryDirectory(dir=place, prefix=".copy-") as folder:
            file = Path(folder) / "session.zip"
            pack(store.folder, file)
            yield file

    def duplicate(self, session: str) -> Store:
        """A copy of a session as it is now, with its runs and their patches.

        What runs or waits goes on in the original alone; a run that is still going is
        interrupted in the copy, and can be resumed there.

        Raises:
            SessionError: there is no such session, or no room for a copy.
        """
        self._require_open()
        settings = self.open(session).settings
        with self.packed(session) as file:
            return self._take(file, f"{settings.name} (copy)", foreign=False)

    def bring_in(self, file: Path, name: str | None = None) -> Store:
        """A new session from a zip that `pack` wrote.

        Args:
            file: the zip; it is not trusted.
            name: how people call the session; None keeps the packed one's name.

        Raises:
            SessionError: this is not a session, or not a sound one; nothing is left behind.
        """
        return self._take(file, name, foreign=True)

    def _take(self, file: Path, name: str | None, *, foreign: bool) -> Store:
        self._require_open()
        folder = self._new_folder()
        unpack(file, folder, foreign=foreign)
        store = self.open(folder.name)
        if name is not None:
            store.settings.set("name", name)
        store.touch()
        return store

    def discard(self, session: str) -> None:
        """Puts a session into the trash, from where `restore` brings it back.

        Loading a model is not waited for, since nothing is lost with it.

        Raises:
            SessionError: there is no such session, or something runs in it.
        """
        self._require_open()
        store = self.open(session)
        jobs = store.jobs.open_jobs()
        if any(job.kind != "load" for job in jobs):
            raise SessionError(
                "Something runs or waits in this session. Cancel it first, then delete the session."
            )
        for job in jobs:
            store.jobs.cancel(job.id)
        label = {"name": store.settings.name, "time": time.time()}
        trash = self.root / TRASH_NAME
        trash.mkdir(exist_ok=True)
        try:
            (store.folder / LABEL_NAME).write_text(json.dumps(label), encoding="utf-8")
            store.folder.rename(trash / session)
        except OSError as error:
            raise SessionError(f"The session cannot be deleted: {error.strerror}.") from None
        self._stores.pop(session, None)

    def restore(self, session: str) -> Store:
        """Brings a session back from the trash.

        Raises:
            SessionError: it is not there.
        """
        self._require_open()
        if session not in self._trashed():
            raise SessionError("This session is not in the trash any more.")
        (self.root / TRASH_NAME / session).rename(self.root / session)
        store = self.open(session)
        (store.folder / LABEL_NAME).unlink(missing_ok=True)
        store.abandon_jobs("The session was deleted while this was running.", everywhere=True)
        return store

    def discarded(self) -> list[Discarded]:
        """The sessions in the trash, the one deleted last first."""
        found = [self._discarded(session) for session in self._trashed()]
        return sorted(found, key=lambda entry: -entry.time)

    def empty_trash(self) -> None:
        """Deletes the sessions in the trash for good."""
        self._require_open()
        shutil.rmtree(self.root / TRASH_NAME, ignore_errors=True)

    def tidy(self) -> None:
        """Removes what a process that was killed left half made."""
        self._require_open()
        for pattern in (".copy-*", ".*.part"):
            for left in self.root.glob(pattern):
                shutil.rmtree(left, ignore_errors=True)

    def _trashed(self) -> list[str]:
        return [path.parent.name for path in self.root.glob(f"{TRASH_NAME}/*/{DATABASE_NAME}")]

    def _discarded(self, session: str) -> Discarded:
        try:
            label = json.loads((self.root / TRASH_NAME / session / LABEL_NAME).read_text("utf-8"))
            return Discarded(session, str(label["name"]), float(label["time"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Discarded(session, session, 0.0)

    def _new_folder(self) -> Path:
        return self.root / f"{time.strftime('%Y%m%d')}-{secrets.token_hex(4)}"

    def _require_open(self) -> None:
        if self.closed:
            raise SessionError(self.closed)


def add_samples(store: Store) -> int:
    """Puts the sample facts into a session; returns how many were new."""
    added = store.facts.add(read_facts(assets_dir() / "samples" / SAMPLE_FILE), SAMPLE_FILE)
    return len(added.ids)
