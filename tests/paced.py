"""A session for tests of what work takes: its model is told of, and times are kept beside it."""

from pathlib import Path

from tests.summary import SUMMARY
from workbench.facts import Fact
from workbench.store import Store

__all__ = ["countries", "paced_session"]


def paced_session(root: Path) -> Store:
    """A session in a folder of its own.

    Args:
        root: where its folder and the times are.
    """
    folder = root / "session"
    folder.mkdir()
    store = Store(folder)
    store.settings.keep_summary(SUMMARY)
    return store


def countries(number: int) -> list[Fact]:
    """So many facts of one length."""
    return [Fact(f"The capital of country {n} is", "Rome") for n in range(number)]
