"""What is made under another name first: whole or not at all, with the permissions of a new file.

A library that writes through a temporary file leaves it readable by its owner alone. Knows nothing
about what is in the files.
"""

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import PatchError

__all__ = ["as_new_file", "as_new_files", "new_file", "new_folder", "replacing"]


def as_new_file(path: Path) -> None:
    """Gives a file the permissions that this process gives to a new file there.

    They follow the umask, which is not asked for: to read it, one would have to change it for a
    moment, for all threads.
    """
    sample = path.parent / f".{secrets.token_hex(8)}"
    os.close(os.open(sample, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        path.chmod(stat.S_IMODE(sample.stat().st_mode))
    finally:
        sample.unlink()


def as_new_files(folder: Path) -> None:
    """Gives every file under a folder the permissions of a new file."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        as_new_file(path)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder beside the wanted one, moved to its place when the block ends well.

    Raises:
        PatchError: the folder exists and is not empty, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PatchError(f"'{folder}' exists already. Choose another folder, or remove it first.")
    # Not made by tempfile, whose folders are their owner's alone whatever the umask says.
    beside = folder.parent / f".{folder.name[:100]}-{secrets.token_hex(4)}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside.mkdir()
    except OSError as error:
        raise PatchError(f"'{folder}' cannot be written: {error.strerror or error}.") from error
    try:
        yield beside
        beside.replace(folder)
    except OSError as error:
        raise PatchError(f"'{folder}' cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def replacing(path: Path) -> Iterator[None]:
    """A block that writes anew what is at a path already.

    Invariant: what was there is gone only once the block ended well; else it is there again, also
    where an earlier process was ended in between.

    Raises:
        PatchError: it cannot be moved.
    """
    aside = path.parent / f".{path.name[:100]}.replaced"
    try:
        if path.exists():  # whole, whatever a process before this one left aside
            _remove(aside)
        elif aside.exists():
            aside.replace(path)
        if path.exists():
            path.replace(aside)
    except OSError as error:
        raise PatchError(f"'{path}' cannot be replaced: {error.strerror or error}.") from error
    try:
        yield
    except BaseException:
        if aside.exists():
            _remove(path)
            aside.replace(path)
        raise
    _remove(aside)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A path beside the wanted one; the file there is moved to its place when the block ends well.

    Raises:
        PatchError: something is there already, or it cannot be written.
    """
    if path.exists():
        raise PatchError(f"'{path}' exists already. Choose another file, or remove it first.")
    beside = path.parent / f".{path.name[:100]}-{secrets.token_hex(4)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        as_new_file(beside)
        beside.replace(path)
    except OSError as error:
        raise PatchError(f"'{path}' cannot be written: {error.strerror or error}.") from error
    finally:
        beside.unlink(missing_ok=True)
