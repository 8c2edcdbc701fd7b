"""What is known about the chosen place, against other places. Pure functions from data to HTML."""

from markupsafe import Markup

from workbench.measure.protocols import SCORED, metric_name
from workbench.methods.estimate_record import RunEstimate
from workbench.model.presets import PAPER, Preset
from workbench.store.runs import Run
from workbench.work.templates import render
from workbench.work.words import duration, quantity, size

__all__ = ["location_card"]

SHOWN_PLACES = 4


def location_card(
    chosen: tuple[str, ...],
    own_choice: bool,
    preset: Preset,
    runs: list[Run],
    estimate: RunEstimate | None,
) -> Markup:
    """What is known about the chosen place, against the others that runs have tried.

    Args:
        chosen: locations that are tuned next.
        own_choice: whether a person chose them; else they are the preset's.
        preset: the model's.
        runs: finished runs, newest first.
        estimate: what a run there takes; None while that is being measured.
    """
    return render(
        "page/layers/location.html",
        chosen=chosen,
        own_choice=own_choice,
        preset=preset,
        is_paper=preset.source == PAPER,
        numbers=_what_it_takes(estimate),
        measures=SCORED,
        places=_known(chosen, runs),
    )


def _what_it_takes(estimate: RunEstimate | None) -> list[tuple[str, str]]:
    """Weights, memory, time and kept states of a run at the chosen place."""
    if estimate is None or estimate.plan is None:
        return []
    plan = estimate.plan
    return [
        ("weights tuned", quantity(plan.weights)),
        ("extra memory", size(plan.memory_bytes)),
        ("time at most", duration(estimate.seconds)),
        ("states kept", f"from layer {plan.kept_from}" if plan.kept_from else "no"),
    ]


def _known(
    chosen: tuple[str, ...], runs: list[Run]
) -> list[tuple[tuple[str, ...], str, list[float | None]]]:
    """The newest run at each of a few places, the chosen one first: its name and its shares."""
    newest: dict[tuple[str, ...], Run] = {}
    for run in runs:
        newest.setdefault(run.at, run)
    places = sorted(newest, key=lambda at: at != chosen)[:SHOWN_PLACES]
    return [(at, newest[at].name, _shares(newest[at])) for at in places]


def _shares(run: Run) -> list[float | None]:
    after = run.metrics.get("after") or {}
    return [after.get(metric_name(measure, "strict")) for measure in SCORED]
