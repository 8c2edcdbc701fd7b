"""What the next run and the next scan take, measured by the worker while nothing waits.

A run's estimate is kept in the session with what it was made for, so that the page shows it only
while that holds; a scan's is a pace of this machine, where none was scanned yet.
Imports the engine, so only the worker's process may import this module.
"""

import contextlib
import time

from workbench.errors import WorkbenchError
from workbench.methods.estimate import estimate
from workbench.methods.estimate_record import RunEstimate
from workbench.model.language_model import LanguageModel
from workbench.search.scan_time import scan_seconds
from workbench.store.amounts import amount_of
from workbench.store.paces import Paces
from workbench.store.requests import ScanRequest
from workbench.store.store import Store
from workbench.work.stop import Stop

__all__ = ["estimate_next_run", "estimate_next_scan"]


def estimate_next_run(store: Store, model: LanguageModel, stop: Stop) -> None:
    """Measures a few steps of what Start would do now, unless that is known.

    Args:
        store: the session.
        model: its model.
        stop: asked between steps; the work is given up when somebody waits.
    """
    about = store.estimate_key()
    if about is None or store.estimate() is not None:
        return
    try:
        facts = [row.fact for row in store.facts.enabled()]
        method = store.settings.method.key
        settings = store.settings.of("edit", method)
        found = estimate(model, facts, settings, method=method, stop=stop)
        if found is None:
            return
        kept = RunEstimate(about, found.plan, found.seconds, found.measured, "", found.left_out)
    except WorkbenchError as error:
        kept = RunEstimate(about, error=str(error))
    store.keep_estimate(kept)


def estimate_next_scan(store: Store, model: LanguageModel, stop: Stop) -> None:
    """Measures a few passes of what a scan would do now, unless something like it was measured.

    Args:
        store: the session.
        model: its model.
        stop: asked between passes; the work is given up when somebody waits.
    """
    request = ScanRequest(store.settings.of("scan"))
    paces = Paces(store.folder.parent, store.settings)
    amount, summary = amount_of(store, request), store.settings.summary
    if (
        amount is None
        or summary is None
        or summary.placement  # a pass that reads layers takes longer than anybody may wait
        or not store.facts.count(enabled=True)
        or paces.seconds(amount) is not None
        or stop.asked
    ):
        return
    with contextlib.suppress(WorkbenchError):
        facts = [row.fact for row in store.facts.enabled()]
        seconds = scan_seconds(model, facts, request.settings, stop)
        if seconds is None:
            return
        paces.keep(amount, seconds)
        # The page looks again, and so does the worker: never where nothing could be kept.
        if paces.seconds(amount) is not None:
            store.settings.set("paced", time.time())
