"""What a failed write says to people: a disk that is full, read-only or broken.

Knows the ways in which SQLite, Python and safetensors tell of it, and nothing of what was written.
"""

import errno
import os
import shutil
import sqlite3
from pathlib import Path

from workbench.errors import StorageError

__all__ = ["room_trouble", "storage_error"]

LEAST_ROOM = 1_000_000  # bytes, below which work stands still sooner or later

FULL = "The disk with '{place}' is full. Free some space; what was kept before is all there."
READ_ONLY = "'{place}' is read-only. Make it writable, or start with --sessions and another folder."
BROKEN = "'{place}' cannot be written (the system says: {why}). Check the disk."

_SQLITE = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_IOERR: BROKEN,
    sqlite3.SQLITE_CANTOPEN: BROKEN,
}
_SYSTEM = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: READ_ONLY,
    errno.EIO: BROKEN,
}


def storage_error(error: BaseException, place: Path) -> StorageError | None:
    """What an error says of the disk; None when it says nothing of it.

    Args:
        error: as it was raised; what caused it is looked at as well.
        place: the folder that was written to, for the words.
    """
    seen: BaseException | None = error
    while seen is not None:
        sentence = _sentence(seen)
        if sentence is not None:
            return StorageError(sentence.format(place=place, why=seen))
        seen = seen.__cause__ or seen.__context__
    return None


def room_trouble(place: Path) -> str:
    """What to tell people when a disk has no room left; empty while it has.

    Args:
        place: a folder on it.
    """
    try:
        free = shutil.disk_usage(place).free
    except OSError:
        return ""
    return f"{FULL.format(place=place)} Work goes on by itself then." if free < LEAST_ROOM else ""


def _sentence(error: BaseException) -> str | None:
    if isinstance(error, sqlite3.Error):
        # Errors that Python's own layer raises have no code.
        code: int | None = getattr(error, "sqlite_errorcode", None)
        return _SQLITE.get(code & 0xFF) if code is not None else None
    if isinstance(error, OSError):
        return _SYSTEM.get(error.errno) if error.errno is not None else None
    # Libraries that are not written in Python tell of the system's errors by their text.
    text = str(error)
    for number, sentence in _SYSTEM.items():
        if f"os error {number})" in text or os.strerror(number) in text:
            return sentence
    return None
