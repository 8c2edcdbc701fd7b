"""What one process serves: the base, and edits of it, by the names under which clients ask.

Edits are switched within the one model in memory. Runs of a session are looked up whenever they
are asked for, so that a run that ends while the server works is there.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from workbench.errors import SessionError
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.store.store import Store
from workbench.worker.patches import Patches

__all__ = ["BASE", "Served", "Shelf"]

BASE = "base"
"""A name of the base that never changes."""


@dataclass(frozen=True, slots=True)
class Served:
    """One model of the endpoint.

    Args:
        name: by which clients ask for it.
        created: seconds since the epoch.
        of: the base that it is an edit of; empty for the base.
    """

    name: str
    created: int
    of: str = ""


class Shelf:
    """The models of one endpoint.

    Args:
        model: the base.
        patches: edits by name.
        store: a session whose finished runs are served, too; None for none.
        created: when the server began, in seconds since the epoch.
    """

    def __init__(
        self,
        model: LanguageModel,
        patches: Mapping[str, Patch],
        store: Store | None = None,
        created: int = 0,
    ) -> None:
        self.model = model
        self._named, self._store, self._created = dict(patches), store, created
        self._patches = Patches()

    def served(self) -> list[Served]:
        """All models, the base first."""
        base = self.model.name
        found = [Served(base, self._created)]
        found += [Served(name, self._created, base) for name in self._named]
        found += [Served(name, created, base) for name, (_, created) in self._runs().items()]
        return found

    def find(self, name: str) -> Served | None:
        """The model of a name; None where there is none."""
        name = self.model.name if name == BASE else name
        return next((served for served in self.served() if served.name == name), None)

    def _runs(self) -> dict[str, tuple[int, int]]:
        """The session's finished runs of this base, by name: number and end."""
        if self._store is None:
            return {}
        return {
            f"run-{run.id}": (run.id, int(run.ended or run.created))
            for run in sorted(self._store.runs.all(), key=lambda run: run.id)
            if run.state == "done" and run.model == self.model.name
        }

    @contextmanager
    def applied(self, name: str) -> Iterator[None]:
        """The model as it is under a name, for the length of a block.

        Raises:
            SessionError: there is none.
            PatchError: its patch is damaged, or is of another base.
        """
        if name == self.model.name:
            yield
            return
        with self._patch(name).applied(self.model):
            yield

    def _patch(self, name: str) -> Patch:
        if name in self._named:
            return self._named[name]
        run = self._runs().get(name)
        if run is None or self._store is None:
            raise SessionError(f"There is no model '{name}' any more.")
        return self._patches.of(self._store, run[0])
