"""Facts that are too long for a model, in its own tokens.

Knows no tokenizer: how many tokens a text has is asked of a function that is given.
"""

from collections.abc import Callable, Sequence

from workbench.facts.fact import Fact
from workbench.facts.problems import Problem

__all__ = ["ANSWER_TOKENS", "too_long"]

# The generated protocol reads so many tokens of an answer, see `workbench.measure.evaluate`.
ANSWER_TOKENS = 32
_AT_ONCE = 1000


def too_long(
    facts: Sequence[Fact],
    count_tokens: Callable[[list[str]], list[int]],
    limit: int | None,
    numbers: Sequence[int] | None = None,
) -> tuple[Problem, ...]:
    """What is too long: prompt and answer for the model, or an answer for the protocol.

    Args:
        facts: the facts.
        count_tokens: gives the number of tokens of each text.
        limit: how many tokens the model reads at most; None when it does not say.
        numbers: the row of each fact, see `FactFile.numbers`; by default its place from 1.
    """
    rows = range(1, len(facts) + 1) if numbers is None else numbers
    found: list[Problem] = []
    for start in range(0, len(facts), _AT_ONCE):
        some = facts[start : start + _AT_ONCE]
        whole = count_tokens([f"{fact.prompt} {fact.target_new}" for fact in some])
        answers = count_tokens([f" {fact.target_new}" for fact in some])
        brought = {
            row: [f"{wording} {fact.target_new}" for wording in fact.wordings]
            for row, fact in zip(rows[start:], some, strict=False)
            if fact.wordings
        }
        for row, texts in brought.items() if limit is not None else ():
            longest = max(count_tokens(texts))
            if longest > limit:
                what = f"A wording and the answer have {longest} tokens; the model reads {limit}."
                mend = "Shorten it, or leave it out."
                found.append(Problem(row, "wordings", what, mend, "warning", "too many tokens"))
        for row, all_of_it, answer in zip(rows[start:], whole, answers, strict=False):
            if limit is not None and all_of_it > limit:
                what = f"Prompt and answer have {all_of_it} tokens; the model reads {limit}."
                mend = "Shorten the prompt."
                found.append(Problem(row, "prompt", what, mend, "warning", "too many tokens"))
            elif answer > ANSWER_TOKENS:
                what = f"The answer has {answer} tokens; {ANSWER_TOKENS} of them are generated."
                mend = "Shorten it, or trust the strict protocol only for this fact."
                found.append(Problem(row, "target_new", what, mend, "warning", "answer cut"))
    return tuple(found)
