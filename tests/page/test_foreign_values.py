"""What is accepted of a session from elsewhere can be drawn, whatever was changed in it."""

import json
import logging
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.page.test_form import made
from tests.store.rich import copied, rich_session, rows_of
from workbench.errors import SessionError
from workbench.page.app import build
from workbench.store import Library
from workbench.store.archive import pack, unpack
from workbench.store.store import DATABASE_NAME

MUTANTS = 60
DEEP = "[" * 2_000 + "]" * 2_000
CELLS: tuple[Any, ...] = (
    None, -1, 2**60, 0.5, float("inf"), "", "x", "9", b"\x00\xff", "null", "[]", "{}", "[[]]",
    '{"a": 1}', "NaN", '"\\ud800"', DEEP, "<img src=x onerror=alert(1)>", "../../etc/passwd",
    "http://example.org", "Infinity", "y" * 2_000_000,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 3, 0.5, float("nan"), float("inf"), "", "x", "<b>", [], {}, [1], {"a": 1},
    10**20,
)  # fmt: skip

Draw = Callable[[str], list[str]]


@pytest.fixture
def drawn(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Draw:
    """Draws the whole page of a session, without a browser; returns what could not be drawn."""
    blocks = made(lambda: build(Library(tmp_path / "sessions")))
    (draw,) = [found for found in blocks.fns.values() if found.name == "draw"]

    def drawn(session: str) -> list[str]:
        values = [getattr(place, "value", None) for place in draw.inputs[2:]]
        given = [value() if callable(value) else value for value in values]
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            draw.fn(session, "", *("" if value is None else value for value in given))
        return [record.getMessage() for record in caplog.records]

    return drawn


def spoil_value(text: str, dice: random.Random) -> str:
    """JSON with another value somewhere inside, or a name that is gone."""
    data = json.loads(text)
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, entry in list(inner):
            places.append((value, key))
            if isinstance(entry, dict | list):
                walk(entry)

    walk(data)
    holder, key = dice.choice(places)
    if dice.randrange(3) == 0:
        del holder[key]
    else:
        holder[key] = dice.choice(VALUES)
    return json.dumps(data)


def spoil(database: Path, table: str, place: int, dice: random.Random) -> None:
    """Puts something else into a column: any value, or JSON that is a little off."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        if place >= len(columns):
            return  # it follows from the others
        column = columns[place]
        old = dice.choice(connection.execute(f"SELECT {column} FROM {table}").fetchall())[0]
        value = dice.choice(CELLS)
        if isinstance(old, str) and old[:1] in ("{", "[") and old not in ("{}", "[]"):
            value = spoil_value(old, dice)
        statement = f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {column} IS ?"
        try:
            connection.execute(statement, (value, old))
        except sqlite3.DatabaseError:
            return  # not even SQLite keeps it


def test_jobs_that_are_not_there_or_did_something_else_are_as_if_never_asked_for(
    tmp_path: Path, drawn: Draw
) -> None:
    store = Library(tmp_path / "sessions").open(rich_session(tmp_path / "sessions").name)
    assert drawn(store.id) == []
    kept = store.settings.get("look_job")
    for number in (kept + 1, kept + 99):
        store.settings.set("look_job", number)
        store.settings.set("batch_job", number + 1)
        store.settings.set("ripple_jobs", {"1": number + 2})
        assert drawn(store.id) == []


def test_colours_pins_axes_and_wordings_that_no_page_would_keep_are_drawn(
    tmp_path: Path, drawn: Draw
) -> None:
    store = Library(tmp_path / "rich").open(rich_session(tmp_path / "rich").name)
    run, evil = store.runs.all()[0].id, "set.<a href='https://example.org'>"
    for name, value in {
        "run_colours": {str(run): 2**50, "99": -1},
        "pinned_runs": [run, run, -1, 99],
        "scatter_axes": {"x": evil, "y": "after.reliability_strict", evil: evil},
        "rephrased": [{"fact": -1, "prompt": evil, "said": "", "wordings": [{"text": evil}]}] * 2,
    }.items():
        store.settings.set(name, value)
    store.close()
    pack(store.folder, tmp_path / "session.zip")
    unpack(tmp_path / "session.zip", tmp_path / "sessions" / "taken")
    assert drawn("taken") == []


@pytest.mark.slow
def test_whatever_stands_in_a_cell_is_refused_in_one_line_or_drawn(
    tmp_path: Path, drawn: Draw
) -> None:
    original = rich_session(tmp_path / "rich") / DATABASE_NAME
    cells = [(name, n) for name, rows in rows_of(original).items() for n in range(len(rows[0]))]
    dice, refused = random.Random(7), 0
    for number in range(MUTANTS):
        own = tmp_path / f"own {number}"
        own.mkdir()
        table, place = dice.choice(cells)
        spoil(copied(original, own / DATABASE_NAME), table, place, dice)
        pack(own, tmp_path / "session.zip")
        target = tmp_path / "sessions" / f"taken-{number}"
        try:
            unpack(tmp_path / "session.zip", target)
        except SessionError as error:
            refused += 1
            assert str(error).isprintable() and len(str(error)) < 700
            assert not target.exists()
        else:
            assert drawn(target.name) == [], (number, table, place)
            shutil.rmtree(target)
    assert MUTANTS / 3 < refused < MUTANTS
