"""How the table of runs looks. Pure functions from data to HTML."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from workbench.facts.forms import ASKED_FORMS
from workbench.measure.figures import SHORT, short_figures
from workbench.measure.protocols import SCORED, in_form, metric_name
from workbench.methods.base import method_name
from workbench.page.edit.run_card import PROTOCOLS, STATE_KINDS
from workbench.page.runs.charts import spark
from workbench.page.runs.details import RunDetails, details
from workbench.page.runs.order import NEWEST_FIRST, Order
from workbench.store.runs import Run
from workbench.work.templates import render
from workbench.work.words import small

__all__ = ["RunLine", "RunsView", "runs_table"]


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run with what its row says beside it.

    Args:
        run: the run.
        losses: mean loss of each epoch so far.
        error: why it ended early; empty when it did not, or nobody knows.
    """

    run: Run
    losses: Sequence[float] = ()
    error: str = ""


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
    """Every run, one of them perhaps unfolded."""
    return render(
        "page/runs/table.html",
        view=view,
        rows=[_row(line) for line in view.lines],
        opened="" if view.opened is None else details(view.opened),
        kinds=STATE_KINDS,
        measures=SCORED,
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
