"""What Start will do, as it is shown before: facts, steps, memory, time. Data to HTML."""

from typing import Any

from markupsafe import Markup

from workbench.methods.locft_settings import EditSettings
from workbench.work.templates import render
from workbench.work.words import duration, quantity, size

__all__ = ["plan_card"]


def plan_card(facts: int, settings: EditSettings | None, estimate: dict[str, Any] | None) -> Markup:
    """The plan of the next run.

    Args:
        facts: how many are ticked.
        settings: whole; None while the model is unknown.
        estimate: what a few measured steps said of just this run; None while they are made.
    """
    known = estimate or {}
    error = known.get("error", "")
    return render(
        "page/edit/plan.html",
        facts=facts,
        settings=settings,
        error=error,
        numbers=_figures(known) if known and not error else (),
        measured=known.get("measured", 0),
        kept_from=known.get("kept_from", 0),
    )


def _figures(estimate: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("steps at most", f"{estimate['steps']:,}"),
        ("time at most", duration(estimate["seconds"])),
        ("extra memory", size(estimate["memory_bytes"])),
        ("weights tuned", quantity(estimate["weights"])),
    ]
