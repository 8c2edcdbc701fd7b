"""Who may use a folder: a lock that ends with its process, and a note of who holds it.

Invariant: the lock is never left behind, however the process ends; the note may be, and counts
only while somebody holds the lock. Knows nothing about sessions.
"""

import json
import os
import sqlite3
import time
from pathlib import Path

from workbench.errors import SessionError

__all__ = ["LOCK_NAME", "FolderLock", "FolderTaken", "holder"]

LOCK_NAME = "workbench.lock"
"""The lock of whoever starts the worker of a folder of sessions."""
NOTE_SUFFIX = ".json"  # behind the whole name of the lock, so that no other file has it


class FolderTaken(SessionError):
    """Another process holds the folder."""


class FolderLock:
    """Holds a folder for this process until it ends.

    An open transaction on a small database is a lock that works on every system and is never
    left behind by a killed process.

    Args:
        path: the lock's file.
        wait: seconds to wait for another process to let go.

    Raises:
        FolderTaken: another process holds it.
        SessionError: the folder cannot be written.
    """

    def __init__(self, path: Path, wait: float = 0.0) -> None:
        try:
            self._connection = sqlite3.connect(
                path, timeout=wait, isolation_level=None, check_same_thread=False
            )
        except sqlite3.OperationalError as error:
            raise _unwritable(path.parent, error) from None
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
            fresh = path.with_name(f"{path.name}.{os.getpid()}")
            fresh.write_text(json.dumps({"started": time.time()}))
            fresh.replace(_note(path))
        except (sqlite3.OperationalError, OSError) as error:
            self._connection.close()
            if "locked" not in str(error):
                raise _unwritable(path.parent, error) from None
            raise FolderTaken(
                f"Another workbench is using the sessions in {path.parent}. Close that one, or "
                "choose another folder with --sessions DIR."
            ) from None

    def release(self) -> None:
        """Lets another process have the folder."""
        self._connection.close()


def _unwritable(folder: Path, error: Exception) -> SessionError:
    return SessionError(
        f"The sessions folder {folder} cannot be written: {error}. "
        "Choose another with --sessions DIR."
    )


def holder(path: Path) -> str:
    """A sentence about who holds the lock with this file, for the pages that must wait."""
    since = ""
    try:
        started = float(json.loads(_note(path).read_text())["started"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    else:
        since = time.strftime(", started at %H:%M on %d %B", time.localtime(started))
    return (
        f"Another workbench{since}{',' if since else ''} on this machine has these sessions; this "
        "page shows them and changes nothing. Close that one and start this one again to work here."
    )


def _note(path: Path) -> Path:
    return path.with_name(path.name + NOTE_SUFFIX)
