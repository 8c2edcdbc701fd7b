"""Which of several processes keeps a run of which one is gone."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.cli import sharing
from workbench.cli.sharing import claiming
from workbench.model.ranks import Ranks


def claimed(checkpoint: Path, *numbers: int) -> list[bool]:
    """Which of some processes may keep the run, each asking at the same time."""

    def ask(number: int) -> bool:
        with claiming(Ranks(number, 4), checkpoint) as is_mine:
            return is_mine

    with ThreadPoolExecutor(len(numbers)) as pool:
        return list(pool.map(ask, numbers))


@pytest.mark.parametrize("left", [False, True])
def test_one_process_keeps_the_run_whatever_a_killed_one_left(
    left: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "HEAD_START", 0.3)
    checkpoint = tmp_path / "run.pt"
    if left:
        claim = tmp_path / "run.pt.claim"
        claim.touch()
        os.utime(claim, (sharing.STARTED - 60,) * 2)
    assert claimed(checkpoint, 0, 1, 2) == [True, False, False]
    assert claimed(checkpoint, 2, 3).count(True) == 1
    assert list(tmp_path.iterdir()) == []
