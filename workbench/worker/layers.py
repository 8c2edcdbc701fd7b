"""Scans and sweeps, as the worker does them: results are kept in the session as they come.

Imports the engine, so only the worker's process may import this module.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workbench.model.language_model import LanguageModel
from workbench.search.scan import scanning
from workbench.search.sweep_events import (
    LocationDone,
    SweepFinished,
    SweepStarted,
    SweepStopped,
)
from workbench.search.sweeping import sweeping
from workbench.store.requests import ScanRequest, SweepRequest
from workbench.work.events import Event
from workbench.worker.task import Cancelled, Task

__all__ = ["scan_layers", "sweep_layers"]


def scan_layers(task: Task, model: LanguageModel) -> dict[str, Any]:
    """Scans every matrix with the session's enabled facts.

    Returns:
        The number of the scan.

    Raises:
        Cancelled: the person asked for the end.
        WorkbenchError: it cannot be done; the message says why.
    """
    facts = [row.fact for row in task.facts()]
    settings = task.request(ScanRequest).settings
    task.begin("Scanning every matrix")
    found = task.follow(scanning(model, facts, settings, stop=task.stop))
    return {"scan": task.store.profiles.add_scan(model.name, found)}


def sweep_layers(task: Task, model: LanguageModel) -> dict[str, Any]:
    """Tries locations with the session's enabled facts; what is known already is not repeated.

    Returns:
        The number of the sweep.

    Raises:
        Cancelled: the person asked for the end; the rows so far are kept.
        WorkbenchError: it cannot be done; the message says why.
    """
    facts, asked = [row.fact for row in task.facts()], task.request(SweepRequest)
    settings = replace(asked.settings, weights=asked.weights or asked.settings.weights)
    task.begin("Drawing the sample")
    keeper = _SweepKeeper(task, model.name, replace(asked.settings, weights=settings.weights))
    work = sweeping(model, facts, settings, keeper=keeper, stop=task.stop)
    result = task.follow(work, keeper.take)
    if not result.finished:
        raise Cancelled
    return {"sweep": keeper.number}


class _SweepKeeper:
    """Keeps a sweep in the session: its plan, then row by row."""

    def __init__(self, task: Task, model: str, settings: Any) -> None:
        self.number = 0
        self._task, self._model, self._settings = task, model, settings
        self._identity: dict[str, Any] = {}
        self._known: Sequence[Event] = ()

    def recall(self, identity: dict[str, Any]) -> Sequence[Event]:
        """Rows of earlier sweeps of just this kind."""
        return self._task.store.profiles.known_rows(identity)

    def begin(self, identity: dict[str, Any], known: Sequence[Event]) -> None:
        """Notes whose sweep it is; it stands in the session once its plan is told."""
        self._identity, self._known = identity, known
        self._task.goes_on = bool(known)

    def take(self, event: Event) -> None:
        """Keeps the plan, each row, and the end."""
        kept = self._task.store.profiles
        if isinstance(event, SweepStarted):
            rows = [row for row in self._known if isinstance(row, LocationDone)]
            self.number = kept.begin_sweep(
                self._task.job.id, self._model, self._settings, self._identity, event, rows
            )
        elif isinstance(event, LocationDone):
            kept.add_row(self.number, event)
        elif isinstance(event, SweepFinished):
            kept.end_sweep(self.number, "done")
        elif isinstance(event, SweepStopped):
            kept.end_sweep(self.number, "stopped")
