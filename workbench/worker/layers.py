"""Scans and sweeps, as the worker does them: results are kept in the session as they come.

Imports the engine, so only the worker's process may import this module.
"""

from typing import Any

from workbench.errors import SessionError
from workbench.facts import Fact
from workbench.model.language_model import LanguageModel
from workbench.search import sweep_events as events
from workbench.search.scan import scan
from workbench.search.score import ScoreWeights
from workbench.search.sweep import Sweep
from workbench.search.sweep_settings import SweepSettings
from workbench.worker.task import Cancelled, Countdown, Task

__all__ = ["scan_layers", "sweep_layers"]


def scan_layers(task: Task, model: LanguageModel) -> dict[str, Any]:
    """Scans every matrix with the session's enabled facts.

    Returns:
        The number of the scan.

    Raises:
        Cancelled: the person asked for the end.
        WorkbenchError: it cannot be done; the message says why.
    """
    facts = _facts(task)
    settings = SweepSettings.from_dict(task.job.params.get("settings", {}))
    countdown = Countdown()

    def on_progress(done: int, total: int) -> None:
        task.check()
        share = done / total
        task.report(f"text {done} of {total}{countdown.left(share)}", share)

    task.report("Scanning every matrix", now=True)
    found = scan(model, facts, sample=settings.sample, seed=settings.seed, on_progress=on_progress)
    return {"scan": task.store.profiles.add_scan(model.name, found.as_dict())}


def sweep_layers(task: Task, model: LanguageModel) -> dict[str, Any]:
    """Tries locations with the session's enabled facts; what is known already is not repeated.

    Returns:
        The number of the sweep.

    Raises:
        Cancelled: the person asked for the end; the rows so far are kept.
        WorkbenchError: it cannot be done; the message says why.
    """
    facts, kept = _facts(task), task.store.profiles
    settings = SweepSettings.from_dict(task.job.params.get("settings", {}))
    weights = ScoreWeights(*task.job.params.get("weights", ()))
    task.report("Drawing the sample", now=True)
    sweep = Sweep(model, facts, settings, weights=weights)
    identity = sweep.identity()
    known = kept.known_rows(identity)
    if known:
        sweep = Sweep(model, facts, settings, weights=weights, done=known)
    number, countdown = 0, Countdown()
    for event in sweep.events():
        if isinstance(event, events.SweepStarted):
            rows = sweep.rows
            number = kept.begin_sweep(task.job.id, model.name, settings, identity, event, rows)
        elif isinstance(event, events.SweepProgress):
            left = countdown.left(event.share)
            task.report(f"{event.at}, {event.number} of {event.trials}{left}", event.share)
        elif isinstance(event, events.LocationDone):
            kept.add_row(number, event)
        elif isinstance(event, events.SweepFinished):
            kept.end_sweep(number, "done")
        else:
            kept.end_sweep(number, "stopped")
            raise Cancelled
        if task.cancelled:
            sweep.stop()
    return {"sweep": number}


def _facts(task: Task) -> list[Fact]:
    rows = task.store.facts.enabled()
    if not rows:
        raise SessionError("No fact is ticked. Tick at least one on the Facts tab.")
    return [row.fact for row in rows]
