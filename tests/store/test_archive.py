"""Sessions as zips, copies and in the trash: nothing lost, and nothing foreign let in."""

import sqlite3
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.umask import permissions, under
from workbench.errors import SessionError
from workbench.model.choice import ModelChoice
from workbench.store.archive import MANIFEST_NAME, pack, unpack
from workbench.store.library import Library
from workbench.store.store import DATABASE_NAME, Store
from workbench.worker.kept_facts import keep_facts


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "sessions")


@pytest.fixture
def store(library: Library) -> Store:
    found = library.latest()
    patch = found.folder / "runs" / "1" / "patch" / "patch.safetensors"
    patch.parent.mkdir(parents=True)
    patch.write_bytes(b"weights")
    return found


@pytest.fixture
def packed(store: Store, tmp_path: Path) -> Path:
    pack(store.folder, tmp_path / "session.zip")
    return tmp_path / "session.zip"


def test_a_packed_session_is_the_same_elsewhere(store: Store, packed: Path, tmp_path: Path) -> None:
    elsewhere = Library(tmp_path / "elsewhere").bring_in(packed)
    assert elsewhere.settings.name == store.settings.name
    assert [row.fact for row in elsewhere.facts.enabled()] == [
        row.fact for row in store.facts.enabled()
    ]
    copied = elsewhere.folder / "runs" / "1" / "patch" / "patch.safetensors"
    assert copied.read_bytes() == b"weights"


@pytest.mark.parametrize("umask", [0o022, 0o077], ids=oct)  # SQLite never lets a group write
def test_whoever_may_read_new_files_may_read_a_session_its_zip_and_its_copy(
    tmp_path: Path, umask: int
) -> None:
    with under(umask):
        library = Library(tmp_path / "all" / "sessions")
        store = library.create("Mine", samples=True)
        keep_facts(store, 1, store.facts.enabled())
        pack(store.folder, tmp_path / "all" / "session.zip")
        library.bring_in(tmp_path / "all" / "session.zip")
        library.duplicate(store.id)
    assert permissions(tmp_path / "all", umask) == {}


def test_a_copy_lives_its_own_life(library: Library, store: Store) -> None:
    copy = library.duplicate(store.id)
    assert copy.settings.name == "First session (copy)"
    copy.settings.set("name", "Mine")
    assert store.settings.name == "First session"
    assert len(library.ids()) == 2


def test_jobs_that_wait_in_a_foreign_session_are_never_done(store: Store, tmp_path: Path) -> None:
    store.jobs.submit("export", {"run": 1, "folder": "/somewhere/else"})
    pack(store.folder, tmp_path / "session.zip")
    foreign = Library(tmp_path / "elsewhere").bring_in(tmp_path / "session.zip")
    assert foreign.jobs.open_jobs() == []
    assert len(store.jobs.open_jobs()) == 1


def test_a_session_from_elsewhere_does_not_let_its_models_code_run(
    library: Library, store: Store, tmp_path: Path
) -> None:
    trusted = ModelChoice("some/model", "cpu", "float16", trust_remote_code=True)
    store.settings.choose_model(trusted)
    pack(store.folder, tmp_path / "session.zip")
    foreign = Library(tmp_path / "elsewhere").bring_in(tmp_path / "session.zip")
    assert foreign.settings.model == replace(trusted, trust_remote_code=False)
    # A copy within one library comes from nowhere else.
    assert library.duplicate(store.id).settings.model == trusted


def test_a_discarded_session_comes_back_whole(library: Library, store: Store) -> None:
    facts = store.facts.count()
    library.discard(store.id)
    assert library.ids() == []
    assert [(entry.id, entry.name) for entry in library.discarded()] == [
        (store.id, "First session")
    ]
    assert library.restore(store.id).facts.count() == facts
    with pytest.raises(SessionError, match="not in the trash"):
        library.restore(store.id)


def test_a_session_in_which_something_waits_is_not_discarded(
    library: Library, store: Store
) -> None:
    job = store.jobs.submit("edit")
    with pytest.raises(SessionError, match="Cancel it first"):
        library.discard(store.id)
    assert library.ids() == [store.id]
    assert store.jobs.get(job).state == "queued"


