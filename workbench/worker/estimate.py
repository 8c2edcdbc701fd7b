"""The estimate of the next run, made by the worker while nothing waits.

Kept in the session with what it was made for, so that the page shows it only while that holds.
Imports the engine, so only the worker's process may import this module.
"""

from workbench.errors import WorkbenchError
from workbench.methods.estimate import estimate
from workbench.methods.estimate_record import RunEstimate
from workbench.model.language_model import LanguageModel
from workbench.store.store import Store
from workbench.work.stop import Stop

__all__ = ["estimate_next_run"]


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
