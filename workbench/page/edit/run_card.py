"""How a run looks while it goes and once it is over. Pure functions from data to HTML."""

from dataclasses import dataclass
from typing import Any

from workbench.methods.events import EpochDone, Started
from workbench.page.edit.missed import what_helps, why_missed
from workbench.page.edit.pinned import pinned_table
from workbench.page.kit.charts import loss_curve
from workbench.page.kit.html import button, heading, pill, text
from workbench.store.jobs import Job
from workbench.store.probes import PinnedAnswer
from workbench.store.runs import FactOutcome, Run
from workbench.work.words import clock, count, quantity, share, size, small

__all__ = ["STATE_KINDS", "RunView", "metric_table", "outcome_table", "run_card"]

STATE_KINDS = {
    "running": "on",
    "done": "on",
    "stopped": "warn",
    "interrupted": "warn",
    "failed": "bad",
}
MEASURES = ("reliability", "generalization", "locality")


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


def run_card(view: RunView) -> str:
    """The card of the newest run, whatever its state."""
    if view.run is None:
        return f'<div class="card stack" id="run-card">{_no_run(view)}</div>'
    run = view.run
    working = view.job is not None and view.job.is_open
    parts = [_title(run)]
    if working:
        parts.append(_progress(view))
    elif view.job is not None and view.job.error:
        parts.append(f'<p class="notice wrong" role="alert">{text(view.job.error)}</p>')
    parts.append(_figures(view, run))
    parts.append(
        loss_curve([e.loss for e in view.epochs], _most_epochs(view), run.settings.stop_loss)
    )
    if run.can_resume and not working:
        at = view.epochs[-1].epoch if view.epochs else 0
        parts.append(
            f'<div class="pair">{button("Resume", "resume", "primary", run=run.id)}'
            f'<span class="quiet">goes on after epoch {at} at the latest</span></div>'
        )
    if run.state == "done":
        parts.append(_summary(view, run))
    else:
        parts.append(pinned_table(view.pinned))
    return f'<div class="card stack" id="run-card">{"".join(parts)}</div>'


def _title(run: Run) -> str:
    return (
        f'<div class="pair"><h2>Run {run.id}</h2>{pill(run.state, STATE_KINDS[run.state])}'
        f'<span class="quiet">{count(run.facts, "fact")} at '
        f'<span class="mono">{text(", ".join(run.settings.at))}</span></span></div>'
    )


def _no_run(view: RunView) -> str:
    if view.job is not None:
        return heading("The next run", "") + _progress(view)
    if view.error:
        return heading("No run yet") + (
            f'<p class="notice wrong" role="alert">{text(view.error)}</p>'
        )
    return (
        '<div class="empty">No run yet. Press Start: the loss, the facts learned and the answers '
        "before and after will stand here.</div>"
    )


def _progress(view: RunView) -> str:
    job = view.job
    if job is None:
        return ""
    waiting = view.waiting
    if job.state == "queued":
        line, width, waiting = "waiting for its turn", ' style="width:0"', waiting - 1
    else:
        line = "stopping" if job.cancel_asked else job.line
        width = "" if job.progress is None else f' style="width:{100 * job.progress:.1f}%"'
    if waiting:
        line += f" · {count(waiting, 'more run')} waiting"
    return (
        f'<div><div class="bar{"" if width else " unknown"}"><i{width}></i></div>'
        f'<div class="foot"><span class="mono quiet">{text(line)}</span>'
        f"{button('Cancel', 'cancel', 'small', job=job.id)}</div></div>"
    )


def _most_epochs(view: RunView) -> int:
    if view.run is not None and view.run.state == "done":
        return len(view.epochs)
    return view.epochs[-1].epochs if view.epochs else 1


