"""How a run looks while it goes and once it is over. Pure functions from data to HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from workbench.measure.figures import figure_rows
from workbench.measure.protocols import (
    EVERY_MEASURE,
    SCORED,
    Protocol,
    help_of,
    metric_name,
    words_of,
)
from workbench.measure.report.pieces import figure
from workbench.methods.base import METHODS, method_name
from workbench.methods.events import EpochDone, Started
from workbench.page.edit.choices import only_form
from workbench.page.edit.effect import Measured, effect_table
from workbench.page.edit.held import held_curves
from workbench.page.edit.missed import what_helps, why_missed
from workbench.page.edit.pinned import pinned_table
from workbench.page.kit.charts import loss_curve
from workbench.store.jobs import Job
from workbench.store.probes import PinnedAnswer
from workbench.store.runs import FactOutcome, Run
from workbench.work.templates import render
from workbench.work.words import clock, count, duration, quantity, size, small

__all__ = [
    "PROTOCOLS",
    "STATE_KINDS",
    "RunView",
    "metric_table",
    "outcome_table",
    "run_card",
    "stop_loss_of",
]

STATE_KINDS = {
    "running": "on",
    "done": "on",
    "stopped": "warn",
    "interrupted": "warn",
    "failed": "bad",
}
PROTOCOLS: tuple[Protocol, ...] = ("strict", "generated")  # those of a short table
SCORED_WORDS = tuple(map(words_of, SCORED))


@dataclass(frozen=True, slots=True)
class RunView:
    """What the card of the newest run shows.

    Args:
        job: the job that works or worked on it.
        run: the run; None before there is one.
        waiting: how many runs wait for their turn.
        error: why there is no run, when the job failed before it began.
        epochs: the epochs done.
        plan: what the run set out to do.
        outcomes: the first facts, with answers before and after.
        learned: how many facts were learned, of how many that is known.
        missed: the first facts that were not learned.
        pinned: what pinned prompts were answered at epochs.
        effects: the run and the last ones without something of it, once it is done.
    """

    job: Job | None = None
    run: Run | None = None
    waiting: int = 0
    error: str = ""
    epochs: list[EpochDone] | tuple[()] = ()
    plan: Started | None = None
    outcomes: list[FactOutcome] | tuple[()] = ()
    learned: tuple[int, int] = (0, 0)
    missed: list[FactOutcome] | tuple[()] = ()
    pinned: list[PinnedAnswer] | tuple[()] = ()
    effects: Sequence[Measured] = ()


def run_card(view: RunView) -> Markup:
    """The card of the newest run, whatever its state."""
    run = view.run
    if run is None:
        return render(
            "page/edit/no_run.html", job=view.job, waiting=_waiting(view), error=view.error
        )
    learned, known = view.learned
    losses = [epoch.loss for epoch in view.epochs]
    return render(
        "page/edit/run.html",
        view=view,
        run=run,
        kind=STATE_KINDS[run.state],
        by=method_name(run.method),
        by_means=METHODS[run.method].sentence if run.method in METHODS else "",
        working=view.job is not None and view.job.is_open,
        waiting=_waiting(view),
        numbers=_figures(view, run),
        curve=loss_curve(losses, _most_epochs(view), stop_loss_of(run)),
        held=held_curves(view.epochs, _most_epochs(view), only=only_form(run.settings)),
        effect=effect_table(view.effects),
        outcomes=outcome_table(view.outcomes),
        metrics=metric_table(run.metrics) if run.metrics else "",
        missed=known - learned,
        why=why_missed,
        helps=what_helps(run, [epoch.learned for epoch in view.epochs]),
        pinned=pinned_table(view.pinned),
    )


def _waiting(view: RunView) -> str:
    """How many runs wait behind the one that the bar is about."""
    is_queued = view.job is not None and view.job.state == "queued"
    waiting = view.waiting - is_queued
    return f" · {count(waiting, 'more run')} waiting" if waiting else ""


def _most_epochs(view: RunView) -> int:
    if view.run is not None and view.run.state == "done":
        return len(view.epochs)
    return view.epochs[-1].epochs if view.epochs else 1


def stop_loss_of(run: Run) -> float:
    """The mean loss under which the run ends; 0 where its method knows none."""
    return float(getattr(run.settings, "stop_loss", 0.0))


def _figures(view: RunView, run: Run) -> list[tuple[str, str]]:
    figures: list[tuple[str, str]] = []
    if view.epochs:
        last = view.epochs[-1]
        learned, known = view.learned
        figures += [
            ("epoch", f"{last.epoch} of {last.epochs}" if run.state != "done" else f"{last.epoch}"),
            ("loss", small(last.loss)),
            ("learned", f"{learned} of {known}" if known else f"{last.learned:.0%}"),
            ("time", duration(last.seconds)),
        ]
        if run.state == "running" and last.epoch < last.epochs:
            figures.append(("left at most", clock(_seconds_left(view.epochs))))
    if view.plan is not None:
        figures.append(("weights tuned", quantity(view.plan.weights)))
        figures.append(("memory", size(view.plan.memory_bytes)))
    return figures


def _seconds_left(epochs: Sequence[EpochDone]) -> float:
    """By the pace of the later half of the epochs: what came before the first says nothing."""
    last, half = epochs[-1], epochs[(len(epochs) - 1) // 2]
    done, seconds = last.epoch - half.epoch, last.seconds - half.seconds
    if done <= 0 or seconds <= 0:
        done, seconds = last.epoch, last.seconds
    return seconds / done * (last.epochs - last.epoch)


def outcome_table(outcomes: list[FactOutcome] | tuple[()]) -> Markup:
    """Facts with the model's answers before and after."""
    return render("page/edit/outcomes.html", outcomes=outcomes)


def metric_table(metrics: dict[str, Any]) -> Markup:
    """The measures before and after, each under the name of its protocol, and what is no share."""
    sides = [metrics.get(side) or {} for side in ("before", "after")]
    rows = [
        (
            words_of(measure),
            help_of(measure),
            [side.get(metric_name(measure, name)) for name in PROTOCOLS for side in sides],
        )
        for measure in EVERY_MEASURE
    ]
    shown = [row for row in rows if row[0] in SCORED_WORDS or row[2] != [None] * len(row[2])]
    return render(
        "page/edit/metrics.html",
        protocols=PROTOCOLS,
        rows=shown,
        figures=figure_rows(metrics),
        figure=figure,
    )
