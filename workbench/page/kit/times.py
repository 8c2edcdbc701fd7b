"""What work will take, in words, before it is begun; nothing is said where nothing is known.

From the times that were measured on this machine, for the session's model and facts. Work that has
no facts to be done on says so in the same place.
"""

from workbench.errors import WorkbenchError
from workbench.model.location import parse_locations
from workbench.search.sweep_settings import SweepSettings
from workbench.store import Store
from workbench.store.amounts import above, amount_of
from workbench.store.paces import Amount, Paces
from workbench.store.requests import (
    EvaluateRequest,
    Request,
    ScanRequest,
    StressRequest,
    StudyRequest,
    SweepRequest,
)
from workbench.work.words import about

__all__ = ["takes"]

NO_FACT = "needs a ticked fact: add one, or tick one, on Facts"
SCORING = 0.5  # of the time of a sweep's trials, in which they are scored


def takes(store: Store, request: Request) -> str:
    """Such as ``about 40 s``, or what is missing; empty where nothing like it was measured here.

    Args:
        store: the session.
        request: what a button would ask for.
    """
    of_ticked = isinstance(request, ScanRequest | SweepRequest | StudyRequest) or (
        isinstance(request, EvaluateRequest | StressRequest) and request.run is None
    )
    if of_ticked and not store.facts.count(enabled=True):
        return NO_FACT
    try:
        seconds = _seconds(store, request)
    except WorkbenchError:  # what cannot be done says so when it is asked for
        return ""
    return "" if seconds is None else about(seconds)


def _seconds(store: Store, request: Request) -> float | None:
    if isinstance(request, SweepRequest) and request.settings.budget is not None:
        return request.settings.budget
    amount = amount_of(store, request)
    if amount is None or not amount.units:
        return None
    found = Paces(store.folder.parent, store.settings).seconds(amount)
    if found is None and isinstance(request, SweepRequest):
        return _by_steps(store, request.settings, amount)
    return found


def _by_steps(store: Store, settings: SweepSettings, amount: Amount) -> float | None:
    """A first sweep, by the steps of the next run, where both train alike."""
    estimate, summary = store.estimate(), store.settings.summary
    if estimate is None or estimate.plan is None or summary is None or not estimate.measured:
        return None
    plan = estimate.plan
    if not plan.at or not plan.steps:
        return None
    layers = above(summary.where, parse_locations(plan.at)[0].layer)
    step = estimate.seconds / plan.steps / (plan.batch_size * layers)
    return step * amount.units * (1 + SCORING)
