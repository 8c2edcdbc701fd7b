"""Prompts that should be answered as before: the facts' own templates about other subjects.

Invariant: no prompt that a fact teaches or brings to be kept, and none by which it is measured (its
rephrases, locality and portability prompts), is ever among them. Knows nothing about models.
"""

import random
from collections.abc import Iterator, Sequence

from workbench.facts.fact import Fact
from workbench.facts.reword import reworded as rewordings
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
    reworded: bool = False,
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
        reworded: whether every second one is in other words.
        subjects: further ones, that somebody named.
        named: most prompts for each about these.
        listed: whether subjects that everybody knows are added where there are few.
    """
    chance = random.Random(f"neighbours {seed}")
    own, others = sorted(set(subjects)), sorted({fact.subject for fact in facts if fact.subject})
    fill = listed and are_few(facts, subjects)
    taken = said_keys(facts)
    found: list[str] = []
    for fact in facts:
        if not fact.subject or fact.subject not in fact.prompt:
            continue
        mine = _about(fact, own, named, taken, chance, reworded)
        mine += _about(fact, others, per_fact, taken, chance, reworded)
        if fill:
            known = listed_subjects(fact, chance)
            mine += _about(fact, known, max(0, FILLED - len(mine)), taken, chance, reworded)
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
    reworded: bool,
) -> list[str]:
    """A fact's prompt about some other subjects; what is `taken` is passed over, and grows."""
    found: list[str] = []
    for other in chance.sample(subjects, min(len(subjects), 4 * most)):
        prompt = fact.prompt.replace(fact.subject, other)
        key = prompt_key(prompt)
        if key in taken or len(found) == most:
            continue
        taken.add(key)
        if reworded and len(found) % 2:
            # What is measured may be among the wordings; then the prompt stays as it is.
            other_words = rewordings(prompt, other, 1, chance)
            if other_words and prompt_key(other_words[0]) not in taken:
                prompt = other_words[0]
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
