"""What forms and what must stay have brought: a run beside the last ones without them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from workbench.measure.figures import FIGURE_NAMES, figure_words, figures_in
from workbench.methods.events import EpochDone
from workbench.methods.locft_settings import EditSettings
from workbench.page.edit.choices import only_form, ticked_forms, ticked_kept
from workbench.page.edit.held import shares_of
from workbench.page.edit.questions import FORM_WORDS, KEPT_WORDS
from workbench.store import Store
from workbench.store.runs import Run
from workbench.work.templates import render

__all__ = ["Measured", "effect_table", "effects", "last_without"]

AFTERWARDS = (
    ("as a sentence", "reliability_strict"),
    ("as a question", "reliability_question_strict"),
    ("in a chat", "reliability_chat_strict"),
    ("rephrased", "generalization_strict"),
    ("neighbours, first token unchanged", "locality_first_strict"),
    ("neighbours, answer unchanged", "locality_strict"),
)
"""What an evaluation says of forms and neighbours, with its words."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A run with what its last epoch counted.

    Args:
        run: the run.
        shares: by name, such as a form's.
        without: what it lacks of the run that it stands beside, in plain words.
    """

    run: Run
    shares: dict[str, float] = field(default_factory=dict)
    without: tuple[str, ...] = ()


def effects(store: Store, run: Run) -> list[Measured]:
    """A finished run, then the last earlier ones that lack something it was trained with.

    Args:
        store: the session.
        run: any run; there is nothing for one that is not done, or the first of its kind.
    """
    if run.state != "done":
        return []
    others = last_without(run, store.runs.all())
    pairs = [(run, ()), *others] if others else []
    return [Measured(found, _shares(store, found), words) for found, words in pairs]


def last_without(run: Run, runs: Sequence[Run]) -> list[tuple[Run, tuple[str, ...]]]:
    """For each form and each thing kept, the last run before without it; each run once.

    Args:
        run: the run that is looked at.
        runs: those of its session, the newest first.
    """
    earlier = [
        other
        for other in runs
        if other.id < run.id and other.state == "done" and other.model == run.model
    ]
    found: dict[int, tuple[Run, tuple[str, ...]]] = {}
    for lever in _levers(run):
        other = next((other for other in earlier if lever not in _levers(other)), None)
        if other is not None:
            _, words = found.get(other.id, (other, ()))
            found[other.id] = (other, (*words, lever))
    return sorted(found.values(), key=lambda pair: -pair[0].id)


def _levers(run: Run) -> Iterator[str]:
    """What a run was trained with, in plain words."""
    settings = run.settings
    if isinstance(settings, EditSettings):
        yield from (FORM_WORDS.get(form, (form,))[0] for form in ticked_forms(settings))
        yield from (KEPT_WORDS[kind][0] for kind in ticked_kept(settings))


def _shares(store: Store, run: Run) -> dict[str, float]:
    last = store.runs.last_event(run.id, EpochDone)
    return shares_of(last, only_form(run.settings)) if isinstance(last, EpochDone) else {}


def effect_table(runs: Sequence[Measured]) -> Markup:
    """Runs side by side; empty where there is nothing to compare.

    Args:
        runs: the run that is looked at, then those without something.
    """
    if len(runs) < 2:
        return Markup()
    names = dict.fromkeys(name for measured in runs for name in measured.shares)
    afters = [measured.run.metrics.get("after") or {} for measured in runs]
    counted = [(name, [measured.shares.get(name) for measured in runs]) for name in names]
    evaluated = [(words, [after.get(name) for after in afters]) for words, name in AFTERWARDS]
    told = [figures_in(measured.run.metrics, "after") for measured in runs]
    figures = [(figure_words(name), [found.get(name) for found in told]) for name in FIGURE_NAMES]
    parts = [
        (title, [row for row in rows if any(value is not None for value in row[1])])
        for title, rows in (
            ("counted in the last epoch", counted),
            ("measured afterwards, by the strict protocol", evaluated),
            ("and what no protocol judges", figures),
        )
    ]
    parts = [(title, rows) for title, rows in parts if rows]
    return render("page/edit/effect.html", runs=runs, parts=parts) if parts else Markup()
