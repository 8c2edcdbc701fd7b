"""The facts that a sweep or a scan tries, drawn by a seed.

Invariant: the same facts, seed and size give the same sample. Rephrases and locality prompts
that repeat a prompt of the sample are taken out of it, so that nothing that is scored was
trained on. Knows nothing about tokens.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workbench.facts.fact import Fact

__all__ = ["Sample", "draw_sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """Facts to try, and what is left for neutral prompts.

    Args:
        facts: the facts tried, in the order in which they were given.
        others: prompts of facts outside of the sample, in random order, none about a subject of
            the sample.
    """

    facts: tuple[Fact, ...]
    others: tuple[str, ...]


def draw_sample(
    facts: Sequence[Fact], size: int, seed: int, fits: Callable[[Fact], bool] = lambda fact: True
) -> Sample:
    """Draws facts without replacement.

    Args:
        facts: what there is.
        size: how many to draw; all when there are fewer.
        seed: decides the draw.
        fits: whether a fact can be tried at all; others are passed over.
    """
    order = list(range(len(facts)))
    random.Random(seed).shuffle(order)
    drawn: list[int] = []
    rest: list[int] = []
    for row in order:
        chosen = len(drawn) < size and fits(facts[row])
        (drawn if chosen else rest).append(row)
    chosen_facts = [facts[row] for row in sorted(drawn)]
    prompts = {_plain(fact.prompt) for fact in chosen_facts}
    subjects = {fact.subject for fact in chosen_facts if fact.subject}
    others = [
        facts[row].prompt
        for row in rest
        if facts[row].subject not in subjects and _plain(facts[row].prompt) not in prompts
    ]
    return Sample(
        tuple(_without_trained(fact, prompts) for fact in chosen_facts),
        tuple(dict.fromkeys(others)),
    )


def _without_trained(fact: Fact, prompts: set[str]) -> Fact:
    """The fact without the held-out prompts that are trained on as another fact's own prompt."""
    return replace(
        fact,
        rephrase_prompts=tuple(p for p in fact.rephrase_prompts if _plain(p) not in prompts),
        locality_prompts=tuple(q for q in fact.locality_prompts if _plain(q.prompt) not in prompts),
    )


def _plain(prompt: str) -> str:
    return " ".join(prompt.split()).casefold()
