"""Prompts that should be answered as before: the facts' own templates about other subjects.

Invariant: no prompt that a fact teaches or brings to be kept, and none by which it is measured (its
rephrases, locality and portability prompts), is ever among them. Knows nothing about models.
"""

import random
from collections.abc import Iterator, Sequence

from workbench.facts.fact import Fact
from workbench.facts.reword import reworded as rewordings
from workbench.facts.same import prompt_key

__all__ = ["neighbours", "said_keys"]


def neighbours(
    facts: Sequence[Fact],
    per_fact: int,
    seed: int,
    *,
    reworded: bool = False,
    subjects: Sequence[str] = (),
    named: int = 0,
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
    """
    chance = random.Random(f"neighbours {seed}")
    pools = [
        (sorted(set(subjects)), named),
        (sorted({fact.subject for fact in facts if fact.subject}), per_fact),
    ]
    taken = said_keys(facts)
    return [
        prompt
        for fact in facts
        if fact.subject and fact.subject in fact.prompt
        for pool, most in pools
        for prompt in _about(fact, pool, most, taken, chance, reworded)
    ]


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