def _figures(view: RunView, run: Run) -> str:
    figures: list[tuple[str, str]] = []
    if view.epochs:
        last = view.epochs[-1]
        learned, known = view.learned
        share_text = f"{learned} of {known}" if known else f"{last.learned:.0%}"
        figures += [
            ("epoch", f"{last.epoch} of {last.epochs}" if run.state != "done" else f"{last.epoch}"),
            ("loss", small(last.loss)),
            ("learned", share_text),
            ("time", f"{last.seconds:.1f} s" if last.seconds < 60 else clock(last.seconds)),
        ]
        if run.state == "running" and last.epoch < last.epochs:
            left = last.seconds / last.epoch * (last.epochs - last.epoch)
            figures.append(("left at most", clock(left)))
    if view.plan is not None:
        figures.append(("weights tuned", quantity(view.plan.weights)))
        figures.append(("memory", size(view.plan.memory_bytes)))
    return (
        '<div class="figures">'
        + "".join(f"<div>{text(name)}<b>{text(value)}</b></div>" for name, value in figures)
        + "</div>"
    )


def _summary(view: RunView, run: Run) -> str:
    learned, known = view.learned
    parts = []
    if view.outcomes and view.outcomes[0].after is not None:
        parts.append(f"<div><h2>What does it say now?</h2>{outcome_table(view.outcomes)}</div>")
    if run.metrics:
        parts.append(f"<div><h2>How well did it go?</h2>{metric_table(run.metrics)}</div>")
    if known and learned < known:
        parts.append(_missed(view, run, known - learned))
    parts.append(pinned_table(view.pinned))
    more = f"See all {run.facts:,}" if run.facts > len(view.outcomes) else "Ask it something"
    parts.append(button(more, "answers", run=run.id))
    return "".join(parts)


def _missed(view: RunView, run: Run, number: int) -> str:
    rows = "".join(
        f"<tr><td>{text(missed.prompt)}</td><td>{text(missed.target_new)}</td>"
        f"<td>{_answer(missed.after)}<br><span class='quiet'>{why_missed(missed)}</span></td></tr>"
        for missed in view.missed
    )
    more = number - len(view.missed)
    rest = f'<p class="quiet">and {more:,} more, on the Probe tab</p>' if more > 0 else ""
    helps = what_helps(run, [epoch.learned for epoch in view.epochs])
    return (
        f'<div><h2 class="amber">{count(number, "fact")} not learned</h2>'
        f'<p class="quiet">{helps}</p><div class="scroll"><table class="grid-table outcomes">'
        f"<tr><th>prompt</th><th>wanted</th><th>says</th></tr>{rows}</table></div>{rest}</div>"
    )


def outcome_table(outcomes: list[FactOutcome] | tuple[()]) -> str:
    """Facts with the model's answers before and after."""
    body = "".join(
        f"<tr><td>{text(o.prompt)}</td><td>{_answer(o.before)}</td><td>{_after(o)}</td></tr>"
        for o in outcomes
    )
    return (
        '<div class="scroll"><table class="grid-table outcomes"><tr><th>prompt</th>'
        f"<th>before</th><th>after</th></tr>{body}</table></div>"
    )


def _answer(answer: str | None) -> str:
    return "–" if answer is None else text(answer)


def _after(outcome: FactOutcome) -> str:
    if outcome.after is None:
        return "–"
    shown = text(outcome.after)
    if outcome.after != outcome.before:
        shown = f"<mark>{shown}</mark>"
    if outcome.learned is False:
        shown += f' <span class="quiet amber">wanted {text(outcome.target_new)}</span>'
    return shown


def metric_table(metrics: dict[str, Any]) -> str:
    """The measures before and after, each under the name of its protocol."""
    before, after = metrics.get("before") or {}, metrics.get("after") or {}
    head = "".join(f'<th class="num">{word}</th>' for word in ("before", "after") * 2)
    body = "".join(
        f"<tr><td>{measure}</td>"
        + "".join(
            f'<td class="num">{share(side.get(f"{measure}_{protocol}"))}</td>'
            for protocol in ("strict", "generated")
            for side in (before, after)
        )
        + "</tr>"
        for measure in MEASURES
    )
    return (
        '<div class="scroll"><table class="grid-table"><tr><th></th>'
        '<th colspan="2" class="num">strict</th><th colspan="2" class="num">generated</th></tr>'
        f"<tr><th></th>{head}</tr>{body}</table></div>"
        '<p class="quiet">strict: every token of the answer and its end are the likeliest. '
        "generated: the answer written greedily is the same. Locality: answers that stayed.</p>"
    )
