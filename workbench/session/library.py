"""The folder of sessions: which there are, a new one, and who may use them.

Invariant: one workbench at a time works on a folder of sessions; a lock that the operating
system gives back when the process ends, however it ends, sees to that.
"""

import contextlib
import secrets
import sqlite3
import tempfile
import time
from pathlib import Path

from workbench.facts import read_facts
from workbench.paths import assets_dir
from workbench.recipe.errors import SessionError
from workbench.session.archive import pack, unpack
from workbench.session.store import DATABASE_NAME, Store

__all__ = ["FolderLock", "Library"]

SAMPLE_FILE = "facts_20.csv"
TRASH_NAME = ".trash"


class Library:
    """The sessions under one folder, which is made when it is missing.

    Args:
        root: the folder.

    Raises:
        SessionError: the folder cannot be made or written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self._stores: dict[str, Store] = {}
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SessionError(
                f"The sessions folder {self.root} cannot be made: {error.strerror}. "
                "Choose another with --sessions DIR."
            ) from None

    def ids(self) -> list[str]:
        """The sessions' folder names, in no order."""
        return [path.parent.name for path in self.root.glob(f"*/{DATABASE_NAME}")]

    def open(self, session: str) -> Store:
        """The session with this folder name.

        Raises:
            SessionError: there is none, or a newer workbench made it.
        """
        if session not in self._stores:
            if session not in self.ids():
                raise SessionError("This session is not there any more. Refresh the page.")
            self._stores[session] = Store(self.root / session)
        return self._stores[session]

    def sessions(self) -> list[Store]:
        """Every session that can be opened, the one opened last first."""
        stores = []
        for session in self.ids():
            # One session from a newer workbench must not hide the others.
            with contextlib.suppress(SessionError):
                stores.append(self.open(session))
        return sorted(stores, key=lambda store: -float(store.settings.get("opened", 0)))

    def create(self, name: str) -> Store:
        """A new session without facts."""
        folder = self._new_folder()
        folder.mkdir()
        store = Store(folder)
        store.settings.set("name", name.strip() or "Untitled")
        store.touch()
        self._stores[store.id] = store
        return store

    def latest(self) -> Store:
        """The session opened last; on the first visit a new one with the sample facts."""
        found = self.sessions()
        if found:
            return found[0]
        store = self.create("First session")
        add_samples(store)
        return store

    def duplicate(self, session: str) -> Store:
        """A copy of a session as it is now, with its runs and their patches.

        Raises:
            SessionError: there is no such session, or no room for a copy.
        """
        store = self.open(session)
        with tempfile.TemporaryDirectory(dir=self.root, prefix=".copy-") as folder:
            packed = Path(folder) / "session.zip"
            pack(store.folder, packed)
            return self.bring_in(packed, f"{store.settings.name} (copy)")

    def bring_in(self, file: Path, name: str | None = None) -> Store:
        """A new session from a zip that `pack` wrote.

        Args:
            file: the zip; it is not trusted.
            name: how people call the session; None keeps the packed one's name.

        Raises:
            SessionError: this is not a session, or not a sound one; nothing is left behind.
        """
        folder = self._new_folder()
        unpack(file, folder)
        store = self.open(folder.name)
        if name is not None:
            store.settings.set("name", name)
        store.touch()
        return store

    def discard(self, session: str) -> None:
        """Puts a session into the trash, from where `restore` brings it back.

        Raises:
            SessionError: there is no such session, or something runs in it.
        """
        store = self.open(session)
        if store.jobs.open_jobs():
            raise SessionError("Something runs or waits in this session. Cancel it first.")
        trash = self.root / TRASH_NAME
        trash.mkdir(exist_ok=True)
        del self._stores[session]
        store.folder.rename(trash / session)

    def restore(self, session: str) -> Store:
        """Brings a session back from the trash.

        Raises:
            SessionError: it is not there.
        """
        folder = self.root / TRASH_NAME / session
        if session not in self.discarded():
            raise SessionError("This session is not in the trash any more.")
        folder.rename(self.root / session)
        return self.open(session)

    def discarded(self) -> list[str]:
        """The folder names of the sessions in the trash, in no order."""
        return [path.parent.name for path in self.root.glob(f"{TRASH_NAME}/*/{DATABASE_NAME}")]

    def _new_folder(self) -> Path:
        return self.root / f"{time.strftime('%Y%m%d')}-{secrets.token_hex(4)}"


def add_samples(store: Store) -> int:
    """Puts the sample facts into a session; returns how many were new."""
    added = store.facts.add(read_facts(assets_dir() / "samples" / SAMPLE_FILE), SAMPLE_FILE)
    return len(added.ids)


class FolderLock:
    """Holds a folder for this process until it ends.

    An open transaction on a small database is a lock that works on every system and is never
    left behind by a killed process.

    Args:
        path: the lock's file.
        wait: seconds to wait for another process to let go.

    Raises:
        SessionError: another process holds it.
    """

    def __init__(self, path: Path, wait: float = 0.0) -> None:
        self._connection = sqlite3.connect(
            path, timeout=wait, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            self._connection.close()
            raise SessionError(
                f"Another workbench is using the sessions in {path.parent}. Close that one, or "
                "choose another folder with --sessions DIR."
            ) from None

    def release(self) -> None:
        """Lets another process have the folder."""
        self._connection.close()
