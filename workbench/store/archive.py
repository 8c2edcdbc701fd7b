"""A session as one zip file, to keep or to take to another machine.

A zip from outside is not trusted: only the paths that `pack` writes are taken, links and sizes
are checked, the database must be sound and have the tables and triggers of this workbench and
no others, every value in it is looked at (see `workbench.store.foreign`), no job that waits in it
is ever done, and its model is a name until a person confirms it.
"""

import contextlib
import json
import re
import shutil
import sqlite3
import stat
import zipfile
from contextlib import closing
from pathlib import Path

from workbench.errors import SessionError
from workbench.store.database import connect_to_read
from workbench.store.foreign import check_values, distrust
from workbench.store.schema import SCHEMA_VERSION, connect, migrate
from workbench.store.store import DATABASE_NAME
from workbench.work.words import one_line

__all__ = ["LARGEST_SESSION", "pack", "unpack"]

LARGEST_SESSION = 20_000_000_000  # bytes, unpacked
MOST_FILES = 20_000
MANIFEST_NAME = "session.json"
FORMAT = "locft-session-1"
_RUN_FILE = re.compile(r"runs/\d+/(?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_.-]+")
_PIECE = 1 << 20


def pack(folder: Path, target: Path) -> None:
    """Writes a session's folder as a zip, as it is at this moment.

    Args:
        folder: the session.
        target: the new file; it is there whole or not at all.

    Raises:
        SessionError: it cannot be written.
    """
    beside = target.with_name(target.name + ".part")
    snapshot = target.with_name(target.name + ".db")
    try:
        copy_database(folder / DATABASE_NAME, snapshot)
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(MANIFEST_NAME, _manifest())
            archive.write(snapshot, DATABASE_NAME)
            for path in sorted((folder / "runs").rglob("*")):
                name = path.relative_to(folder).as_posix()
                # A run that goes on meanwhile replaces its checkpoint; what is gone is not needed.
                with contextlib.suppress(FileNotFoundError):
                    if path.is_file() and _RUN_FILE.fullmatch(name):
                        # Weights do not shrink, and packing them takes long.
                        archive.write(path, name, zipfile.ZIP_STORED)
        beside.replace(target)
    except OSError as error:
        raise SessionError(
            f"The session cannot be written to '{target}': {error.strerror or error}."
        ) from error
    finally:
        beside.unlink(missing_ok=True)
        snapshot.unlink(missing_ok=True)


def copy_database(source: Path, target: Path) -> None:
    """Copies a database as it is now, also while others write to it."""
    with closing(connect_to_read(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def unpack(
    file: Path, folder: Path, largest: int = LARGEST_SESSION, *, foreign: bool = True
) -> None:
    """Makes a session's folder from a zip, whole or not at all.

    Args:
        file: what `pack` wrote, perhaps elsewhere.
        folder: the new session; it must not be there.
        largest: most bytes that it may have when unpacked.
        foreign: whether it may come from elsewhere.

    Raises:
        SessionError: this is not a session, or not a sound one; nothing is left behind.
    """
    beside = folder.with_name(f".{folder.name}.part")
    try:
        with zipfile.ZipFile(file) as archive:
            beside.mkdir()
            for entry in _checked(archive, largest):
                _extract(archive, entry, beside / entry.filename)
        _check_database(beside / DATABASE_NAME, foreign)
        beside.rename(folder)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise SessionError(f"This file is not a zip that can be read: {error}.") from error
    except sqlite3.DatabaseError as error:
        told = one_line(str(error))
        raise SessionError(f"The database in this file is damaged: {told}.") from error
    except OSError as error:
        raise SessionError(f"The session cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _checked(archive: zipfile.ZipFile, largest: int) -> list[zipfile.ZipInfo]:
    """The files of a zip, after a look at every name and size."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    names = [entry.filename for entry in entries]
    if MANIFEST_NAME not in names or DATABASE_NAME not in names:
        raise SessionError(
            "This zip is not a session of the workbench. Choose one that Export wrote."
        )
    if len(names) > MOST_FILES or len(set(names)) != len(names):
        raise SessionError("This zip holds too many files, or one twice; it is not taken.")
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        known = entry.filename in (MANIFEST_NAME, DATABASE_NAME) or _RUN_FILE.fullmatch(
            entry.filename
        )
        if not known or ".." in entry.filename or kind not in (0, stat.S_IFREG):
            raise SessionError(
                f"This zip holds '{entry.filename}', which no session has; it is not taken."
            )
    gigabytes = sum(entry.file_size for entry in entries) / 1e9
    if gigabytes > largest / 1e9:
        raise SessionError(
            f"This session takes {gigabytes:.1f} GB; at most {largest / 1e9:.1f} GB are taken."
        )
    if not _is_ours(archive):
        raise SessionError("This session was packed by another version of the workbench.")
    return [entry for entry in entries if entry.filename != MANIFEST_NAME]


def _is_ours(archive: zipfile.ZipFile) -> bool:
    with archive.open(MANIFEST_NAME) as file:
        return file.read(1000) == _manifest()


def _manifest() -> bytes:
    return json.dumps({"format": FORMAT}).encode()


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    """Unpacks one file, and stops where it is larger than it said."""
    target.parent.mkdir(parents=True, exist_ok=True)
    left = entry.file_size
    with archive.open(entry) as source, target.open("wb") as sink:
        while piece := source.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise SessionError(f"'{entry.filename}' is larger than the zip says.")
            sink.write(piece)


def _check_database(path: Path, foreign: bool) -> None:
    """Brings the database up to date, checks all of it, and ends every job that waits."""
    with closing(connect(path)) as connection:
        # Nothing of a foreign schema may run while it is looked at.
        connection.execute("PRAGMA trusted_schema = OFF")
        if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise SessionError("The database in this file is damaged.")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version < 1:
            raise SessionError("The database in this file is not that of a session.")
        migrate(connection, "in this file")
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as ours:
            migrate(ours, "compared with")
            if _schema(connection) != _schema(ours):
                raise SessionError(
                    f"The database in this file has other tables than format {SCHEMA_VERSION} of "
                    "the workbench; it is not taken."
                )
        if foreign:
            check_values(connection)
            distrust(connection)
        connection.execute(
            "UPDATE jobs SET state = 'cancelled' WHERE state IN ('queued', 'running')"
        )
        for table in ("runs", "sweeps", "studies"):
            connection.execute(f"UPDATE {table} SET state = 'interrupted' WHERE state = 'running'")


def _schema(connection: sqlite3.Connection) -> set[tuple[str, ...]]:
    """The tables, and what is counted of them, which is as fixed as they are."""
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    rows += connection.execute("SELECT 'counted', name FROM changes").fetchall()
    return {tuple(str(value) for value in row) for row in rows}
