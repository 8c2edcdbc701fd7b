"""Sessions for a program without a page: with a worker of its own, or with another workbench's.

Where a workbench is open on the same sessions, its worker does what is asked for, and its page
shows it. Where none is, one is started here, which ends with this process.
"""

import threading
import time
from pathlib import Path
from typing import Self

from workbench.store.library import Library
from workbench.store.lock import LOCK_NAME, FolderLock, FolderTaken
from workbench.worker.supervisor import Supervisor

__all__ = ["Owner"]

LOOK_EVERY = 2.0  # seconds between two looks whether the other workbench is still there


class Owner:
    """A folder of sessions whose queues are worked on, for the length of a block.

    Args:
        root: the folder.

    Raises:
        SessionError: it cannot be used.
    """

    def __init__(self, root: Path) -> None:
        self.library = Library(root)
        self._lock: FolderLock | None = None
        self._supervisor: Supervisor | None = None
        self._looked = 0.0
        self._seeing = threading.Lock()

    def __enter__(self) -> Self:
        self.see_to_it()
        return self

    def __exit__(self, *_: object) -> None:
        if self._supervisor is not None:
            self._supervisor.stop()
        if self._lock is not None:
            self._lock.release()

    @property
    def is_alone(self) -> bool:
        """Whether the worker is this process's own."""
        return self._supervisor is not None

    def see_to_it(self) -> None:
        """Starts a worker where no workbench has the folder any more; cheap to ask often."""
        with self._seeing:
            now = time.monotonic()
            if self._supervisor is not None or (self._looked and now - self._looked < LOOK_EVERY):
                return
            self._looked = now
            try:
                self._lock = FolderLock(self.library.root / LOCK_NAME)
            except FolderTaken:
                return
            self.library.tidy()
            self._supervisor = Supervisor(self.library)
            self._supervisor.start()
