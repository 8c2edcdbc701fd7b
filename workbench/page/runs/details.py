"""All there is about one run, unfolded below its row. Pure functions from data to HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.methods.locft_settings import EditSettings
from workbench.page.edit.missed import why_missed
from workbench.page.edit.run_card import metric_table
from workbench.page.kit.charts import loss_curve
from workbench.page.kit.html import button, text
from workbench.store.patch_header import PatchHeader
from workbench.store.runs import FactOutcome, Run
from workbench.work.words import clock, count, size, small

__all__ = ["MOST_MISSED", "RunDetails", "details", "setting_words", "took"]

MOST_MISSED = 50


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run with all that is known of it.

    Args:
        run: the run.
        losses: mean loss of each epoch so far.
        learned: how many facts it learned, of how many that is known.
        missed: the first facts that it did not learn.
        patch: what its patch's file says; None when there is none.
        is_after, is_before: whether it is shown so.
    """

    run: Run
    losses: Sequence[float] = ()
    learned: tuple[int, int] = (0, 0)
    missed: Sequence[FactOutcome] = ()
    patch: PatchHeader | None = None
    is_after: bool = False
    is_before: bool = False


def details(view: RunDetails) -> str:
    """The inside of the unfolded row."""
    run = view.run
    curve = loss_curve(view.losses, len(view.losses), run.settings.stop_loss)
    parts = [
        f'<div class="run-halves"><div><h2>How did the loss fall?</h2>'
        f"{curve or _no_curve(run)}</div><div><h2>How was it set?</h2>{_settings(view)}</div></div>"
    ]
    if run.metrics:
        parts.append(f"<div><h2>How well did it go?</h2>{metric_table(run.metrics)}</div>")
    parts.append(_missed(view))
    parts.append(_buttons(view))
    return f'<div class="stack">{"".join(parts)}</div>'


def _no_curve(run: Run) -> str:
    words = {
        "running": "Its first epoch is going on.",
        "failed": "It failed before the end of its first epoch.",
    }
    sentence = words.get(run.state, "It ended before the end of its first epoch.")
    return f'<p class="quiet">{sentence}</p>'


def _settings(view: RunDetails) -> str:
    run, sentences = view.run, EditSettings.help()
    rows = [("model", run.model, "The base."), ("facts", f"{run.facts:,}", "")]
    rows += [
        (name.replace("_", " "), setting_words(value), sentences[name])
        for name, value in run.settings.as_dict().items()
    ]
    if run.outcome.get("reason"):
        reasons = {"converged": "the stop rule", "epochs": "all epochs used"}
        reason = str(run.outcome["reason"])
        rows.append(("ended by", reasons.get(reason, reason), ""))
        rows.append(("took", took(run), "On the clock, hidden states included."))
    if view.patch is not None:
        rows.append(("patch", size(view.patch.bytes), ""))
        rows += [(name, shape, "A tensor of the patch.") for name, shape in _tensors(view.patch)]
        versions = ", ".join(f"{name} {number}" for name, number in view.patch.versions.items())
        rows.append(("made with", versions, view.patch.created))
    cells = "".join(
        f'<dt title="{text(title)}">{text(name)}</dt><dd>{text(value)}</dd>'
        for name, value, title in rows
    )
    return f'<dl class="all-settings">{cells}</dl>'


def took(run: Run) -> str:
    """How many epochs a run took, and how long."""
    epochs = count(run.outcome.get("epochs", 0), "epoch")
    return f"{epochs} in {clock(run.outcome.get('seconds', 0.0))}"


def _tensors(patch: PatchHeader) -> list[tuple[str, str]]:
    named = [(name.removeprefix("model."), shape) for name, shape in patch.tensors.items()]
    if len(named) <= 3:
        return named
    return [*named[:2], ("and", count(len(named) - 2, "more tensor"))]


def setting_words(value: object) -> str:
    """A setting's value for people."""
    if value is None:
        return "automatic"
    if isinstance(value, float):
        return small(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "automatic"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _missed(view: RunDetails) -> str:
    learned, known = view.learned
    if not known:
        return ""
    if learned == known:
        return f'<p class="quiet">All {count(known, "fact")} learned, by the strict protocol.</p>'
    number = known - learned
    rows = "".join(
        f"<tr><td>{text(missed.prompt)}</td><td>{text(missed.target_new)}</td>"
        f"<td>{'–' if missed.after is None else text(missed.after or '(nothing)')}<br>"
        f'<span class="quiet">{why_missed(missed)}</span></td></tr>'
        for missed in view.missed
    )
    more = number - len(view.missed)
    rest = f'<p class="quiet">and {more:,} more</p>' if more > 0 else ""
    return (
        f'<div><h2 class="amber">{count(number, "fact")} not learned</h2><div class="scroll tall">'
        '<table class="grid-table outcomes"><tr><th>prompt</th><th>wanted</th><th>says</th></tr>'
        f"{rows}</table></div>{rest}</div>"
    )


def _buttons(view: RunDetails) -> str:
    run, parts = view.run, []
    if run.state == "done":
        if not view.is_after:
            parts.append(button("Show as after", "after", "small", run=run.id))
        if view.is_before:
            parts.append(button("Show the base as before", "base-before", "small", run=run.id))
        else:
            parts.append(button("Show as before", "before", "small", run=run.id))
        if not run.metrics:
            parts.append(button("Evaluate", "evaluate", "small", run=run.id))
    parts.append(button("Run again", "again", "small", run=run.id))
    parts.append(button("Use its settings", "use", "small", run=run.id))
    if run.state != "running":
        parts.append(button("Delete", "delete", "small bare", run=run.id))
    sentence = "Run again: the same settings on the facts that are ticked now."
    return (
        f'<div class="foot"><span class="pair">{"".join(parts)}</span>'
        f'<span class="quiet">{sentence}</span></div>'
    )
