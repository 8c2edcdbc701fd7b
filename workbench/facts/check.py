"""What facts that can be read have to do with each other: equal, contrary, or in each other's way.

Invariant: rows taken = facts + merged + rejected. Two answers to one prompt are an error for the
second row; whatever else is found here is a warning. The facts themselves are not changed, only
equal ones united.
Knows no model, so nothing is said about tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from workbench.facts.doubts import fact_problems
from workbench.facts.fact import Fact
from workbench.facts.layout import Layout
from workbench.facts.overlaps import overlaps
from workbench.facts.problems import Problem, shorten
from workbench.facts.rows import Reading
from workbench.facts.same import answer_key, prompt_key

__all__ = ["Collection", "Conflict", "fact_problems"]

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Conflict:
    """Rows that answer one prompt in different ways.

    Args:
        prompt: the prompt.
        rows: each row's number with its fact; the first is the one that was kept.
    """

    prompt: str
    rows: tuple[tuple[int, Fact], ...]


class Collection:
    """Facts by their prompts, in the order in which they came, and what is doubtful about them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.merged = 0
        self.rejected = 0
        self._facts: dict[str, Fact] = {}
        self._rows: dict[str, int] = {}
        self._against: dict[str, list[tuple[int, Fact]]] = {}

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts that were taken in."""
        return tuple(self._facts.values())

    @property
    def numbers(self) -> tuple[int, ...]:
        """The row of each fact; the first one where several were united."""
        return tuple(self._rows.values())

    @property
    def taken(self) -> int:
        """How many rows came in."""
        return len(self._facts) + self.merged + self.rejected

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The prompts that have several answers, with all their rows."""
        return tuple(
            Conflict(self._facts[key].prompt, ((self._rows[key], self._facts[key]), *others))
            for key, others in self._against.items()
        )

    def take(self, row: int, reading: Reading, layout: Layout) -> None:
        """Takes in what a row gave: a fact, or why there is none.

        Args:
            row: the row's number.
            reading: what it gave.
            layout: gives the columns their names in the messages.
        """
        if reading.fact is None:
            self._reject(*reading.problems)
            return
        self.problems.extend(reading.problems)
        fact, key = reading.fact, prompt_key(reading.fact.prompt)
        if key not in self._facts:
            self._facts[key], self._rows[key] = fact, row
            for doubt in fact_problems(fact, reading.old_answers):
                self.problems.append(replace(doubt, row=row, field=layout.column(doubt.field)))
        elif answer_key(self._facts[key].target_new) == answer_key(fact.target_new):
            self._unite(key, row, fact, layout)
        else:
            self._oppose(key, row, fact, layout)

    def finish(self, layout: Layout) -> None:
        """Compares every fact with all others; to be called once, after the last `take`."""
        rephrased = self._rephrases()
        for key, fact in self._facts.items():
            for part, what, mend, kind in self._among_others(key, fact, rephrased):
                column = layout.column(part)
                self.problems.append(Problem(self._rows[key], column, what, mend, "warning", kind))
        numbers = self.numbers
        for overlap in overlaps(self.facts):
            if overlap.fact != overlap.owner:  # what one fact has twice was told when it came in
                row, owner = numbers[overlap.fact], numbers[overlap.owner]
                what, column = f"{overlap.what} row {owner}.", layout.column(overlap.part)
                found = Problem(row, column, what, overlap.mend, "warning", overlap.kind)
                self.problems.append(found)
        self.problems.sort(key=lambda problem: problem.row)

    def _reject(self, *problems: Problem) -> None:
        self.rejected += 1
        self.problems.extend(problems)

    def _unite(self, key: str, row: int, fact: Fact, layout: Layout) -> None:
        first = self._facts[key]
        self._facts[key] = _united(first, fact)
        self.merged += 1
        what = f"Row {self._rows[key]} has the same prompt and the same answer."
        if not _is_equal(first, fact):
            what = (
                f"Row {self._rows[key]} has the same prompt and the same answer in other "
                f"characters: '{shorten(first.prompt)}', '{shorten(first.target_new)}'."
            )
        mend = "Delete one of the rows; until then they count as one fact."
        column = layout.column("prompt")
        self.problems.append(Problem(row, column, what, mend, "warning", "merged"))

    def _oppose(self, key: str, row: int, fact: Fact, layout: Layout) -> None:
        first = self._facts[key]
        self._against.setdefault(key, []).append((row, fact))
        same = (
            "the same prompt"
            if _blanks(first.prompt) == _blanks(fact.prompt)
            else (f"'{shorten(first.prompt)}'")
        )
        what = (
            f"Row {self._rows[key]} answers {same} with '{shorten(first.target_new)}', "
            f"this one with '{shorten(fact.target_new)}'; that row was kept."
        )
        mend = "Keep the row that is right, and delete the other."
        column = layout.column("target_new")
        self._reject(Problem(row, column, what, mend, "error", "conflict"))

    def _rephrases(self) -> dict[str, str]:
        """For every rephrase, the key of the first fact that has it."""
        found: dict[str, str] = {}
        for key, fact in self._facts.items():
            for rephrase in fact.rephrase_prompts:
                found.setdefault(prompt_key(rephrase), key)
        return found

    def _among_others(
        self, key: str, fact: Fact, rephrased: dict[str, str]
    ) -> Iterator[tuple[str, str, str, str]]:
        """Yields (part, what, mend, kind) where a further prompt is another fact's."""
        for rephrase in fact.rephrase_prompts:
            other = prompt_key(rephrase)
            if other != key and other in self._facts:
                what = f"The rephrase '{shorten(rephrase)}' is the prompt of {self._told(other)}."
                mend = "Ask it in other words, or delete one of the two."
                yield "rephrase_prompts", what, mend, "rephrase is fact"
            owner = rephrased[other]
            if answer_key(self._facts[owner].target_new) != answer_key(fact.target_new):
                what = f"The rephrase '{shorten(rephrase)}' is also one of {self._told(owner)}."
                mend = "Ask one of the two in other words."
                yield "rephrase_prompts", what, mend, "rephrase shared"
        for question in fact.locality_prompts:
            other = prompt_key(question.prompt)
            asked = f"The locality prompt '{shorten(question.prompt)}' must not change, but"
            mend = "Choose a locality prompt that no row edits."
            if other in self._facts:
                what = f"{asked} it is edited by {self._told(other)}."
                yield "locality_prompts", what, mend, "locality is fact"
            elif other in rephrased:
                what = f"{asked} it is a rephrase of {self._told(rephrased[other])}."
                yield "locality_prompts", what, mend, "locality is rephrase"

    def _told(self, key: str) -> str:
        answer = shorten(self._facts[key].target_new)
        return f"row {self._rows[key]}, whose answer is '{answer}'"


def _is_equal(first: Fact, second: Fact) -> bool:
    """Whether two facts have the same prompt and answer, but for blanks."""
    return _blanks(first.prompt) == _blanks(second.prompt) and _blanks(first.target_new) == _blanks(
        second.target_new
    )


def _blanks(text: str) -> str:
    return " ".join(text.split())


def _united(first: Fact, second: Fact) -> Fact:
    """The first fact with what only the second one has."""
    return replace(
        first,
        subject=first.subject or second.subject,
        ground_truth=first.ground_truth or second.ground_truth,
        rephrase_prompts=_unique(first.rephrase_prompts, second.rephrase_prompts),
        locality_prompts=_unique(first.locality_prompts, second.locality_prompts),
        portability_prompts=_unique(first.portability_prompts, second.portability_prompts),
        aliases=_unique(first.aliases, second.aliases),
        wordings=_unique(first.wordings, second.wordings),
        keep_prompts=_unique(first.keep_prompts, second.keep_prompts),
    )


def _unique(first: tuple[_Item, ...], second: tuple[_Item, ...]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys(first + second))
