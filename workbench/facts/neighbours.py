"""Prompts that should be answered as before: the facts' own templates about other subjects.

Invariant: no prompt that a fact teaches or brings to be kept, and none by which it is measured (its
rephrases, locality and portability prompts), is ever among them. Knows nothing about models.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import cycle

from workbench.facts.fact import Fact
from workbench.facts.same import prompt_key
from workbench.facts.subject_kinds import listed_subjects

__all__ = ["are_few", "neighbours", "said_keys"]

FEW = 6
"""With no more subjects than that, subjects of the same kind that everybody knows are added."""

FILLED = 12
"""So many prompts a fact has then."""


def neighbours(
    facts: Sequence[Fact],
    per_fact: int,
    seed: int,
    *,
    wordings: Sequence[Sequence[str]] = (),
    subjects: Sequence[str] = (),
    named: int = 0,
    listed: bool = False,
) -> list[str]:
    """Prompts about other subjects, in the words of the facts.

    A fact without a subject, or whose prompt does not hold it, has none.

    Args:
        facts: what is to be learned.
        per_fact: most prompts for each, about the subjects of other facts.
        seed: decides the subjects.
        wordings: each fact's prompt in other words, in which every second neighbour is put.
        subjects: further ones, that somebody named.
        named: most prompts for each about these.
        listed: whether subjects that everybody knows are added where there are few.
    """
    chance = random.Random(f"neighbours {seed}")
    own, others = sorted(set(subjects)), sorted({fact.subject for fact in facts if fact.subject})
    fill = listed and are_few(facts, subjects)
    taken = said_keys(facts)
    found: list[str] = []
    for row, fact in enumerate(facts):
        if not fact.subject or fact.subject not in fact.prompt:
            continue
        words = cycle([text for text in wordings[row] if fact.subject in text] if wordings else [])
        mine = _about(fact, own, named, taken, chance, words)
        mine += _about(fact, others, per_fact, taken, chance, words)
        if fill:
            known = listed_subjects(fact, chance)
            mine += _about(fact, known, max(0, FILLED - len(mine)), taken, chance, words)
        found += mine
    return found


def are_few(facts: Sequence[Fact], subjects: Sequence[str] = ()) -> bool:
    """Whether the facts are about so few that their prompts need other subjects.

    Args:
        facts: what is to be learned.
        subjects: further ones, that somebody named.
    """
    return len({*subjects, *(fact.subject for fact in facts if fact.subject)}) <= FEW


def _about(
    fact: Fact,
    subjects: Sequence[str],
    most: int,
    taken: set[str],
    chance: random.Random,
    words: Iterator[str],
) -> list[str]:
    """A fact's prompt about some other subjects, every second in the next of its other words.

    What is `taken` is passed over, and grows.
    """
    found: list[str] = []
    for other in chance.sample(subjects, min(len(subjects), 4 * most)):
        prompt = fact.prompt.replace(fact.subject, other)
        key = prompt_key(prompt)
        if key in taken or len(found) == most:
            continue
        taken.add(key)
        if len(found) % 2:
            # What is measured may be among them; then the prompt stays as it is.
            worded = next(words, fact.prompt).replace(fact.subject, other)
            if prompt_key(worded) not in taken:
                prompt = worded
                taken.add(prompt_key(prompt))
        found.append(prompt)
    return found


def said_keys(facts: Sequence[Fact], *, brought: bool = True) -> set[str]:
    """Keys (`prompt_key`) of every prompt that facts teach, and of all by which they are measured.

    Args:
        facts: what is to be learned.
        brought: also of what they bring to be trained on: their wordings and keep prompts.
    """
    return {prompt_key(prompt) for fact in facts for prompt in _said(fact, brought)}


def _said(fact: Fact, brought: bool) -> Iterator[str]:
    yield fact.prompt
    yield from fact.rephrase_prompts
    for question in (*fact.locality_prompts, *fact.portability_prompts):
        yield question.prompt
    if brought:
        yield from fact.wordings
        yield from (question.prompt for question in fact.keep_prompts)
