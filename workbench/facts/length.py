"""Facts that are too long for a model, in its own tokens.

Knows no tokenizer: how many tokens a text has is asked of a function that is given.
"""

from collections.abc import Callable, Iterator, Sequence

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
        for row, all_of_it, answer in zip(rows[start:], whole, answers, strict=False):
            if limit is not None and all_of_it > limit:
                what = f"Prompt and answer have {all_of_it} tokens; the model reads {limit}."
                mend = "Shorten the prompt."
                found.append(Problem(row, "prompt", what, mend, "warning", "too many tokens"))
            elif answer > ANSWER_TOKENS:
                what = f"The answer has {answer} tokens; {ANSWER_TOKENS} of them are generated."
                mend = "Shorten it, or trust the strict protocol only for this fact."
                found.append(Problem(row, "target_new", what, mend, "warning", "answer cut"))
        if limit is not None:
            found += _long_wordings(
                list(zip(rows[start:], some, strict=False)), count_tokens, limit
            )
    return tuple(found)


def _long_wordings(
    facts: Sequence[tuple[int, Fact]], count_tokens: Callable[[list[str]], list[int]], limit: int
) -> Iterator[Problem]:
    """The longest wording of each fact that has one which is too long; facts with their rows."""
    texts = [
        (row, f"{wording} {fact.target_new}") for row, fact in facts for wording in fact.wordings
    ]
    longest: dict[int, int] = {}
    if not texts:
        return
    for (row, _), length in zip(texts, count_tokens([t for _, t in texts]), strict=True):
        longest[row] = max(length, longest.get(row, 0))
    for row, length in longest.items():
        if length > limit:
            what = f"A wording and the answer have {length} tokens; the model reads {limit}."
            mend = "Shorten the wording."
            yield Problem(row, "wordings", what, mend, "warning", "too many tokens")
