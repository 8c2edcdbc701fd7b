"""A session in which every table has rows, for tests that spoil one of them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from workbench.facts import Fact, Question, parse_facts
from workbench.facts.guess import ColumnGuess
from workbench.model.inside_record import Curve, Inside, ShownText, ShownToken, Word
from workbench.search.ripple_result import Moved, Ripple
from workbench.store import Library, Store
from workbench.store.probes import Answered
from workbench.store.requests import LookRequest
from workbench.store.talks import BASE
from workbench.work.records import as_data

OLD = Path(__file__).parents[1] / "old" / "0.1.0" / "session.zip"


def rich_session(root: Path) -> Path:
    """The folder of such a session; it names files of this machine, as one from here does."""
    store = Library(root).bring_in(OLD)
    taken = store.facts.page(0, 1)[0].fact.prompt
    text = f"prompt,target_new\n{taken},Oslo\nA new one is,one\nA new one is,two\n,nothing\n"
    brought = store.imports.keep(parse_facts(text, "more.csv"), "more.csv", path="/etc/passwd")
    first = store.imports.conflicts.open(brought)[0]
    store.imports.conflicts.choose(first.id, 1)
    kept = (Question("Oslo lies in", "Norway"), Question("Rome lies in"))
    store.facts.add([Fact("A last one is", "b", wordings=("a",), keep_prompts=kept)], "typed")
    guess = ColumnGuess("csv", False, ("a", "b"), {"prompt": "a"}, (("x", "y"),))
    store.uploads.add("waiting.csv", "/etc/shadow", guess)
    talk = store.talks.begin("builtin", chat=True, system="Be kind.", runs=[1]).id
    turn = store.talks.say(talk, "Hello")
    store.talks.set_answer(turn, BASE, Answered("Hi"))
    store.talks.set_partial(turn, "1", "He")
    _look(store)
    store.close()
    return store.folder


def _look(store: Store) -> None:
    """What was seen inside the model, beside a run, and in a first batch."""
    text = ShownText("raw", (ShownToken("Oslo", 3, in_loss=True),))
    curve = Curve("Oslo", "new answer", (0.1, 0.2), (0.1, 0.9))
    at = ("2.mlp.down_proj",)
    inside = Inside("It is", "raw", 1, at, (curve,), (Word("It", 1.0, -1.0),), (text,))
    ripple = Ripple(1, (Moved("Rome is", "other", 0.1, "big", "small"),))
    batch = {"texts": as_data((text,)), "prompts": ["It is"], "of": 3, "how": "LocFT-BF"}
    store.settings.set("shown_run", 1)
    store.look_inside(LookRequest("It is", "Oslo"))
    store.ripple(1)
    store.show_first_batch()
    for job, found in zip(store.jobs.open_jobs(), (inside, ripple, batch), strict=True):
        assert store.jobs.claim(job.id, "test")
        store.jobs.finish(job.id, "done", found if isinstance(found, dict) else as_data(found))


def copied(database: Path, target: Path) -> Path:
    """A copy of a database, with what is still in its log."""
    with closing(sqlite3.connect(database)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    return target


def rows_of(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(database)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        ).fetchall()
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names}
