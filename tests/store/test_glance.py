"""A glance at files: it never misses a change, and asks seldom when there is none."""

from pathlib import Path

import pytest

from workbench.store import Library, glance
from workbench.store.glance import Glance, session_marks


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(glance, "time", clock)
    return clock


def test_what_looks_the_same_is_asked_until_it_is_settled(clock: Clock) -> None:
    eye = Glance()
    assert eye.differs("a")
    clock.now += 1
    # A second change within one tick of a file system's clock looks like the first.
    assert eye.differs("a")
    clock.now += glance.SETTLE
    assert not eye.differs("a")
    assert eye.differs("b")


def test_it_is_worth_asking_now_and_then_anyway(clock: Clock) -> None:
    eye = Glance()
    asked = 0
    for _ in range(600):
        clock.now += 0.1
        asked += eye.differs("a")
    settling = glance.SETTLE / 0.1
    assert settling + 4 <= asked <= settling + 8


def test_sessions_look_different_after_any_change(tmp_path: Path) -> None:
    library = Library(tmp_path)
    one, other = library.create("one"), library.create("other")
    (tmp_path / "worker.json").write_text("{}")
    before = session_marks(tmp_path)
    assert set(before) == {one.id, other.id}
    assert session_marks(tmp_path) == before
    one.settings.set("any", "x" * 5000)
    now = session_marks(tmp_path)
    assert now[one.id] != before[one.id]
    assert now[other.id] == before[other.id]
    library.discard(one.id)
    assert set(session_marks(tmp_path)) == {other.id}


def test_a_folder_that_is_not_there_has_no_sessions(tmp_path: Path) -> None:
    assert session_marks(tmp_path / "none") == {}
    (tmp_path / "file").touch()
    assert session_marks(tmp_path / "file") == {}
