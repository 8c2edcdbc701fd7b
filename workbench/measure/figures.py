"""Numbers of an evaluation that are no shares by a protocol, and how they are told.

How far the neighbours moved, what plain text costs the model, and how many written answers come to
an end. Pure functions; they read what earlier versions kept, which has fewer of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.facts.forms import ASKED_FORMS
from workbench.measure.protocols import FORM_WORDS, form_of, in_form
from workbench.measure.verdicts import QuestionVerdicts, Side, mean_divergence

__all__ = [
    "FIGURES",
    "FIGURE_NAMES",
    "SHORT",
    "FigureRow",
    "figure_help",
    "figure_rows",
    "figure_words",
    "figures_at",
    "figures_in",
    "short_figures",
]

FIGURES = {
    "neighbours_kl": (
        "KL divergence of neighbours",
        "How far the next token at prompts that must not change is from the base's: Kullback-"
        "Leibler divergence over the whole vocabulary, mean, in nats; 0 is unchanged.",
    ),
    "text_loss": (
        "loss of plain text",
        "Mean loss of a token on text that nothing is trained on, in nats; it should not rise.",
    ),
    "answers_ended": (
        "answers that stop by themselves",
        "The share of the written answers that came to an end before their room was used up.",
    ),
}
MORE_IS_BETTER = frozenset({"answers_ended"})
SHORT = ("KL of neighbours", "loss of text", "answers that stop")
"""The headings of `short_figures`."""

FIGURE_NAMES = tuple(
    in_form(name, form)
    for name in FIGURES
    for form in (ASKED_FORMS if name == "neighbours_kl" else ASKED_FORMS[:1])
)
"""Every figure there can be, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A figure before and after.

    Args:
        name: such as ``neighbours_kl_chat``.
        words: the same for people.
        help: what it says, in a sentence.
        before, after: the numbers; None where there is none.
        more_is_better: whether it should be high.
    """

    name: str
    words: str
    help: str
    before: float | None
    after: float | None
    more_is_better: bool

    @property
    def verdict(self) -> str:
        """What a change means, in words; empty where there is none."""
        if self.before is None or self.after is None or round(self.after - self.before, 3) == 0:
            return ""
        is_better = (self.after > self.before) == self.more_is_better
        return "better than the base" if is_better else "worse than the base"

    @property
    def change(self) -> str:
        """How much it rose, signed; empty where that is not known."""
        if self.before is None or self.after is None:
            return ""
        return f"{self.after - self.before:+.3f}"


def figures_at(
    rows: Iterable[QuestionVerdicts], side: Side, loss: float | None, unended: float | None
) -> dict[str, float]:
    """The figures of one state of the model by name; what was not measured is left out.

    Args:
        rows: of one evaluation.
        side: before or after the edit; neighbours have moved only after it.
        loss: of plain text.
        unended: the share of the written answers that did not stop.
    """
    rows = list(rows)
    found: dict[str, float | None] = {}
    if side == "after":
        found = {
            in_form("neighbours_kl", form): mean_divergence(rows, form) for form in ASKED_FORMS
        }
    found |= {
        "text_loss": loss,
        "answers_ended": None if unended is None else 1 - unended,
    }
    return {name: value for name, value in found.items() if value is not None}


def figures_in(evaluation: Mapping[str, Any], side: str) -> dict[str, float]:
    """The figures of one side of an evaluation as JSON-ready data, also of an earlier version's.

    Args:
        evaluation: `Evaluation.as_dict`, or a report's part.
        side: before or after.
    """
    found = dict((evaluation.get("figures") or {}).get(side) or {})
    unended = (evaluation.get("unended") or {}).get(side)
    if "answers_ended" not in found and unended is not None:
        found["answers_ended"] = 1 - unended
    return found


def figure_rows(evaluation: Mapping[str, Any]) -> list[FigureRow]:
    """The figures that an evaluation has, before and after; see `figures_in`."""
    before, after = (figures_in(evaluation, side) for side in ("before", "after"))
    return [
        FigureRow(
            name,
            figure_words(name),
            figure_help(name),
            before.get(name),
            after.get(name),
            name in MORE_IS_BETTER,
        )
        for name in FIGURE_NAMES
        if name in before or name in after
    ]


def short_figures(evaluation: Mapping[str, Any]) -> tuple[str, str, str]:
    """Three figures where there is little room, a dash for what is not known.

    Args:
        evaluation: see `figures_in`.

    Returns:
        The divergence of the raw neighbours, how much the loss of plain text rose, and the share of
        the answers that stop, after the edit.
    """
    before, after = (figures_in(evaluation, side) for side in ("before", "after"))
    risen = None
    if "text_loss" in before and "text_loss" in after:
        risen = after["text_loss"] - before["text_loss"]
    far, ended = after.get("neighbours_kl"), after.get("answers_ended")
    return (
        "–" if far is None else f"{far:.2f}",
        "–" if risen is None else f"{risen:+.2f}",
        "–" if ended is None else f"{ended:.2f}",
    )


def figure_words(name: str) -> str:
    """A figure for people, such as ``KL divergence of neighbours, in chat``."""
    basis, form = form_of(name)
    words = FIGURES[basis][0]
    return words if form == "raw" else f"{words}, {FORM_WORDS[form]}"


def figure_help(name: str) -> str:
    """What a figure says, in a sentence."""
    return FIGURES[form_of(name)[0]][1]
