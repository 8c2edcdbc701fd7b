"""How the places to tune look, with what runs found there. Pure functions from data to HTML."""

from dataclasses import dataclass

from markupsafe import Markup

from workbench.measure.protocols import SCORED, metric_name
from workbench.methods.estimate_record import RunEstimate
from workbench.model.location import Location
from workbench.model.places import Places
from workbench.model.presets import PAPER, Preset
from workbench.store.runs import Run
from workbench.work.templates import render
from workbench.work.words import duration, quantity, size

__all__ = ["location_card", "location_grid"]

SHOWN_PLACES = 4


@dataclass(frozen=True, slots=True)
class _Cell:
    """One place; `value` is what the newest run there reached."""

    at: str
    hint: str
    value: float | None
    is_chosen: bool
    is_preset: bool


def location_grid(
    places: Places,
    chosen: tuple[str, ...],
    preset: tuple[str, ...],
    runs: list[Run],
) -> Markup:
    """A grid of buttons: a row for each matrix and for the whole layer, a column for each layer.

    Args:
        places: of the model; where a layer lacks a matrix, there is no button.
        chosen: locations that are tuned next.
        preset: locations of the model's preset.
        runs: finished runs, newest first; the newest at a place colours it.
    """
    measured: dict[str, float] = {}
    for run in reversed(runs):
        value = (run.metrics.get("after") or {}).get("generalization_strict")
        if value is not None:
            measured[",".join(run.at)] = value
    rows = []
    modules = tuple(places.modules)
    for module in [*reversed(modules), *_blocks(modules), ""]:
        cells: list[_Cell | None] = [None] * places.layers
        for layer in places.having(module):
            at = str(Location(layer, module))
            cells[layer] = _cell(at, chosen, preset, measured.get(at))
        experts = places.experts.get(module)
        rows.append((f"{module} ({experts})" if experts else module or "whole layer", cells))
    return render("page/layers/grid.html", layers=places.layers, rows=rows)


def _cell(at: str, chosen: tuple[str, ...], preset: tuple[str, ...], value: float | None) -> _Cell:
    hint = f"{at}, the preset" if at in preset else at
    return _Cell(at, hint, value, at in chosen, at in preset)


def _blocks(matrices: tuple[str, ...]) -> list[str]:
    """The blocks in which several matrices lie, such as ``mlp``."""
    heads = [matrix.rpartition(".")[0] for matrix in matrices]
    return sorted({head for head in heads if head and heads.count(head) > 1})


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
