"""The patches of finished runs, the last few of them kept in the worker's memory.

Imports the engine, so only the worker's process may import this module.
"""

from collections import OrderedDict
from pathlib import Path

from workbench.errors import SessionError
from workbench.model.patch import Patch
from workbench.store.store import Store

__all__ = ["Patches"]

MOST_KEPT = 4


class Patches:
    """Patches by run; switching between those used last reads no file."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, Patch] = OrderedDict()

    def of(self, store: Store, run: int) -> Patch:
        """The patch of a finished run.

        Raises:
            SessionError: the run is not done, or not there.
            PatchError: its file is damaged.
        """
        if store.runs.get(run).state != "done":
            raise SessionError(f"Run {run} has no patch yet. Let it finish first.")
        folder = store.runs.patch_folder(run)
        if folder not in self._kept:
            self.keep(store, run, Patch.load(folder))
        self._kept.move_to_end(folder)
        return self._kept[folder]

    def keep(self, store: Store, run: int, patch: Patch) -> None:
        """Keeps the patch of a run that was just made."""
        self._kept[store.runs.patch_folder(run)] = patch
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
