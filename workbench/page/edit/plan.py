"""What Start will do, as it is shown before: facts, steps, memory, time. Data to HTML."""

from workbench.methods.estimate_record import RunEstimate
from workbench.methods.events import Started
from workbench.methods.locft_settings import EditSettings
from workbench.page.kit.html import text
from workbench.work.words import clock, count, quantity, size, small

__all__ = ["plan_card"]


def plan_card(facts: int, settings: EditSettings | None, estimate: RunEstimate | None) -> str:
    """The plan of the next run.

    Args:
        facts: how many are ticked.
        settings: whole; None while the model is unknown.
        estimate: what a few measured steps said of just this run; None while they are made.
    """
    if not facts:
        return '<p class="notice">No fact is ticked. Tick at least one on the Facts tab.</p>'
    if settings is None:
        return f'<p class="quiet">{count(facts, "fact")}; the model is being loaded.</p>'
    at = text(", ".join(settings.at))
    passes = f"{settings.epochs} epochs in batches of {settings.batch_size}"
    line = (
        f'<p>{count(facts, "fact")} at <span class="mono">{at}</span>, at most {passes}, '
        f'learning rate <span class="mono">{small(settings.learning_rate or 0)}</span>.</p>'
    )
    if estimate is None:
        return line + '<p class="quiet">Time and memory are being measured on a few steps.</p>'
    if estimate.plan is None:
        return line + f'<p class="notice wrong" role="alert">{text(estimate.error)}</p>'
    return line + _figures(estimate, estimate.plan)


def _figures(estimate: RunEstimate, plan: Started) -> str:
    figures = (
        ("steps at most", f"{plan.steps:,}"),
        ("time at most", _duration(estimate.seconds)),
        ("extra memory", size(plan.memory_bytes)),
        ("weights tuned", quantity(plan.weights)),
    )
    cells = "".join(f"<div>{name}<b>{text(value)}</b></div>" for name, value in figures)
    states = (
        f"Hidden states are kept from layer {plan.kept_from} on."
        if plan.kept_from
        else "Hidden states are not kept: the whole model runs at every step."
    )
    measured = count(estimate.measured, "measured step")
    return (
        f'<div class="figures plan">{cells}</div>'
        f'<p class="quiet">Time from {measured}; the stop rule usually ends a run sooner. '
        f"{states}</p>"
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)
