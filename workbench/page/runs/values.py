"""What is known of a run, value by value: what it is, its settings, what it took, its measures.

Each value has a key, such as ``set.learning_rate`` or ``after.reliability_strict``, and words for
people. Runs are grouped by values and laid out over them. Pure functions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.measure.figures import FIGURE_NAMES, figure_words, figures_in
from workbench.measure.protocols import EVERY_MEASURE, PROTOCOLS, metric_name, words_of
from workbench.methods.base import method_name
from workbench.page.runs.details import setting_words
from workbench.store.runs import Run

__all__ = [
    "RunLine",
    "Values",
    "is_chosen",
    "is_measured",
    "measures_in",
    "number_of",
    "settings_in",
    "text_of",
    "values_of",
    "words_for",
]

SETTING, MEASURED = "set.", "after."


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


Values = Mapping[str, object]
OWN = {
    "run.method": "method",
    "run.model": "model",
    "run.at": "place",
    "run.facts": "facts",
    "run.state": "state",
}
TOOK = {"took.loss": "last loss", "took.epochs": "epochs done", "took.seconds": "seconds"}
SHARES = {
    MEASURED + metric_name(measure, protocol): f"{words_of(measure)} ({protocol})"
    for protocol in PROTOCOLS
    for measure in EVERY_MEASURE
}
FIGURES = {MEASURED + name: figure_words(name) for name in FIGURE_NAMES}
WORDS = {**OWN, **TOOK, **SHARES, **FIGURES}


def values_of(line: RunLine) -> dict[str, object]:
    """All values of a run by their keys; what is not known of it is left out."""
    run = line.run
    settings = run.settings.as_dict()
    after = {**(run.metrics.get("after") or {}), **figures_in(run.metrics, "after")}
    found: dict[str, object] = {
        "run.method": method_name(run.method),
        "run.model": run.model,
        "run.at": ", ".join(run.at),
        "run.facts": run.facts,
        "run.state": run.state,
        **{SETTING + name: value for name, value in settings.items() if name != "at"},
        "took.loss": line.losses[-1] if line.losses else None,
        "took.epochs": run.outcome.get("epochs"),
        "took.seconds": run.outcome.get("seconds"),
        **{MEASURED + name: value for name, value in after.items()},
    }
    return {
        key: value for key, value in found.items() if value is not None or key.startswith(SETTING)
    }


def words_for(key: str) -> str:
    """A value's key for people, such as ``learning rate``."""
    return WORDS.get(key) or key.partition(".")[2].replace("_", " ")


def settings_in(runs: Sequence[Values]) -> list[str]:
    """The keys of what runs are and of their settings, as far as these differ.

    Args:
        runs: the values of each.
    """
    names = dict.fromkeys(key for run in runs for key in run if key.startswith(SETTING))
    return [key for key in (*OWN, *names) if len({text_of(run, key) for run in runs}) > 1]


def measures_in(runs: Sequence[Values]) -> list[str]:
    """The keys of the measures that at least one of the runs has, and of what runs took.

    Args:
        runs: the values of each.
    """
    keys = (*SHARES, *FIGURES, *TOOK)
    return [key for key in keys if any(number_of(run, key) is not None for run in runs)]


def is_measured(key: str) -> bool:
    """Whether a value was measured after the edit, such as a share."""
    return key.startswith(MEASURED)


def is_chosen(key: str) -> bool:
    """Whether a value was chosen rather than measured, so that it may also be a word."""
    return key.startswith((SETTING, "run."))


def number_of(run: Values, key: str) -> float | None:
    """A value as a number; None where there is none, or it is none."""
    value = run.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def text_of(run: Values, key: str) -> str:
    """A value in words, never empty; a dash where the run has none."""
    return (setting_words(run[key]) if key in run else "") or "–"
