"""What came of an evaluation, question by question, and the shares that follow from it.

A fact brings questions: its prompt, rephrases, locality and portability prompts. Each is judged
before and after the edit, as it is and in further forms. Everything that is shown follows from
these rows alone, and groups of facts are measured without asking the model again. Knows nothing
about models.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.facts.forms import AskedForm
from workbench.measure.protocols import (
    EVERY_MEASURE,
    Measured,
    Protocol,
    form_of,
    metric_name,
    protocols_for,
)
from workbench.measure.statistics import interval

__all__ = [
    "FormVerdicts",
    "QuestionVerdicts",
    "Role",
    "Side",
    "Verdict",
    "mean_divergence",
    "measure_rows",
    "value_of",
]

Role = Literal["prompt", "rephrase", "locality", "portability"]
Side = Literal["before", "after"]

ROLE_OF: dict[str, Role] = {
    "reliability": "prompt",
    "generalization": "rephrase",
    "locality": "locality",
    "locality_first": "locality",
    "locality_right": "locality",
    "portability": "portability",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judgement of one state of the model on one question, by each protocol.

    Args:
        strict: whether every token and the end was the first choice; None when not judged.
        token: share of the answer's tokens that were; likewise.
        generated: whether the written answer is the wanted one; None when none was written.
    """

    strict: bool | None = None
    token: float | None = None
    generated: bool | None = None

    def by(self, protocol: Protocol) -> float | None:
        """The judgement as a number from 0 to 1; None when there is none."""
        value = getattr(self, protocol)
        return None if value is None else float(value)


NOT_JUDGED = Verdict()


@dataclass(frozen=True, slots=True)
class FormVerdicts:
    """What became of one question in one form.

    Args:
        form: in which it was asked; raw is the prompt as it is.
        before, after: against the right answer, teacher-forced; for raw they stand in the
            question's own row.
        first: whether the likeliest first token is what it was before; for locality prompts only.
        divergence: how far the edited model's next token is from the base's, as Kullback-Leibler
            divergence over the whole vocabulary, in nats; likewise.
    """

    form: AskedForm
    before: Verdict = NOT_JUDGED
    after: Verdict = NOT_JUDGED
    first: bool | None = None
    divergence: float | None = None


@dataclass(frozen=True, slots=True)
class QuestionVerdicts:
    """One question of one fact, judged before and after.

    Args:
        fact: place of the fact among those evaluated, from 0.
        role: what the question is to the fact.
        prompt: what was asked.
        wanted: the right answer; empty when nobody stated it.
        before, after: against the right answer; `after` is not judged without an edit.
        unchanged: against what was said before the edit; for locality prompts only.
        said_before, said_after: the written answers; None when none was asked for.
        forms: what became of it in further forms, and beside the answers in the raw one.
    """

    fact: int
    role: Role
    prompt: str
    wanted: str
    before: Verdict = NOT_JUDGED
    after: Verdict = NOT_JUDGED
    unchanged: Verdict = NOT_JUDGED
    said_before: str | None = None
    said_after: str | None = None
    forms: tuple[FormVerdicts, ...] = ()

    def in_form(self, form: AskedForm) -> FormVerdicts | None:
        """What became of it in a form; None where it was not asked so."""
        return next((found for found in self.forms if found.form == form), None)

    @property
    def failed(self) -> bool:
        """Whether the edit did not do here what it should: locality changed, any other is wrong.

        The generated answer counts where there is one, else the strict judgement.
        """
        judged = self.unchanged if self.role == "locality" else self.after
        verdict = judged.strict if judged.generated is None else judged.generated
        return verdict is False


def value_of(row: QuestionVerdicts, measure: str, protocol: Protocol, side: Side) -> float | None:
    """What a question adds to a measure; None when it does not belong to it, or was not judged."""
    basis, form = form_of(measure)
    if row.role != ROLE_OF[basis]:
        return None
    asked = row.in_form(form)
    if basis == "locality_first":
        first = asked.first if asked is not None and side == "after" else None
        return None if first is None else float(first)
    if basis == "locality":
        return row.unchanged.by(protocol) if side == "after" else None
    judged = row if form == "raw" else asked
    if judged is None:
        return None
    return (judged.before if side == "before" else judged.after).by(protocol)


def mean_divergence(rows: Iterable[QuestionVerdicts], form: AskedForm) -> float | None:
    """The mean divergence from the base at the locality prompts in a form; None without any."""
    asked = [found for row in rows if (found := row.in_form(form)) is not None]
    values = [found.divergence for found in asked if found.divergence is not None]
    return sum(values) / len(values) if values else None


def measure_rows(
    rows: Iterable[QuestionVerdicts], side: Side, *, seed: int = 0
) -> dict[str, Measured]:
    """Every measure by every protocol that something was judged for, by name.

    Args:
        rows: of the same evaluation.
        side: before or after the edit; what is unchanged stands only after.
        seed: draws the resamples.
    """
    rows = list(rows)
    found: dict[str, Measured] = {}
    for measure in EVERY_MEASURE:
        own = [row for row in rows if row.role == ROLE_OF[form_of(measure)[0]]]
        for protocol in protocols_for(measure):
            values = [(row.fact, value_of(row, measure, protocol, side)) for row in own]
            there = [(fact, value) for fact, value in values if value is not None]
            if there:
                found[metric_name(measure, protocol)] = _measured(measure, protocol, there, seed)
    return found


def _measured(
    measure: str, protocol: Protocol, values: Sequence[tuple[int, float]], seed: int
) -> Measured:
    facts = np.array([fact for fact, _ in values])
    right = np.array([value for _, value in values])
    _, place = np.unique(facts, return_inverse=True)
    sums = np.bincount(place, weights=right).astype(np.float64)
    counts = np.bincount(place).astype(np.float64)
    low, high = interval(sums, counts, seed=seed)
    return Measured(measure, protocol, float(right.mean()), low, high, len(values))
