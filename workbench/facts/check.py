"""What is doubtful about facts that can be read, alone and among each other.

Invariant: whatever is found here is a warning but for two answers to one prompt; the facts
themselves are not changed, only equal ones united.
Knows no model, so nothing is said about tokens.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from workbench.facts.answers import plain_answer
from workbench.facts.columns import Layout
from workbench.facts.fact import Fact
from workbench.facts.problems import Problem, shorten

__all__ = ["Collection", "fact_problems"]

_Item = TypeVar("_Item")


class Collection:
    """Facts by their prompts, in the order in which they came, and what is doubtful about them.

    Args:
        layout: gives the columns their names in the messages.
    """

    def __init__(self, layout: Layout) -> None:
        self.problems: list[Problem] = []
        self.merged = 0
        self.rejected = 0
        self._layout = layout
        self._facts: dict[str, Fact] = {}
        self._rows: dict[str, int] = {}

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts that were taken in."""
        return tuple(self._facts.values())

    @property
    def row_numbers(self) -> tuple[int, ...]:
        """The row of each of `facts`."""
        return tuple(self._rows.values())

    def reject(self, problems: list[Problem]) -> None:
        """Counts a row that gave no fact, and notes why."""
        self.rejected += 1
        self.problems.extend(problems)

    def add(self, row: int, fact: Fact) -> None:
        """Takes a fact in, unites it with an equal one, or rejects it as a contradiction."""
        key = _key(fact.prompt)
        if key not in self._facts:
            self._facts[key], self._rows[key] = fact, row
            self.problems.extend(self._alone(row, fact))
            return
        first, first_row = self._facts[key], self._rows[key]
        if plain_answer(first.target_new) == plain_answer(fact.target_new):
            self._facts[key] = _united(first, fact)
            self.merged += 1
            what = f"Row {first_row} has the same prompt and the same answer; the two are one fact."
            mend = "Delete one of the rows."
            self.problems.append(self._warning(row, "prompt", what, mend, "merged"))
            return
        what = (
            f"Row {first_row} answers the same prompt with '{shorten(first.target_new)}', "
            f"this one with '{shorten(fact.target_new)}'; that row was kept."
        )
        mend = "Keep the row that is right, and delete the other."
        column = self._layout.column("target_new")
        self.reject([Problem(row, column, what, mend, "error", "conflict")])

    def finish(self) -> None:
        """Compares every fact with all others; to be called once, after the last `add`."""
        for key, fact in self._facts.items():
            self.problems.extend(self._among_others(self._rows[key], key, fact))
        self.problems.sort(key=lambda problem: problem.row)

    def _alone(self, row: int, fact: Fact) -> Iterator[Problem]:
        """What is doubtful about one fact by itself, with its row and the file's names."""
        for problem in fact_problems(fact):
            yield replace(problem, row=row, field=self._layout.column(problem.field))

    def _among_others(self, row: int, key: str, fact: Fact) -> Iterator[Problem]:
        """Which of a fact's further prompts are trained on as another fact's prompt."""
        for rephrase in fact.rephrase_prompts:
            other = _key(rephrase)
            if other != key and other in self._facts:
                what = (
                    f"The rephrase '{shorten(rephrase)}' is the prompt of row {self._rows[other]}, "
                    f"whose answer is '{shorten(self._facts[other].target_new)}'."
                )
                mend = "Ask it in other words, or delete one of the two."
                yield self._warning(row, "rephrase_prompts", what, mend, "rephrase is fact")
        for question in fact.locality_prompts:
            other = _key(question.prompt)
            if other in self._facts:
                what = (
                    f"The locality prompt '{shorten(question.prompt)}' must not change, but "
                    f"row {self._rows[other]} edits it."
                )
                mend = "Choose a locality prompt that no row edits."
                yield self._warning(row, "locality_prompts", what, mend, "locality is fact")

    def _warning(self, row: int, part: str, what: str, mend: str, kind: str) -> Problem:
        return Problem(row, self._layout.column(part), what, mend, "warning", kind)


def fact_problems(fact: Fact) -> tuple[Problem, ...]:
    """What is doubtful about one fact by itself: warnings with row 0.

    Args:
        fact: the fact, from wherever it came.

    Returns:
        The warnings; `Problem.field` is the name of the part, such as ``target_new``.
    """
    return tuple(_doubts(fact))


def _doubts(fact: Fact) -> Iterator[Problem]:
    answer = fact.target_new
    if fact.ground_truth and plain_answer(answer) == plain_answer(fact.ground_truth):
        what = f"The new answer is the old one: '{shorten(answer)}'."
        mend = "Change the new answer, or delete the row."
        yield Problem(0, "target_new", what, mend, "warning", "no change")
    if _holds(fact.prompt, answer):
        what = f"The answer '{shorten(answer)}' already stands in the prompt."
        mend = "Ask so that the answer is not given away, unless it is meant so."
        yield Problem(0, "target_new", what, mend, "warning", "answer in prompt")
    if "." in answer or "\n" in answer:
        stop = "a full stop" if "." in answer else "a line end"
        what = f"The answer holds {stop}, where the generated protocol stops reading."
        mend = "Write it without, or trust the strict protocol only for this fact."
        yield Problem(0, "target_new", what, mend, "warning", "answer cut")
    if any(_key(rephrase) == _key(fact.prompt) for rephrase in fact.rephrase_prompts):
        what = "A rephrase is the prompt itself, so it says nothing about generalization."
        mend = "Ask it in other words."
        yield Problem(0, "rephrase_prompts", what, mend, "warning", "rephrase is prompt")
    if "�" in fact.prompt or "�" in answer:
        what = "The text holds '�', which stands for a character that was lost."
        mend = "Write the character again, and save the file as UTF-8."
        yield Problem(0, "prompt", what, mend, "warning", "lost character")


def _key(prompt: str) -> str:
    """What makes two prompts the same: all but the blanks between words."""
    return " ".join(prompt.split())


def _holds(prompt: str, answer: str) -> bool:
    """Whether the answer stands in the prompt as words of its own."""
    low, sought = prompt.lower(), answer.lower()
    if sought not in low:
        return False
    return re.search(rf"(?<!\w){re.escape(sought)}(?!\w)", low) is not None


def _united(first: Fact, second: Fact) -> Fact:
    """The first fact with what only the second one has."""
    return replace(
        first,
        subject=first.subject or second.subject,
        ground_truth=first.ground_truth or second.ground_truth,
        rephrase_prompts=_unique(first.rephrase_prompts, second.rephrase_prompts),
        locality_prompts=_unique(first.locality_prompts, second.locality_prompts),
        portability_prompts=_unique(first.portability_prompts, second.portability_prompts),
    )


def _unique(first: tuple[_Item, ...], second: tuple[_Item, ...]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys(first + second))
