"""What Start will do, as it is shown before: facts, steps, memory, time. Data to HTML."""

from markupsafe import Markup

from workbench.methods.base import Method
from workbench.methods.estimate_record import RunEstimate
from workbench.search.capacity import Capacity, crowded_sentence
from workbench.work.settings import SettingsRecord
from workbench.work.templates import render
from workbench.work.words import duration, quantity, size

__all__ = ["plan_card"]


def plan_card(
    facts: int,
    method: Method,
    settings: SettingsRecord | None,
    estimate: RunEstimate | None,
    capacity: Capacity | None = None,
    processes: int = 1,
) -> Markup:
    """The plan of the next run.

    Args:
        facts: how many are ticked.
        method: how they are edited in.
        settings: whole; None while the model is unknown.
        estimate: what a few measured steps said of just this run; None while they are made.
        capacity: what a scale study said of this model; None where there is none.
        processes: how many share the run.
    """
    crowded = ""
    if capacity is not None and estimate is not None and estimate.plan is not None:
        crowded = crowded_sentence(capacity, facts, estimate.plan.weights)
    return render(
        "page/edit/plan.html",
        facts=facts,
        method=method,
        settings=settings,
        estimate=estimate,
        numbers=_figures(estimate),
        crowded=crowded,
        processes=processes,
    )


def _figures(estimate: RunEstimate | None) -> list[tuple[str, str]]:
    if estimate is None or estimate.plan is None:
        return []
    figures = [("steps at most", f"{estimate.plan.steps:,}")]
    if estimate.measured:
        figures.append(("time at most", duration(estimate.seconds)))
    return [
        *figures,
        ("extra memory", size(estimate.plan.memory_bytes)),
        ("weights tuned", quantity(estimate.plan.weights)),
    ]
