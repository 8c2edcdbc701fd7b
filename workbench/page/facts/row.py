"""How one fact looks: its row in the table, and all there is about it when it is unfolded.

Pure functions from data to HTML.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from workbench.facts import Question
from workbench.store.fact_versions import Version
from workbench.store.facts import FactRow
from workbench.store.runs import FactOutcome
from workbench.work.templates import render

__all__ = ["ARROW", "COLUMNS", "Past", "details", "fact_row", "moment"]

ARROW = "=>"  # stands between a prompt and its answer on one line
COLUMNS = 6

NAMES = {
    "prompt": "prompt",
    "target_new": "new answer",
    "ground_truth": "old answer",
}
LEARNED = {
    None: ("", "not in the run shown"),
    True: ("yes", "learned"),
    False: ("no", "not learned"),
}
MOST_LINES = 8


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an unfolded row.

    Args:
        name: of the fact's own field.
        label: above it.
        value: what it holds.
        below: what is said below it.
        lines: how many are shown; 1 is a plain field.
    """

    name: str
    label: str
    value: str
    below: str = ""
    lines: int = 1


def fact_row(row: FactRow, unfolded: bool) -> Markup:
    """The row of a fact.

    Args:
        row: the fact.
        unfolded: whether its details stand below.
    """
    fact = row.fact
    kind, said = LEARNED[row.learned]
    measured = (fact.rephrase_prompts, fact.locality_prompts, fact.portability_prompts)
    further = (*measured, fact.wordings, fact.keep_prompts)
    return render(
        "page/facts/row.html",
        row=row,
        fact=fact,
        names=NAMES,
        extras=sum(map(len, further)),
        doubt=" ".join(f"{problem.what} {problem.mend}" for problem in row.problems),
        kind=kind,
        said=said,
        unfolded=unfolded,
    )


@dataclass(frozen=True, slots=True)
class Past:
    """What became of a fact until now.

    Args:
        versions: what it said before, the last first.
        outcomes: what runs did to it, with their numbers, the last first.
    """

    versions: Sequence[Version] = ()
    outcomes: Sequence[tuple[int, FactOutcome]] = ()


def details(
    row: FactRow, run: int | None, outcome: FactOutcome | None, past: Past | None = None
) -> Markup:
    """The row below an unfolded fact: everything about it, to see and to change.

    Args:
        row: the fact.
        run: the run that is shown as after; None for none.
        outcome: what that run did to it; None when it did not see it.
        past: what became of it until now; None for nothing.
    """
    past = past or Past()
    earlier = render(
        "page/facts/earlier.html", versions=past.versions, outcomes=past.outcomes, when=moment
    )
    return render(
        "page/facts/details.html",
        row=row,
        run=run,
        outcome=outcome,
        fields=_fields(row),
        earlier=earlier,
        columns=COLUMNS,
    )


def moment(seconds: float) -> str:
    """A moment as it stands in lists, such as ``28 Nov 08:12``.

    Args:
        seconds: since the epoch.
    """
    return time.strftime("%d %b %H:%M", time.localtime(seconds))


def _fields(row: FactRow) -> list[Field]:
    fact, question = row.fact, f"prompt {ARROW} answer"
    old = "What the model says without the edit."
    right = "Count as right, never trained on."
    asked = "\n".join(fact.rephrase_prompts)
    stays, follows, kept = map(
        _questions, (fact.locality_prompts, fact.portability_prompts, fact.keep_prompts)
    )
    wordings = "\n".join(fact.wordings)
    trained = "Trained on where the run trains other words."
    held = f"{question}; never measured."
    return [
        Field("subject", "Subject", fact.subject),
        Field("ground_truth", "Old answer", fact.ground_truth, old),
        _lines("rephrase_prompts", "Other ways to ask, one a line", asked, "Never trained on."),
        _lines("aliases", "Other right answers, one a line", "\n".join(fact.aliases), right),
        _lines("locality_prompts", "What must stay, one a line", stays, question),
        _lines("portability_prompts", "What follows from it, one a line", follows, question),
        _lines("wordings", "Other words to train on, one a line", wordings, trained),
        _lines("keep_prompts", "What is trained to stay, one a line", kept, held),
    ]


def _lines(name: str, label: str, value: str, below: str) -> Field:
    return Field(name, label, value, below, min(MOST_LINES, max(3, value.count("\n") + 1)))


def _questions(questions: Iterable[Question]) -> str:
    return "\n".join(f"{q.prompt} {ARROW} {q.answer}" if q.answer else q.prompt for q in questions)
