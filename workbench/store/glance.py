"""Whether files may have changed, told from their sizes and times alone, so that asking is rare.

Looking at a session's files costs a few microseconds, asking its database a hundred times that.
Invariant: a change is seen at the next look, on any file system whose times are no coarser than
`SETTLE`; where they are, `ANYWAY` later. Knows nothing about what the files hold.
"""

import os
import time
from collections.abc import Hashable
from pathlib import Path

from workbench.store.store import DATABASE_NAME

__all__ = ["Glance", "file_mark", "session_marks"]

# A file that is written twice within one tick of its file system's clock has the same time after
# both; so it is taken for settled only when it looked the same for longer than any such tick.
SETTLE = 2.5  # seconds
ANYWAY = 10.0  # seconds after which it is worth asking even when nothing seems to have changed

Mark = tuple[int, int, int]


class Glance:
    """Remembers how something looked, and tells when it is worth asking what is in it."""

    def __init__(self) -> None:
        self._marks: Hashable = None
        self._changed = self._asked = time.monotonic()

    def differs(self, marks: Hashable) -> bool:
        """Whether there may be something new since this last said so.

        Args:
            marks: how it looks now; taken before whoever calls this asks.
        """
        now = time.monotonic()
        if marks != self._marks:
            self._marks, self._changed = marks, now
        if now - self._changed > SETTLE and now - self._asked < ANYWAY:
            return False
        self._asked = now
        return True


def file_mark(path: str | Path) -> Mark | None:
    """How a file or folder looks from outside; None when it is not there."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def session_marks(root: Path) -> dict[str, tuple[Mark | None, ...]]:
    """How each session under a folder looks: its database and what is not yet moved into it."""
    found: dict[str, tuple[Mark | None, ...]] = {}
    try:
        with os.scandir(root) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return {}
    for name in names:
        path = f"{root}/{name}/{DATABASE_NAME}"
        mark = file_mark(path)
        if mark is not None:
            found[name] = (mark, file_mark(f"{path}-wal"))
    return found
