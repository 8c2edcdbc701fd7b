"""What became of a run's facts, a page at a time. Pure functions from data to HTML."""

from collections.abc import Sequence

from markupsafe import Markup

from workbench.page.edit.missed import why_missed
from workbench.page.probe.answers import marked
from workbench.store.runs import FactOutcome, Run
from workbench.work.templates import render

__all__ = ["outcomes_card"]


def outcomes_card(
    run: Run,
    outcomes: Sequence[FactOutcome],
    learned: tuple[int, int],
    missed: bool,
    offset: int,
    total: int,
    page_size: int,
) -> Markup:
    """The facts of a run with the answers of base and run, and a question about each.

    Args:
        run: the run shown as after.
        outcomes: one page of its facts.
        learned: how many it learned, and of how many that is known.
        missed: whether only those not learned are shown.
        offset: how many come before this page.
        total: how many there are of those shown.
        page_size: most rows a page.
    """
    rows = [(outcome, _after(outcome), why_missed(outcome)) for outcome in outcomes]
    return render(
        "page/probe/outcomes.html",
        run=run,
        rows=rows,
        learned=learned[0],
        known=learned[1],
        missed=missed,
        offset=offset,
        total=total,
        page_size=page_size,
    )


def _after(outcome: FactOutcome) -> str:
    if outcome.after is None:
        return "–"
    return marked(outcome.before or "", outcome.after or "(nothing)")
