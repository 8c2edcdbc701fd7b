"""The version of a session's database: opened, and brought up to date step by step.

Invariant: a database is always at a whole version; a step is applied entirely or not at all.
Knows nothing about what the rows mean to the page or the worker.
"""

import sqlite3
from pathlib import Path

from workbench.errors import SessionError
from workbench.store.migrations import MIGRATIONS

__all__ = ["SCHEMA_VERSION", "connect", "migrate"]

SCHEMA_VERSION = len(MIGRATIONS)


def connect(path: Path) -> sqlite3.Connection:
    """Opens a session's database for several processes at once; statements commit by themselves.

    Write-ahead logging lets the page read while the worker writes, and what was committed
    outlives a killed process.
    """
    connection = sqlite3.connect(path, timeout=15, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def migrate(connection: sqlite3.Connection, name: str) -> None:
    """Brings the database to `SCHEMA_VERSION`.

    Args:
        connection: from `connect`.
        name: how to call the session in an error.

    Raises:
        SessionError: a newer workbench made this session.
    """
    version = _version(connection)
    if version > SCHEMA_VERSION:
        raise SessionError(
            f"The session '{name}' was made by a newer workbench (format {version}, this one "
            f"knows {SCHEMA_VERSION}). Update the workbench to open it."
        )
    if version == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again under the lock: another process may have migrated meanwhile.
        for number in range(_version(connection), SCHEMA_VERSION):
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
