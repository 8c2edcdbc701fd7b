"""Two runs side by side. Pure functions from data to HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from workbench.methods.events import EpochDone
from workbench.page.edit.choices import only_form
from workbench.page.edit.held import held_curves
from workbench.page.probe.answers import marked
from workbench.page.runs.details import took
from workbench.page.runs.measures import measures_of_two
from workbench.page.runs.overlay import Laid, differing_settings, pictures_of
from workbench.store.run_pair import Differences
from workbench.store.runs import Run
from workbench.work.templates import render

__all__ = ["MOST_FACTS", "Comparison", "comparison_card"]

MOST_FACTS = 50
NOTHING = Differences(0, ())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs and where they differ.

    Args:
        first, second: the runs, the older one first.
        first_losses, second_losses: mean loss of each epoch.
        shared: how many facts both compiled with the same answer.
        learned_by_first, learned_by_second: facts that only this one learned.
        answers: facts to which their answers differ.
        first_epochs, second_epochs: the epochs done, for what they counted.
        hues: the colours of both, places in the palette.
    """

    first: Run
    second: Run
    first_losses: Sequence[float] = ()
    second_losses: Sequence[float] = ()
    shared: int = 0
    learned_by_first: Differences = NOTHING
    learned_by_second: Differences = NOTHING
    answers: Differences = NOTHING
    first_epochs: Sequence[EpochDone] = ()
    second_epochs: Sequence[EpochDone] = ()
    hues: tuple[int, int] = (1, 2)


def comparison_card(view: Comparison) -> Markup:
    """Everything in which two runs differ."""
    first, second = view.first, view.second
    laid = pictures_of(
        [
            Laid(first, first.name, view.first_losses, view.first_epochs, view.hues[0]),
            Laid(second, second.name, view.second_losses, view.second_epochs, view.hues[1]),
        ]
    )
    return render(
        "page/runs/compare.html",
        view=view,
        settings=differing_settings([first, second]),
        laid=laid,
        held=_held(view),
        took=took,
        measures=measures_of_two(*laid.runs),
        marked=marked,
    )


def _held(view: Comparison) -> list[tuple[str, Markup]]:
    """Each run's name with the curves of what held in it; nothing where neither counted any."""
    pairs = ((view.first, view.first_epochs), (view.second, view.second_epochs))
    longest = max((epoch.epoch for _, epochs in pairs for epoch in epochs), default=0)
    drawn = [
        (run.name, held_curves(epochs, longest, only=only_form(run.settings), beside=longest))
        for run, epochs in pairs
    ]
    return drawn if any(curves for _, curves in drawn) else []
