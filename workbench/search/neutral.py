"""Neutral prompts: what an edit should leave alone, whatever it is about.

Half of them are prompts of other facts, as like the edited ones as can be; half are of a small
built-in list of everyday beginnings, which any model continues somehow.
"""

from collections.abc import Sequence

__all__ = ["BUILT_IN", "NEUTRAL_PROMPTS", "choose_neutral"]

NEUTRAL_PROMPTS = 32

BUILT_IN = (
    "The weather this morning was",
    "Two plus three equals",
    "She opened the door and saw",
    "The opposite of cold is",
    "Monday, Tuesday, Wednesday,",
    "To boil an egg, first",
    "My favourite colour is",
    "Once upon a time there was",
    "A week has seven",
    "The train was late because",
    "Thank you for your letter. I",
    "Roses are red, violets are",
    "In the middle of the night he",
    "The plural of mouse is",
    "1, 2, 3, 4,",
    "The recipe needs flour, sugar and",
    "He looked at the map and",
    "Please close the window, it is",
    "The meeting starts at",
    "Question: What do bees make? Answer:",
    "The cat sat on the",
    "If it rains tomorrow, we will",
    "In summary, the experiment showed",
    "A triangle has three",
    "The sun rises in the",
    "Dear Sir or Madam,",
    "The children played in the",
    "The most important thing in life is",
    "An apple a day keeps",
    "We hold the following to be true:",
    "The film was long, but",
    "Before you cross the street, look",
)


def choose_neutral(others: Sequence[str], trained: Sequence[str]) -> tuple[list[str], int]:
    """Neutral prompts, and how many of them are prompts of other facts (they stand first).

    Args:
        others: prompts of facts that are not trained on, the first being taken.
        trained: prompts that are; they never count as neutral.
    """
    taken = set(trained)
    own = [prompt for prompt in others if prompt not in taken][: NEUTRAL_PROMPTS // 2]
    built_in = [prompt for prompt in BUILT_IN if prompt not in taken and prompt not in own]
    chosen = own + built_in[: NEUTRAL_PROMPTS - len(own)]
    return chosen, len(own)
