"""Writes that wait for a disk that takes no more for now.

How a job ended has to be kept, else it would stay open and hold up the queue; so its process tries
again until there is room. Meanwhile nothing else could be kept either.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from workbench.errors import StorageError

__all__ = ["when_possible"]

TRY_EVERY = 1.0  # seconds

Result = TypeVar("Result")


def when_possible(write: Callable[[], Result]) -> Result:
    """Writes as soon as the disk takes it.

    Args:
        write: does nothing by halves, so that it can be tried again.

    Returns:
        What it returns.
    """
    while True:
        try:
            return write()
        except StorageError:
            time.sleep(TRY_EVERY)
