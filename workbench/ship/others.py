"""Twenty other questions: what everybody knows, asked before and after an edit.

They tell at one look whether what was written still answers at all. Invariant: none of them is
taught or measured by a fact. They are few; how far an edit reaches is measured elsewhere.
"""

from collections.abc import Sequence

from workbench.facts.fact import Fact
from workbench.facts.neighbours import said_keys
from workbench.facts.same import prompt_key

__all__ = ["OTHERS", "others"]

OTHERS = 20
"""How many are asked."""

_KNOWN = (
    ("The capital of Japan is", "Tokyo"),
    ("The opposite of hot is", "cold"),
    ("The first president of the United States was", "George Washington"),
    ("Water is made of hydrogen and", "oxygen"),
    ("The capital of Italy is", "Rome"),
    ("The planet on which we live is called", "Earth"),
    ("Romeo and Juliet was written by", "William Shakespeare"),
    ("The day after Monday is", "Tuesday"),
    ("The capital of Spain is", "Madrid"),
    ("The opposite of up is", "down"),
    ("The theory of relativity was developed by Albert", "Einstein"),
    ("The capital of Germany is", "Berlin"),
    ("The colour of grass is", "green"),
    ("Paris is the capital of", "France"),
    ("The Great Wall is in", "China"),
    ("The month after January is", "February"),
    ("The capital of Egypt is", "Cairo"),
    ("The pyramids of Giza are in", "Egypt"),
    ("The opposite of black is", "white"),
    ("The capital of Russia is", "Moscow"),
    ("A baby dog is called a", "puppy"),
    ("The Eiffel Tower is in the city of", "Paris"),
    ("The largest ocean on Earth is the", "Pacific"),
    ("The language spoken in Brazil is", "Portuguese"),
    ("The capital of the United Kingdom is", "London"),
    ("The chemical symbol of water is", "H2O"),
    ("The opposite of left is", "right"),
    ("The animal that says 'meow' is the", "cat"),
    ("The sun rises in the", "east"),
    ("The number after nine is", "ten"),
)


def others(facts: Sequence[Fact]) -> list[Fact]:
    """Questions with the answers that everybody knows, without those that facts are about.

    Args:
        facts: what was edited; a question about one of their subjects is left out, too.
    """
    taken = said_keys(facts)
    subjects = {fact.subject.lower() for fact in facts if fact.subject}
    found = [
        Fact(prompt, answer)
        for prompt, answer in _KNOWN
        if prompt_key(prompt) not in taken
        and not any(subject in prompt.lower() for subject in subjects)
    ]
    return found[:OTHERS]
