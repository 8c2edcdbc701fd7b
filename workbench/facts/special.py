"""Texts that hold a special token of a model, such as the mark of the end.

Knows no tokenizer: which texts are special is told by whoever has one.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from workbench.facts.fact import Fact
from workbench.facts.problems import Problem, shorten

__all__ = ["special_tokens"]


def special_tokens(
    facts: Sequence[Fact], tokens: Collection[str], numbers: Sequence[int] | None = None
) -> tuple[Problem, ...]:
    """The parts of facts in which a special token stands: a warning for each part.

    Args:
        facts: the facts.
        tokens: what the tokenizer reads as a special token wherever it stands.
        numbers: the row of each fact, see `FactFile.numbers`; by default its place from 1.
    """
    if not tokens:
        return ()
    # The longest first, so that <|end|> is not told as <|.
    found = re.compile("|".join(map(re.escape, sorted(tokens, key=len, reverse=True))))
    rows = range(1, len(facts) + 1) if numbers is None else numbers
    return tuple(
        problem
        for row, fact in zip(rows, facts, strict=True)
        for problem in _in_fact(row, fact, found)
    )


def _in_fact(row: int, fact: Fact, tokens: re.Pattern[str]) -> Iterator[Problem]:
    for part, texts in _texts(fact):
        match = next(filter(None, map(tokens.search, texts)), None)
        if match is not None:
            what = f"The text holds '{shorten(match[0], 40)}', a special token of the model."
            mend = "Delete it; what the model needs around a text is put there anyway."
            yield Problem(row, part, what, mend, "warning", "special token")


def _texts(fact: Fact) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "prompt", (fact.prompt,)
    yield "target_new", fact.accepted
    yield "subject", (fact.subject,)
    yield "rephrase_prompts", fact.rephrase_prompts
    yield "wordings", fact.wordings
    for part in ("locality_prompts", "portability_prompts", "keep_prompts"):
        asked = getattr(fact, part)
        yield part, tuple(text for q in asked for text in (q.prompt, q.answer, *q.aliases))
