"""The other words in which each fact is trained, and its neighbours are held."""

import random
from collections.abc import Sequence

from workbench.facts.fact import Fact
from workbench.facts.neighbours import said_keys
from workbench.facts.overlaps import trained_wordings
from workbench.facts.reword import reworded
from workbench.facts.same import prompt_key
from workbench.methods.recipes import most_wordings

__all__ = ["REWORDINGS", "other_words"]

REWORDINGS = 8  # of each fact's prompt


def other_words(facts: Sequence[Fact], seed: int) -> list[list[str]]:
    """Each fact's prompt in other words: those that it brings, else made ones.

    None of them is a prompt that a fact teaches or is measured by, nor ends one.

    Args:
        facts: what is to be learned.
        seed: of the run; the same gives the same.
    """
    chance = random.Random(f"rephrase {seed}")
    taken = said_keys(facts)  # a wording may be a rephrase by which a fact is measured
    return [
        chance.sample(own, min(len(own), most_wordings(len(facts))))
        or [
            text
            for text in reworded(fact.prompt, fact.subject, REWORDINGS, chance)
            if prompt_key(text) not in taken and not _ends_a_rephrase(text, fact)
        ]
        for fact, own in zip(facts, trained_wordings(facts), strict=True)
    ]


def _ends_a_rephrase(text: str, fact: Fact) -> bool:
    """Whether a held-out rephrase is this text behind another: it would be trained on as well."""
    return any(prompt_key(one).endswith(prompt_key(text)) for one in fact.rephrase_prompts)
