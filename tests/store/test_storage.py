"""A disk that takes no more: said in words, and nothing is written by halves."""

import errno
import os
from pathlib import Path

import pytest

from workbench.errors import PatchError, SessionError, StorageError
from workbench.facts import Fact
from workbench.store import Library, Store
from workbench.store.lock import FolderLock
from workbench.store.storage import storage_error


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Library(tmp_path).create("test")


def limit(store: Store, pages: int) -> None:
    """Lets the database grow by so many pages; SQLite then says that the disk is full."""
    used = store._database.number("PRAGMA page_count")
    store._database.number(f"PRAGMA max_page_count = {used + pages}")


def test_a_full_disk_is_said_and_nothing_is_there_in_part(store: Store) -> None:
    store.facts.add([Fact("One is", "1")], "typed")
    limit(store, 2)
    many = [Fact(f"The number {n} is", "x" * 200) for n in range(2000)]
    with pytest.raises(StorageError, match=r"The disk with '.*' is full. Free some space"):
        store.facts.add(many, "file")
    assert store.facts.count() == 1
    limit(store, 10_000)
    store.facts.add(many, "file")
    assert store.facts.count() == 2001


def test_a_single_write_says_it_too(store: Store) -> None:
    limit(store, 1)
    with pytest.raises(StorageError, match="is full"):
        store.settings.set("name", "x" * 100_000)


def test_a_database_that_is_read_only_is_said(store: Store) -> None:
    store._database.number("PRAGMA query_only = ON")
    with pytest.raises(StorageError, match="is read-only"):
        store.settings.set("name", "other")


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "is full"), (errno.EROFS, "is read-only"), (errno.EIO, "cannot be written")],
)
def test_the_systems_errors_are_known_by_number_and_by_text(
    number: int, words: str, tmp_path: Path
) -> None:
    raised = OSError(number, os.strerror(number))
    by_text = PatchError(f"Error while serializing: {os.strerror(number)} (os error {number})")
    for error in (raised, by_text):
        found = storage_error(error, tmp_path)
        assert found is not None and words in str(found) and str(tmp_path) in str(found)
    caused = PatchError("The patch cannot be saved.")
    caused.__cause__ = raised
    assert words in str(storage_error(caused, tmp_path))


def test_a_folder_that_cannot_hold_the_lock_is_said(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match=r"cannot be written: .* Choose another with --sessions"):
        FolderLock(tmp_path / "missing" / "worker.lock")


def test_what_has_nothing_to_do_with_the_disk_is_left_alone(tmp_path: Path) -> None:
    assert storage_error(ValueError("full"), tmp_path) is None
    assert storage_error(FileNotFoundError(errno.ENOENT, "no such file"), tmp_path) is None


def test_a_disk_without_room_is_said_to_every_page(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(tmp_path)
    before = library.version()
    assert library.trouble == ""
    monkeypatch.setattr("workbench.store.storage.LEAST_ROOM", 1 << 62)
    assert "is full" in library.trouble and str(tmp_path) in library.trouble
    assert library.version() != before
