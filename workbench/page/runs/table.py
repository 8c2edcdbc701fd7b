"""How the table of runs looks. Pure functions from data to HTML."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.page.edit.run_card import MEASURES, STATE_KINDS
from workbench.page.kit.html import button, pill, text
from workbench.page.runs.charts import spark
from workbench.page.runs.details import RunDetails, details
from workbench.store.runs import Run
from workbench.work.words import clock, share, size, small

__all__ = ["RunLine", "RunsView", "runs_table"]

COLUMNS = 10


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
    """

    lines: Sequence[RunLine] = ()
    after: int | None = None
    before: int | None = None
    picked: Sequence[int] = ()
    opened: RunDetails | None = None
    hidden: tuple[Run, int] | None = None


def runs_table(view: RunsView) -> str:
    """Every run, one of them perhaps unfolded."""
    undo = _undo(view.hidden)
    if not view.lines:
        return (
            f'{undo}<div class="empty">No run yet. Start one on the Edit tab.'
            f"<br>{button('Go to Edit', 'edit', 'primary')}</div>"
        )
    head = "".join(f'<th class="num">{measure}</th>' for measure in MEASURES)
    body = "".join(_rows(view, line) for line in view.lines)
    return (
        f'{undo}<div class="scroll"><table class="grid-table runs"><tr><th class="tick"></th>'
        '<th>run</th><th>where</th><th class="num wide">facts</th>'
        f'<th class="wide">loss</th>{head}<th class="num wide">time</th><th></th></tr>{body}'
        f"</table></div>{_below(view)}"
    )


def _undo(hidden: tuple[Run, int] | None) -> str:
    if hidden is None:
        return ""
    run, kept = hidden
    until = f" Its files ({size(kept)}) stay until another run is deleted." if kept else ""
    return (
        f'<div class="notice pair undo" role="status"><span>Run {run.id} deleted.{until}</span>'
        f"{button('Undo', 'undo', 'small')}{button('Remove now', 'remove', 'small bare')}</div>"
    )


def _below(view: RunsView) -> str:
    if len(view.lines) < 2 or len(view.picked) == 2:
        return ""
    said = "Tick one more run to compare the two." if view.picked else "Tick two runs to compare."
    return f'<p class="quiet">{said}</p>'


def _rows(view: RunsView, line: RunLine) -> str:
    opened = view.opened
    unfolded = opened is not None and opened.run.id == line.run.id
    below = ""
    if opened is not None and unfolded:
        below = (
            f'<tr class="unfolded" id="details-of-run-{line.run.id}"><td colspan="{COLUMNS}">'
            f"{details(opened)}</td></tr>"
        )
    return _row(view, line, unfolded) + below


def _row(view: RunsView, line: RunLine, unfolded: bool) -> str:
    run = line.run
    seconds = run.outcome.get("seconds")
    when = time.strftime("%d %b %H:%M", time.localtime(run.created))
    picked = " checked" if run.id in view.picked else ""
    epochs = run.outcome.get("epochs", len(line.losses) or None)
    took = "–" if seconds is None else clock(seconds)
    return (
        f'<tr class="{"chosen" if run.id == view.after else ""}"><td class="tick">'
        f'<input type="checkbox" data-do="pick" data-run="{run.id}"{picked} '
        f'aria-label="Compare run {run.id}"></td>'
        f"<td><b>{run.name}</b> {_pills(view, run)}"
        f'<br><span class="quiet">{text(when)}</span></td>'
        f'<td><span class="mono">{text(", ".join(run.settings.at))}</span>'
        f'<br><span class="quiet">{text(_how(run))}</span>{_reason(line)}</td>'
        f'<td class="num wide">{run.facts:,}</td>'
        f'<td class="wide">{spark(line.losses)}<span class="quiet mono">{_loss(line)}</span></td>'
        f'{_measures(run)}<td class="num wide">{took}<br><span class="quiet mono">'
        f"{'' if epochs is None else f'{epochs} ep.'}</span></td>"
        f'<td class="row-tools">{_tools(view, run, unfolded)}</td></tr>'
    )


def _pills(view: RunsView, run: Run) -> str:
    shown = [
        pill(word, "on")
        for word, which in (("after", view.after), ("before", view.before))
        if which == run.id
    ]
    return " ".join(shown) or pill(run.state, STATE_KINDS[run.state])


def _how(run: Run) -> str:
    settings = run.settings
    return (
        f"lr {small(settings.learning_rate or 0)}, batch {settings.batch_size}, "
        f"{settings.pipeline}, seed {settings.seed}"
    )


def _reason(line: RunLine) -> str:
    return f'<br><span class="quiet red">{text(line.error)}</span>' if line.error else ""


def _loss(line: RunLine) -> str:
    return small(line.losses[-1]) if line.losses else "–"


def _measures(run: Run) -> str:
    after = run.metrics.get("after") or {}
    return "".join(
        f'<td class="num" data-name="{measure}">{share(after.get(f"{measure}_strict"))}<br>'
        f'<span class="quiet mono">{share(after.get(f"{measure}_generated"))}</span></td>'
        for measure in MEASURES
    )


def _tools(view: RunsView, run: Run, unfolded: bool) -> str:
    parts = []
    if run.state == "done" and run.id != view.after:
        parts.append(button("Show as after", "after", "small", run=run.id))
    if run.can_resume:
        parts.append(button("Resume", "resume", "small", run=run.id))
    parts.append(
        f'<button type="button" class="btn bare unfold" data-do="open" data-run="{run.id}" '
        f'aria-expanded="{"true" if unfolded else "false"}" '
        f'aria-controls="details-of-run-{run.id}" aria-label="Details of run {run.id}" '
        'title="Details"></button>'
    )
    return "".join(parts)
