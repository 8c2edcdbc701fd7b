"""A prompt in other words, without a model.

First as people say the same relation otherwise, then in another order of its words; and now and
then with words left out and exchanged, so that what is learned does not hang on any one of them.
Knows nothing about tokens or models.
"""

import random

from workbench.facts.relations import same_meaning
from workbench.facts.scramble import scrambled
from workbench.facts.word_order import in_other_order

__all__ = ["reworded"]

SAID = 0.75  # the share of wordings that people would say, where there are such


def reworded(prompt: str, subject: str, count: int, chance: random.Random) -> list[str]:
    """Some other wordings of a prompt, all different and none of them the prompt.

    Args:
        prompt: the text.
        subject: what it is about; empty where nobody knows.
        count: most wordings.
        chance: decides them.
    """
    said = sum(chance.random() < SAID for _ in range(count))
    meant, ordered = same_meaning(prompt, subject), in_other_order(prompt, subject)
    chance.shuffle(meant)
    chance.shuffle(ordered)
    found = list(dict.fromkeys([*meant, *ordered]))[:said]
    more = (text for text in scrambled(prompt, subject, count, chance) if text not in found)
    return [*found, *more][:count]
