"""A database that came from elsewhere: every value is looked at before anything is done with it.

SQLite keeps whatever was written into a column, whatever type the schema gives it, and the page
trusts what a session holds. So each value must have its column's type, be no larger than it can
be, and where it is JSON have the form of the record that is read from it. Nothing in it acts by
itself: its model is a name until a person confirms it, files of another machine are forgotten.
"""

import json
import math
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.errors import SessionError, WorkbenchError
from workbench.model.choice import ModelChoice
from workbench.store.database import to_json
from workbench.store.foreign_settings import TOLERATED
from workbench.store.foreign_values import CHOICES, MOST, RULES, require_plain
from workbench.store.settings import FOREIGN_MODEL
from workbench.work.records import from_text
from workbench.work.words import one_line

__all__ = ["check_values", "distrust"]

LONGEST = 1_000_000  # characters of a text
LONGEST_JSON = 50_000_000
# Characters of what is a name or a line, and stands in lists.
NAMES = {
    "name": 1_000,
    "model": 1_000,
    "format": 1_000,
    "worker": 1_000,
    "method": 1_000,
    "field": 1_000,
    "kind": 100,
    "source": 10_000,
    "line": 10_000,
    "asked": 10_000,
    "error": 100_000,
}
SWITCHES = {"enabled", "pinned", "chat", "learned", "failed", "against"}
LATEST = 1e11  # seconds since the epoch that a calendar still has a year for
MOMENTS = {"created", "started", "ended", "cancel_asked", "deleted", "changed", "moment", "undone"}
MOMENTS |= {"until", "change"}
TYPES: dict[str, tuple[type, str]] = {
    "INTEGER": (int, "a whole number"),
    "REAL": (float, "a number"),
    "TEXT": (str, "a text"),
}
# What a codec raises at data of another form.
WRONG = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    ArithmeticError,
    RecursionError,
    WorkbenchError,
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the schema has it."""

    name: str
    type: str
    required: bool
    key: int


def check_values(connection: sqlite3.Connection) -> None:
    """Looks at every value of a session's database.

    Args:
        connection: to a database whose tables are those of this version.

    Raises:
        SessionError: a value is none that a session has; the message says which, and why.
    """
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE"
        " '\\'"
    ).fetchall()
    for (table,) in tables:
        columns = [
            Column(row["name"], row["type"], bool(row["notnull"]), row["pk"])
            for row in connection.execute(f"PRAGMA table_info({table})")
        ]
        names = ", ".join(f'"{column.name}"' for column in columns)
        for row in connection.execute(f"SELECT {names} FROM {table}"):
            _check_row(table, columns, dict(zip(row.keys(), row, strict=True)))
    for name, last in connection.execute("SELECT name, seq FROM sqlite_sequence"):
        if not isinstance(last, int) or not 0 <= last <= MOST:
            raise SessionError(
                f"The database in this file counts the rows of '{one_line(str(name), 60)}' in a "
                "way that no session does; it is not taken."
            )
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise SessionError(
            "The database in this file has rows that belong to rows that are not there; it is not "
            "taken."
        )


def _check_row(table: str, columns: list[Column], row: Mapping[str, Any]) -> None:
    for column in columns:
        value = row[column.name]
        where = f"{table}.{column.name}"
        why = _wrong_type(column, where, value)
        # What may be found out anew is not looked at, but forgotten where it is of no use.
        if not why and where in RULES and value is not None and row.get("name") not in TOLERATED:
            why = _wrong_form(where, value, row)
        if why:
            raise SessionError(_told(table, columns, row, column.name, why))


def _told(table: str, columns: list[Column], row: Mapping[str, Any], column: str, why: str) -> str:
    if table == "settings":
        return (
            "The settings in this file are not those of a session: "
            f"'{one_line(str(row['name']), 60)}' {why}. It is not taken."
        )
    keys = [f"{key.name} {one_line(str(row[key.name]), 60)}" for key in columns if key.key]
    return (
        f"The table '{table}' in this file is not that of a session: in the row {', '.join(keys)}, "
        f"'{column}' {why}. It is not taken."
    )


def _wrong_type(column: Column, where: str, value: Any) -> str:
    """Why a value is none of its column; empty when it is one."""
    if value is None:
        return "is missing" if column.required else ""
    kind, words = TYPES[column.type]
    if type(value) is not kind or not isinstance(value, str | int | float):
        return f"is not {words}"
    if isinstance(value, str):
        most = LONGEST_JSON if where in RULES else NAMES.get(column.name, LONGEST)
        if len(value) > most:
            return f"has {len(value):,} characters; at most {most:,} are taken"
        if where in CHOICES and value not in CHOICES[where]:
            return f"is '{one_line(value, 60)}'; it must be one of {', '.join(CHOICES[where])}"
    elif not math.isfinite(value) or not 0 <= value <= MOST:
        return "is out of range"
    elif column.name in SWITCHES and value not in (0, 1):
        return "is neither 0 nor 1"
    elif column.name in MOMENTS and value > LATEST:
        return "is no moment in time"
    return ""


def _wrong_form(where: str, value: str, row: Mapping[str, Any]) -> str:
    """Why a text is not the JSON that belongs there; empty when it is."""
    try:
        require_plain(json.loads(value))
        RULES[where](value, row)
    except WRONG as error:
        reason = str(error) if isinstance(error, WorkbenchError) else type(error).__name__
        return f"cannot be read ({one_line(reason).rstrip('.')})"
    return ""


def distrust(connection: sqlite3.Connection) -> None:
    """Takes back what a session from elsewhere may not decide here.

    Its model is a name until a person confirms it, and that model's own code may not run; what
    waits is never done; files that lay on another machine are forgotten.

    Args:
        connection: to a database whose values were checked.
    """
    row = connection.execute("SELECT value FROM settings WHERE name = 'model'").fetchone()
    model = ModelChoice.from_dict(json.loads(row["value"]) if row is not None else {})
    _set(connection, "model", replace(model, trust_remote_code=False).as_dict())
    _set(connection, FOREIGN_MODEL, not model.is_builtin)
    for name, kind in TOLERATED.items():
        _forget_unreadable(connection, name, kind)
    connection.execute("DELETE FROM uploads")
    connection.execute("UPDATE imports SET path = ''")


def _set(connection: sqlite3.Connection, name: str, value: Any) -> None:
    connection.execute(
        "INSERT INTO settings (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, to_json(value)),
    )


def _forget_unreadable(connection: sqlite3.Connection, name: str, kind: Any) -> None:
    row = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    try:
        if row is not None:
            require_plain(json.loads(row["value"]))
            from_text(kind, row["value"])
    except WRONG:
        connection.execute("DELETE FROM settings WHERE name = ?", (name,))
