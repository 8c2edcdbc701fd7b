"""Files that are made under another name first: their permissions are those of any new file.

A library that writes through a temporary file leaves it readable by its owner alone. Knows nothing
about what is in the files.
"""

import os
import secrets
import stat
from pathlib import Path

__all__ = ["as_new_file", "as_new_files"]


def as_new_file(path: Path) -> None:
    """Gives a file the permissions that this process gives to a new file there.

    They follow the umask, which is not asked for: to read it, one would have to change it, for
    all threads.
    """
    sample = path.with_name(f".{path.name[:100]}-{secrets.token_hex(4)}")
    os.close(os.open(sample, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        path.chmod(stat.S_IMODE(sample.stat().st_mode))
    finally:
        sample.unlink()


def as_new_files(folder: Path) -> None:
    """Gives every file under a folder the permissions of a new file."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        as_new_file(path)