def test_a_model_that_waits_to_be_loaded_does_not_hold_a_session_back(
    library: Library, store: Store
) -> None:
    store.jobs.submit("load")
    library.discard(store.id)
    assert library.restore(store.id).jobs.open_jobs() == []


def test_the_trash_names_the_session_deleted_last_first(library: Library, store: Store) -> None:
    other = library.create("Rivers <b>")
    library.discard(store.id)
    library.discard(other.id)
    assert [entry.name for entry in library.discarded()] == ["Rivers <b>", "First session"]
    library.empty_trash()
    assert library.discarded() == []
    with pytest.raises(SessionError, match="not in the trash"):
        library.restore(store.id)


def test_what_is_half_made_is_no_session_and_is_cleaned_up(library: Library, packed: Path) -> None:
    for name in (".20260101-00000000.part", ".copy-abc"):
        (library.root / name).mkdir()
        with zipfile.ZipFile(packed) as archive:
            archive.extract(DATABASE_NAME, library.root / name)
    kept = library.ids()
    assert len(kept) == 1
    library.tidy()
    assert sorted(path.name for path in library.root.iterdir()) == kept


def rewritten(packed: Path, change: Callable[[zipfile.ZipFile], None]) -> Path:
    """The zip with something done to it."""
    with zipfile.ZipFile(packed, "a") as archive:
        change(archive)
    return packed


def link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("runs/2/facts.jsonl")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


HOSTILE: dict[str, Callable[[zipfile.ZipFile], None]] = {
    "a way up": lambda archive: archive.writestr("runs/1/../../../evil", "x"),
    "a way up by name": lambda archive: archive.writestr("runs/1/..", "x"),
    "an absolute path": lambda archive: archive.writestr("/tmp/evil", "x"),
    "a backslash": lambda archive: archive.writestr("runs\\..\\evil", "x"),
    "a stranger": lambda archive: archive.writestr("autorun.py", "x"),
    "a link": link,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_zip_is_refused_and_leaves_nothing(
    packed: Path, tmp_path: Path, kind: str
) -> None:
    target = tmp_path / "new" / "session"
    target.parent.mkdir()
    with pytest.raises(SessionError, match="which no session has"):
        unpack(rewritten(packed, HOSTILE[kind]), target)
    assert list(target.parent.iterdir()) == []


def test_a_zip_that_unpacks_too_large_is_refused(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="at most"):
        unpack(packed, tmp_path / "new", largest=1000)


def test_a_foreign_database_is_refused(store: Store, packed: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    with zipfile.ZipFile(packed) as archive:
        foreign.write_bytes(archive.read(DATABASE_NAME))
        manifest = archive.read(MANIFEST_NAME)
    with sqlite3.connect(foreign) as connection:
        connection.execute(
            "CREATE TRIGGER surprise AFTER UPDATE ON jobs BEGIN DELETE FROM facts; END"
        )
    connection.close()
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(changed, "w") as archive:
        archive.writestr(MANIFEST_NAME, manifest)
        archive.write(foreign, DATABASE_NAME)
    with pytest.raises(SessionError, match="other tables"):
        unpack(changed, tmp_path / "new")
    with zipfile.ZipFile(changed, "w") as archive:
        archive.writestr(MANIFEST_NAME, manifest)
        archive.writestr(DATABASE_NAME, b"not a database at all" * 100)
    with pytest.raises(SessionError, match="damaged"):
        unpack(changed, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", '{"a": 1}'),
        ("name", "no json"),
        ("opened", '"soon"'),
        ("model", '{"path": "x"}'),
        ("model", '{"name": ["x"]}'),
        ("model", '{"name": null}'),
        ("model", '{"trust_remote_code": "yes"}'),
        ("model", "[]"),
        ("edit", '{"epochs": -1}'),
    ],
)
def test_settings_that_no_session_has_are_refused(
    store: Store, tmp_path: Path, name: str, value: str
) -> None:
    with sqlite3.connect(store.folder / DATABASE_NAME) as connection:
        connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))
    connection.close()
    pack(store.folder, tmp_path / "session.zip")
    with pytest.raises(SessionError, match="settings in this file"):
        unpack(tmp_path / "session.zip", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_is_no_zip_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(SessionError, match="not a zip"):
        unpack(tmp_path / "x.zip", tmp_path / "new")
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(SessionError, match="not a session"):
        unpack(tmp_path / "y.zip", tmp_path / "new")
