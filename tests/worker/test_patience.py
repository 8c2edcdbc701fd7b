"""How a job ended is kept as soon as the disk takes it."""

import pytest

from workbench.errors import StorageError
from workbench.worker import patience


def test_a_write_is_tried_until_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "TRY_EVERY", 0.0)
    tries = iter([StorageError("full"), StorageError("full"), None])

    def write() -> str:
        trouble = next(tries)
        if trouble is not None:
            raise trouble
        return "kept"

    assert patience.when_possible(write) == "kept"
    with pytest.raises(StopIteration):
        next(tries)
