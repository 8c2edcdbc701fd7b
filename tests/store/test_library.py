"""The folder of sessions: whole or not there, and left alone where another workbench has it."""

import hashlib
from pathlib import Path

import pytest

from workbench.errors import SessionError
from workbench.facts import Fact
from workbench.methods.locft_settings import EditSettings
from workbench.model.choice import ModelChoice
from workbench.store import Library, Store
from workbench.store.lock import FolderLock, holder

CLOSED = "Another workbench has these sessions."


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "sessions")


def contents(folder: Path) -> dict[str, str]:
    """Every file with its content; what SQLite keeps beside an open database aside."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".db-shm"
    }


def test_the_version_follows_names_and_the_trash(library: Library) -> None:
    store = library.create("One")
    seen = [library.version()]
    store.settings.set("name", "Two")
    seen.append(library.version())
    other = library.create("Three")
    seen.append(library.version())
    library.discard(other.id)
    seen.append(library.version())
    library.restore(other.id)
    assert len(set(seen)) == 4
    assert library.version() == seen[2] == Library(library.root).version()


def test_a_session_deleted_by_another_process_is_gone_here_too(library: Library) -> None:
    store = library.create("One")
    other = Library(library.root)
    assert other.open(store.id).settings.name == "One"
    library.discard(store.id)
    with pytest.raises(SessionError, match="not there any more"):
        other.open(store.id)
    library.restore(store.id)
    assert other.open(store.id).settings.name == "One"


@pytest.mark.parametrize("name", ["", ".", "..", ".trash", "a/b", "../x", "/etc", "a\0b"])
def test_only_names_of_sessions_are_opened(library: Library, name: str) -> None:
    with pytest.raises(SessionError, match="not there"):
        library.open(name)


def test_a_closed_library_shows_and_changes_nothing(library: Library) -> None:
    store = library.create("One", samples=True)
    library.discard(library.create("Gone").id)
    before = contents(library.root)
    closed = Library(library.root, CLOSED)
    shown = closed.latest()
    assert (shown.settings.name, shown.facts.count()) == ("One", 20)
    assert [entry.name for entry in closed.discarded()] == ["Gone"]
    gone = closed.discarded()[0].id
    for change in (
        lambda: closed.create("Two"),
        lambda: closed.duplicate(store.id),
        lambda: closed.bring_in(Path("x.zip")),
        lambda: closed.discard(store.id),
        lambda: closed.restore(gone),
        lambda: closed.empty_trash(),
        lambda: shown.settings.set("name", "Mine"),
        lambda: shown.facts.add([Fact("A is", "B")], "typed"),
        lambda: shown.jobs.submit("load"),
        lambda: shown.ask("A is"),
    ):
        with pytest.raises(SessionError, match=CLOSED):
            change()
    closed.enter(store.id)
    with closed.packed(store.id) as file:
        assert file.stat().st_size > 1000
        assert library.root not in file.parents
    assert contents(library.root) == before


def test_a_closed_library_follows_what_the_other_does(library: Library) -> None:
    store = library.create("One")
    shown = Library(library.root, CLOSED).open(store.id)
    before = shown.version("facts")
    store.facts.add([Fact("A is", "B")], "typed")
    assert shown.version("facts") != before
    assert shown.facts.count() == 1


def test_a_closed_library_without_sessions_makes_none(tmp_path: Path) -> None:
    closed = Library(tmp_path / "none", CLOSED)
    with pytest.raises(SessionError, match=CLOSED):
        closed.latest()
    assert not (tmp_path / "none").exists()


def test_a_session_of_another_format_is_not_brought_up_to_date_by_a_closed_library(
    library: Library,
) -> None:
    store: Store = library.create("One")
    store._database.write("PRAGMA user_version = 1")
    closed = Library(library.root, CLOSED)
    assert closed.sessions() == []
    assert store._database.number("PRAGMA user_version") == 1


def test_the_note_of_a_lock_says_since_when(tmp_path: Path) -> None:
    assert "started" not in holder(tmp_path / "a.lock")
    lock = FolderLock(tmp_path / "a.lock")
    assert ", started at " in holder(tmp_path / "a.lock")
    lock.release()


def test_models_used_in_any_session_are_remembered_once(library: Library) -> None:
    first, second = library.create("One"), library.create("Two")
    for name in ("/models/a", "/models/b", "/models/a"):
        first.settings.choose_model(ModelChoice(name))
    first.settings.choose_model(ModelChoice())
    job = second.jobs.submit("edit")
    second.runs.begin(job, "/models/c", EditSettings(at=("1.mlp.down_proj",)), [])
    assert sorted(library.models_used()) == ["/models/a", "/models/b", "/models/c", "builtin"]
    assert first.settings.models_used == ["builtin", "/models/a", "/models/b"]
