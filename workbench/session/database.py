"""One session's database, as its tables see it: a connection a thread, and transactions.

Invariant: a `transaction` is committed whole or not at all, also when the process is killed.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.session.schema import connect, migrate

__all__ = ["Database", "to_json"]

Values = tuple[Any, ...] | dict[str, Any]


class Database:
    """Opens `path`, creating or migrating it.

    Raises:
        SessionError: a newer workbench made this database.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        migrate(self._connection(), path.parent.name)

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = connect(self.path)
        return found

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
        """One statement, committed when this returns."""
        return self._connection().execute(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Several statements that are committed together at the end, or not at all."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def to_json(value: Any) -> str:
    """Compact JSON that keeps every script readable in the database."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
