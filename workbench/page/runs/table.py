"""How the table of runs looks. Pure functions from data to HTML."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from workbench.facts.forms import ASKED_FORMS
from workbench.measure.figures import SHORT, short_figures
from workbench.measure.protocols import SCORED, in_form, metric_name
from workbench.methods.base import method_name
from workbench.page.edit.run_card import PROTOCOLS, STATE_KINDS
from workbench.page.runs.charts import spark
from workbench.page.runs.details import RunDetails, details
from workbench.page.runs.groups import (
    UNGROUPED,
    Group,
    Grouping,
    grouped,
    pinned_first,
    spread_of,
)
from workbench.page.runs.hues import HUES
from workbench.page.runs.order import NEWEST_FIRST, Order
from workbench.page.runs.values import RunLine, Values, settings_in, values_of, words_for
from workbench.store.runs import Run
from workbench.work.templates import render
from workbench.work.words import clock, share, small

__all__ = ["RunLine", "RunsView", "runs_table"]


@dataclass(frozen=True, slots=True)
class RunsView:
    """What the table shows.

    Args:
        lines: the runs, newest first.
        after, before: the runs shown so; None for the base.
        picked: the runs ticked for comparing.
        opened: the run that is unfolded, with all about it.
        hidden: the run that was deleted last and can come back, with its patch's size in bytes.
        names: that people gave to runs.
        order: by what they are sorted.
        total: how many there are, found or not.
        session: whose they are; empty where nothing can be downloaded.
        grouping: by what they are grouped.
        pinned: the runs that stand first.
        hues: the colour of each, by its number.
    """

    lines: Sequence[RunLine] = ()
    after: int | None = None
    before: int | None = None
    picked: Sequence[int] = ()
    opened: RunDetails | None = None
    hidden: tuple[Run, int] | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    order: Order = NEWEST_FIRST
    total: int = 0
    session: str = ""
    grouping: Grouping = UNGROUPED
    pinned: Sequence[int] = ()
    hues: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    """Runs below each other, and what they have in common.

    Args:
        title: what they have in common; empty where runs are not grouped.
        runs: how many they are.
        rows: theirs; none where the group is folded.
        folded: whether it is.
        facts, loss, seconds: their means, with how far the runs lie apart.
        shares: of each measure, by protocol.
    """

    title: str
    runs: int
    rows: Sequence["_Row"]
    folded: bool
    facts: str
    loss: str
    seconds: str
    shares: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class _Row:
    """A run's row, with what is computed for it."""

    line: RunLine
    how: str
    when: str
    spark: Markup
    epochs: int | None
    seconds: float | None
    shares: list[tuple[str, list[float | None], list[tuple[str, float]]]]
    figures: list[tuple[str, str]]


def runs_table(view: RunsView) -> Markup:
    """Every run, one of them perhaps unfolded, in groups or not."""
    values = {line.run.id: values_of(line) for line in view.lines}
    names = settings_in(list(values.values()))
    by = view.grouping.by if view.grouping.by in names else ""
    return render(
        "page/runs/table.html",
        view=view,
        parts=_parts(view, values, by),
        by=by,
        words=words_for(by),
        choices=[("", "nothing"), *((name, words_for(name)) for name in names)],
        opened="" if view.opened is None else details(view.opened),
        kinds=STATE_KINDS,
        measures=SCORED,
        hues=HUES,
    )


def _parts(view: RunsView, values: Mapping[int, Values], by: str) -> list[_Part]:
    lines = {line.run.id: line for line in view.lines}
    parts = []
    # Sorting is stable: groups stand in the order of their first run, which may be pinned.
    for group in grouped(pinned_first(list(lines), view.pinned), values, by):
        folded = bool(by) and group.value in view.grouping.folded
        rows = [] if folded else [_row(lines[run]) for run in group.runs]
        parts.append(_part(group, [values[run] for run in group.runs], rows, folded))
    return parts


def _part(group: Group, runs: Sequence[Values], rows: Sequence[_Row], folded: bool) -> _Part:
    def told(key: str, words: Callable[[float], str] = small) -> str:
        found = spread_of(runs, key) if group.value else None
        return "–" if found is None else found.told(words)

    return _Part(
        title=group.value,
        runs=len(group.runs),
        rows=rows,
        folded=folded,
        facts=told("run.facts"),
        loss=told("took.loss"),
        seconds=told("took.seconds", clock),
        shares=[
            (name, [told(f"after.{metric_name(name, by)}", share) for by in PROTOCOLS])
            for name in SCORED
        ],
    )


def _row(line: RunLine) -> _Row:
    run, after = line.run, line.run.metrics.get("after") or {}
    return _Row(
        line=line,
        how=_how(run),
        when=time.strftime("%d %b %H:%M", time.localtime(run.created)),
        spark=spark(line.losses),
        epochs=run.outcome.get("epochs", len(line.losses) or None),
        seconds=run.outcome.get("seconds"),
        shares=[
            (
                measure,
                [after.get(metric_name(measure, by)) for by in PROTOCOLS],
                _beside(measure, after),
            )
            for measure in SCORED
        ],
        figures=list(zip(SHORT, short_figures(run.metrics), strict=True)),
    )


def _beside(measure: str, after: Mapping[str, float | None]) -> list[tuple[str, float]]:
    """The strict shares below a measure's own: in other forms, or of unchanged first tokens."""
    if measure == "locality":
        names = {"first": "locality_first"}
    else:
        names = {form: in_form(measure, form) for form in ASKED_FORMS if form != "raw"}
    found = {words: after.get(metric_name(name, "strict")) for words, name in names.items()}
    return [(words, value) for words, value in found.items() if value is not None]


def _how(run: Run) -> str:
    """The settings that tell runs apart at a glance, as far as the run's method has them."""
    named = {
        "learning_rate": "lr ",
        "batch_size": "batch ",
        "pipeline": "",
        "recipe": "",
        "seed": "seed ",
    }
    settings = run.settings.as_dict()
    parts = [(lead, settings[name]) for name, lead in named.items() if name in settings]
    words = [
        lead + (small(value) if isinstance(value, float) else str(value)) for lead, value in parts
    ]
    if run.onto is not None:
        words.append(f"{'on top of' if run.onto.way == 'continue' else 'with'} run {run.onto.run}")
    return ", ".join([method_name(run.method), *words])
