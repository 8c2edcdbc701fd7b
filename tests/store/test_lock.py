"""The lock of a sessions folder and the note beside it."""

from pathlib import Path

import pytest

from workbench.store.lock import FolderLock, FolderTaken, holder
from workbench.store.status import STATUS_NAME
from workbench.worker.process import LOCK_NAME


def test_the_note_of_a_lock_leaves_the_workers_status_alone(tmp_path: Path) -> None:
    (tmp_path / STATUS_NAME).write_text("the worker's")
    lock = FolderLock(tmp_path / LOCK_NAME)
    with pytest.raises(FolderTaken):
        FolderLock(tmp_path / LOCK_NAME)
    assert "started at" in holder(tmp_path / LOCK_NAME)
    assert (tmp_path / STATUS_NAME).read_text() == "the worker's"
    lock.release()
