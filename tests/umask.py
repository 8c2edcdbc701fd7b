"""Files made under a umask, and what their permissions are then."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["UMASKS", "permissions", "under"]

UMASKS = (0o022, 0o077, 0o002)


@contextmanager
def under(umask: int) -> Iterator[None]:
    """A block in which new files get their permissions by this umask."""
    before = os.umask(umask)
    try:
        yield
    finally:
        os.umask(before)


def permissions(place: Path, umask: int) -> dict[str, str]:
    """What differs under a folder, or is a file's, from the permissions of anything new.

    Args:
        place: a folder with all that is in it, or a file.
        umask: under which it was made.
    """
    wrong = {}
    for path in [place, *place.rglob("*")]:
        wanted = (0o777 if path.is_dir() else 0o666) & ~umask
        if stat.S_IMODE(path.stat().st_mode) != wanted:
            wrong[path.name] = oct(path.stat().st_mode)
    return wrong
