"""Work in a thread of its own: a browser's test may have an event loop in the one of the tests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["apart"]

Made = TypeVar("Made")


def apart(work: Callable[[], Made]) -> Made:
    """What some work gives, or raises, that may run an event loop.

    Args:
        work: called without anything.
    """
    with ThreadPoolExecutor(1) as other:
        return other.submit(work).result()
