"""One session's database, as its tables see it: a connection a thread, and transactions.

Invariants: a `transaction` is committed whole or not at all, also when the process is killed;
a closed database is never written.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.errors import SessionError, StorageError
from workbench.store.schema import SCHEMA_VERSION, connect, migrate
from workbench.store.storage import storage_error

__all__ = ["Database", "connect_to_read", "to_json"]

Values = tuple[Any, ...] | dict[str, Any]


class Database:
    """Opens `path`, creating or migrating it.

    Args:
        path: the file.
        closed: why nothing may be changed; empty when it may. Changes are refused with it.

    Raises:
        SessionError: a newer workbench made this database, or it cannot be opened.
    """

    def __init__(self, path: Path, closed: str = "") -> None:
        self.path = path
        self._closed = closed
        self._local = threading.local()
        if not closed:
            migrate(self._connection(), path.parent.name)
        elif self.number("PRAGMA user_version") != SCHEMA_VERSION:
            raise SessionError(f"The session '{path.parent.name}' has another format. {closed}")

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            try:
                found = connect_to_read(self.path) if self._closed else connect(self.path)
            except sqlite3.DatabaseError as error:
                raise SessionError(f"'{self.path}' cannot be opened: {error}.") from error
            self._local.connection = found
        return found

    def close(self) -> None:
        """Closes this thread's connection; the next use opens another."""
        self._connection().close()
        del self._local.connection

    def rows(self, sql: str, values: Values = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._connection().execute(sql, values).fetchall()

    def row(self, sql: str, values: Values = ()) -> sqlite3.Row | None:
        """The first row of a query, if there is one."""
        found: sqlite3.Row | None = self._connection().execute(sql, values).fetchone()
        return found

    def number(self, sql: str, values: Values = ()) -> int:
        """The single number that a query such as ``SELECT count(*)`` yields; 0 for NULL."""
        found = self.row(sql, values)
        return int(found[0] or 0) if found is not None else 0

    def write(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        """One statement, committed when this returns.

        Raises:
            SessionError: nothing may be changed here.
            StorageError: the disk takes no more; nothing was changed.
        """
        self._require_open()
        try:
            with self._telling():
                return self._connection().execute(sql, values)
        except StorageError:
            if not self._make_room():
                raise
        with self._telling():
            return self._connection().execute(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Several statements that are committed together at the end, or not at all.

        Raises:
            SessionError: nothing may be changed here.
            StorageError: the disk takes no more; nothing was changed.
        """
        self._require_open()
        connection = self._connection()
        with self._telling():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                # A disk that is full may have ended the transaction already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    self._make_room()
                raise

    def _make_room(self) -> bool:
        """Empties the log of writes into the database, which it may keep from being written.

        Returns:
            Whether that freed anything. Inside a transaction nothing can be freed.
        """
        connection = self._connection()
        if connection.in_transaction:
            return False
        log = self.path.with_name(self.path.name + "-wal")
        try:
            before = log.stat().st_size
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return log.stat().st_size < before
        except (OSError, sqlite3.Error):
            return False

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            trouble = storage_error(error, self.path.parent)
            if trouble is None:
                raise
            raise trouble from error

    def _require_open(self) -> None:
        if self._closed:
            raise SessionError(self._closed)


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Opens a database that is there, so that nothing can be written to it."""
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=15, isolation_level=None
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only = ON")
    return connection


def to_json(value: Any) -> str:
    """Compact JSON that keeps every script readable in the database."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
