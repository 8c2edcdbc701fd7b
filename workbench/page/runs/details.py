"""All there is about one run, unfolded below its row. Pure functions from data to HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from workbench.methods.events import EpochDone
from workbench.page.edit.choices import only_form
from workbench.page.edit.effect import Measured, effect_table
from workbench.page.edit.held import held_curves
from workbench.page.edit.missed import why_missed
from workbench.page.edit.run_card import metric_table, stop_loss_of
from workbench.page.kit.charts import loss_curve
from workbench.store.patch_header import PatchHeader
from workbench.store.runs import FactOutcome, Run
from workbench.work.templates import render
from workbench.work.words import clock, count, size, small

__all__ = ["MOST_MISSED", "RunDetails", "details", "setting_words", "took"]

MOST_MISSED = 50
REASONS = {
    "converged": "the stop rule",
    "epochs": "all epochs used",
    "enough": "you, who kept what there was",
}
NO_CURVE = {
    "running": "Its first epoch is going on.",
    "failed": "It failed before the end of its first epoch.",
}


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
        epochs: the epochs done, for what they counted.
        effects: the run and the last ones without something of it.
    """

    run: Run
    losses: Sequence[float] = ()
    learned: tuple[int, int] = (0, 0)
    missed: Sequence[FactOutcome] = ()
    patch: PatchHeader | None = None
    is_after: bool = False
    is_before: bool = False
    epochs: Sequence[EpochDone] = ()
    effects: Sequence[Measured] = ()


def details(view: RunDetails) -> Markup:
    """The inside of the unfolded row."""
    run = view.run
    learned, known = view.learned
    return render(
        "page/runs/details.html",
        view=view,
        curve=loss_curve(view.losses, len(view.losses), stop_loss_of(run)),
        held=held_curves(view.epochs, len(view.losses), only=only_form(run.settings)),
        effect=effect_table(view.effects),
        no_curve=_no_curve(view),
        settings=_settings(view),
        metrics=metric_table(run.metrics) if run.metrics else "",
        learned=learned,
        known=known,
        why=why_missed,
    )


def _no_curve(view: RunDetails) -> str:
    """Why there is no curve of the loss."""
    if view.losses:
        return f"Its loss after one epoch: {small(view.losses[0])}. A curve needs two."
    return NO_CURVE.get(view.run.state, "It ended before the end of its first epoch.")


def _settings(view: RunDetails) -> list[tuple[str, str, str]]:
    """Name, value and meaning of all that the run was made with and came to."""
    run, sentences = view.run, type(view.run.settings).help()
    rows = [("model", run.model, "The base."), ("facts", f"{run.facts:,}", "")]
    rows += [
        (name.replace("_", " "), setting_words(value), sentences[name])
        for name, value in run.settings.as_dict().items()
    ]
    if run.outcome.get("reason"):
        reason = str(run.outcome["reason"])
        rows.append(("ended by", REASONS.get(reason, reason), ""))
        rows.append(("took", took(run), "On the clock, hidden states included."))
    if view.patch is not None:
        rows.append(("patch", size(view.patch.bytes), ""))
        rows += [(name, shape, "A tensor of the patch.") for name, shape in _tensors(view.patch)]
        versions = ", ".join(f"{name} {number}" for name, number in view.patch.versions.items())
        rows.append(("made with", versions, view.patch.created))
    return rows


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
