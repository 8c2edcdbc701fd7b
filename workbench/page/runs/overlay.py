"""Runs laid over each other: losses, what was learned, measures with intervals.

Pure functions from data to HTML. Two runs have a card of their own (`workbench.page.runs.compare`),
with the same pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from workbench.measure.protocols import (
    EVERY_MEASURE,
    PROTOCOL_HELP,
    PROTOCOLS,
    Measured,
    help_of,
    metric_name,
    words_of,
)
from workbench.measure.report.pieces import strip
from workbench.methods.events import EpochDone
from workbench.page.runs.charts import path_of_losses
from workbench.page.runs.details import setting_words
from workbench.store.runs import Run
from workbench.work.templates import render

__all__ = [
    "Laid",
    "Pictures",
    "differing_settings",
    "measured_after",
    "overlay_card",
    "pictures_of",
]

# A measure, what it says, and for each run its share with what is known of its interval.
Row = tuple[str, str, list[tuple[float | None, Measured | None]]]
SIDE = 100.0  # of the pictures' coordinates, which are stretched to their place
TOLD = 12  # epochs in a table for readers


@dataclass(frozen=True, slots=True)
class Laid:
    """A run that is laid over others.

    Args:
        run: the run.
        name: how it is called.
        losses: mean loss of each epoch.
        epochs: what was counted in each.
        hue: its colour, a place in the palette.
        again: whether a run before it has the same colour.
    """

    run: Run
    name: str
    losses: Sequence[float] = ()
    epochs: Sequence[EpochDone] = ()
    hue: int = 1
    again: bool = False


@dataclass(frozen=True, slots=True)
class Pictures:
    """Curves of runs over their epochs.

    Args:
        runs: which, told apart by colour or dashes.
        epochs: of the longest.
        losses, learned: a run and its line in a picture of 100 by 100, where it has one.
        table: the same in numbers, at some epochs: loss and share of each run.
    """

    runs: Sequence[Laid]
    epochs: int
    losses: Sequence[tuple[Laid, str]]
    learned: Sequence[tuple[Laid, str]]
    table: Sequence[tuple[int, Sequence[tuple[float | None, float | None]]]]


def overlay_card(runs: Sequence[Laid]) -> Markup:
    """Everything in which several runs differ, in one picture and one table each.

    Args:
        runs: the oldest first.
    """
    return render(
        "page/runs/overlay.html",
        laid=pictures_of(runs),
        settings=differing_settings([laid.run for laid in runs]),
        tables=_tables(runs),
        strip=strip,
    )


def pictures_of(runs: Sequence[Laid]) -> Pictures:
    """The curves of two or more runs, all on one scale.

    Args:
        runs: the oldest first.
    """
    seen: set[int] = set()
    told: list[Laid] = []
    for laid in runs:
        told.append(replace(laid, again=laid.hue in seen))
        seen.add(laid.hue)
    every = [laid.losses for laid in told]
    longest = max(map(len, every), default=0)
    losses = [(laid, path_of_losses(every, place)) for place, laid in enumerate(told)]
    learned = [(laid, _learned(laid.epochs, longest)) for laid in told]
    return Pictures(
        runs=told,
        epochs=longest,
        losses=[(laid, path) for laid, path in losses if path],
        learned=[(laid, path) for laid, path in learned if path],
        table=[
            (epoch, [_at(laid, epoch) for laid in told])
            for epoch in range(1, longest + 1, max(1, longest // TOLD))
        ],
    )


def _at(laid: Laid, epoch: int) -> tuple[float | None, float | None]:
    """The loss and the share learned of a run at an epoch, as far as it came."""
    loss = laid.losses[epoch - 1] if epoch <= len(laid.losses) else None
    return loss, next((each.learned for each in laid.epochs if each.epoch == epoch), None)


def _learned(epochs: Sequence[EpochDone], longest: int) -> str:
    """The share learned, epoch by epoch, on a scale from 0 to 1."""
    last = max(1, longest - 1)
    shares = [(epoch.epoch - 1, min(1.0, max(0.0, epoch.learned))) for epoch in epochs]
    points = [f"{SIDE * place / last:.2f} {SIDE * (1 - share):.2f}" for place, share in shares]
    if len(points) == 1:
        points.append(f"{SIDE / 50:g} {points[0].split()[1]}")
    return "M" + " L".join(points) if points else ""


def differing_settings(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """The names and values, in words, of what was not set alike.

    Args:
        runs: two or more.
    """
    shown: list[Mapping[str, object]] = [
        {"model": run.model, "method": run.method, "facts": run.facts, **run.settings.as_dict()}
        for run in runs
    ]
    names = dict.fromkeys(name for settings in shown for name in settings)
    rows = {name: [settings.get(name, "–") for settings in shown] for name in names}
    return [
        (name.replace("_", " "), [setting_words(value) for value in values])
        for name, values in rows.items()
        if any(value != values[0] for value in values)
    ]


def _tables(runs: Sequence[Laid]) -> list[tuple[str, str, list[Row]]]:
    """For each protocol: every measure that a run has, with its interval where there is one."""
    tables: list[tuple[str, str, list[Row]]] = []
    for protocol in PROTOCOLS:
        rows: list[Row] = []
        for measure in EVERY_MEASURE:
            name = metric_name(measure, protocol)
            numbers = [measured_after(laid.run, name) for laid in runs]
            if any(value is not None for value, _ in numbers):
                rows.append((words_of(measure), help_of(measure), numbers))
        if rows:
            tables.append((protocol, PROTOCOL_HELP[protocol], rows))
    return tables


def measured_after(run: Run, name: str) -> tuple[float | None, Measured | None]:
    """A measure of a run after its edit, with its interval where there is one.

    Args:
        run: which.
        name: of the measure, with its protocol.
    """
    value = (run.metrics.get("after") or {}).get(name)
    found = ((run.metrics.get("intervals") or {}).get("after") or {}).get(name)
    return value, None if found is None else Measured.from_dict(name, found)
