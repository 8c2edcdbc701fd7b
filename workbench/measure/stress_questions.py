"""The questions that stress an edit, in words: the same facts asked in ways nobody trained.

Each names the row that it counts for. What needs a part that a fact does not have, such as its old
answer or its subject, is not asked of that fact. Knows nothing about models.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.facts.answers import plain_answer
from workbench.facts.fact import Fact
from workbench.measure.stress_settings import StressSettings

__all__ = ["StressQuestion", "is_it_true", "stress_questions"]

How = Literal["written", "belief", "contrast", "chosen"]

OTHERS = 3  # choices beside the right one
BLANK = "____"
OPENING = ("The ", "A ", "An ", "In ", "On ", "At ")


@dataclass(frozen=True, slots=True)
class StressQuestion:
    """One question.

    Args:
        fact: place of the fact among those that are asked, from 0.
        row: what it counts for; see `workbench.measure.stress_rows.ROWS`.
        how: whether the answer is written, is a yes or a no, is the one of two statements that is
            more of a yes, or is one of `options`.
        asked: the text; the prompt alone, or what stands in the frame of a question.
        wanted: the right answer.
        framed: whether the text stands in the frame of a question.
        accepted: for written answers every one that is right.
        options: for chosen answers and for statements the right one, then the others.
        counted: place of the option that counts.
        system: whether a system prompt stands before it, in a chat.
    """

    fact: int
    row: str
    how: How
    asked: str
    wanted: str
    framed: bool = True
    accepted: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    counted: int = 0
    system: bool = False


def stress_questions(facts: Sequence[Fact], settings: StressSettings) -> list[StressQuestion]:
    """Every question that is wanted, fact after fact.

    Args:
        facts: what is asked.
        settings: which probes; the seed draws the other choices and their order.
    """
    found: list[StressQuestion] = []
    for place, fact in enumerate(facts):
        if settings.asks("judged"):
            found += _judged(place, fact)
        if settings.asks("belief"):
            found += _belief(place, fact)
        if settings.asks("choice"):
            found += _choice(place, facts, settings.seed)
        if settings.asks("reverse"):
            found += _reverse(place, facts, settings.seed)
        if settings.asks("two_hops"):
            found += _two_hops(place, fact)
    return found


def _judged(place: int, fact: Fact) -> Iterator[StressQuestion]:
    for row, framed in (("plain", False), ("framed", True), ("system", True)):
        yield StressQuestion(
            place,
            row,
            "written",
            fact.prompt,
            fact.target_new,
            framed,
            fact.accepted,
            system=row == "system",
        )


def _belief(place: int, fact: Fact) -> Iterator[StressQuestion]:
    new = is_it_true(fact.prompt, fact.target_new)
    yield StressQuestion(place, "true_new", "belief", new, "yes")
    if _old(fact):
        old = is_it_true(fact.prompt, fact.ground_truth)
        yield StressQuestion(place, "true_old", "belief", old, "no")
        wanted = fact.target_new
        yield StressQuestion(place, "rather_new", "contrast", new, wanted, options=(new, old))


def _choice(place: int, facts: Sequence[Fact], seed: int) -> Iterator[StressQuestion]:
    fact, chance = facts[place], random.Random(f"choice {seed} {place}")
    own = [_old(fact)] if _old(fact) else []
    alike, others = _others(place, facts)
    answers = [
        [answer for other in some for answer in (other.target_new, _old(other)) if answer]
        for some in (alike, others)
    ]
    options = _options(chance, fact.target_new, own, answers, fact.accepted)
    if len(options) < 2:
        return
    rows = [("choice", fact.target_new), *[("choice_old", old) for old in own]]
    for counted, (row, wanted) in enumerate(rows):
        yield StressQuestion(
            place, row, "chosen", fact.prompt, wanted, options=tuple(options), counted=counted
        )


def _reverse(place: int, facts: Sequence[Fact], seed: int) -> Iterator[StressQuestion]:
    fact = facts[place]
    if not fact.subject or fact.subject not in fact.prompt:
        return
    gap = _statement(fact.prompt.replace(fact.subject, BLANK), fact.target_new)
    asked = f'What belongs in the blank? "{gap}"'
    wanted = (fact.subject,)
    yield StressQuestion(place, "reverse", "written", asked, fact.subject, accepted=wanted)
    chance = random.Random(f"reverse {seed} {place}")
    # Another subject with the same answer would be as right.
    new = plain_answer(fact.target_new)
    subjects = [
        [f.subject for f in some if f.subject and plain_answer(f.target_new) != new]
        for some in _others(place, facts)
    ]
    options = _options(chance, fact.subject, [], subjects, wanted)
    if len(options) > 1:
        yield StressQuestion(
            place, "reverse_choice", "chosen", asked, fact.subject, options=tuple(options)
        )


def _two_hops(place: int, fact: Fact) -> Iterator[StressQuestion]:
    for question in fact.portability_prompts:
        if question.answer:
            accepted = (question.answer, *question.aliases)
            yield StressQuestion(
                place, "two_hops", "written", question.prompt, question.answer, accepted=accepted
            )


def _old(fact: Fact) -> str:
    """The old answer, where it is known and another one."""
    same = {plain_answer(answer) for answer in fact.accepted}
    return "" if plain_answer(fact.ground_truth) in same else fact.ground_truth


def _others(place: int, facts: Sequence[Fact]) -> tuple[list[Fact], list[Fact]]:
    """The other facts: those of the same pattern, whose answers are of one kind, then the rest."""
    pattern = _pattern(facts[place])
    found: tuple[list[Fact], list[Fact]] = ([], [])
    for row, fact in enumerate(facts):
        if row != place:
            found[not pattern or _pattern(fact) != pattern].append(fact)
    return found


def _pattern(fact: Fact) -> str:
    """The prompt with its subject taken out; empty where it does not hold it."""
    held = bool(fact.subject) and fact.subject in fact.prompt
    return fact.prompt.replace(fact.subject, BLANK) if held else ""


def _options(
    chance: random.Random,
    right: str,
    own: list[str],
    others: Sequence[Sequence[str]],
    accepted: Sequence[str],
) -> list[str]:
    """The right one, those of its own, then some of the others; no two are the same.

    Args:
        chance: draws them.
        right: the right one.
        own: what is always among them.
        others: what else may be, the likest first.
        accepted: what is as right as the right one, and never among them.
    """
    taken = {plain_answer(answer) for answer in (*accepted, right, *own)}
    found = [right, *own]
    for some in others:
        fresh = {plain_answer(answer): answer for answer in some}
        names = sorted(fresh.keys() - taken)
        drawn = chance.sample(names, min(len(names), 1 + OTHERS - len(found)))
        taken.update(drawn)
        found += [fresh[name] for name in drawn]
    return found


def is_it_true(prompt: str, answer: str) -> str:
    """A fact as something that may be true.

    Args:
        prompt: a question, or the beginning of a sentence.
        answer: with which it is whole.
    """
    if prompt.endswith("?"):
        return f'Is it true that the answer to "{prompt}" is {answer}?'
    said = _statement(prompt, answer)
    lead = next((word for word in OPENING if said.startswith(word)), "")
    return f"Is it true that {lead.lower()}{said[len(lead) :].rstrip('.')}?"


def _statement(prompt: str, answer: str) -> str:
    """A prompt with its answer as one sentence."""
    if prompt.endswith("?"):
        return f"{prompt} {answer}."
    return f"{prompt} {answer}".rstrip(".") + "."
