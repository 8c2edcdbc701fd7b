"""What is doubtful about one fact by itself.

Invariant: everything found here is a warning, and the fact is not changed. Knows no other facts
and no model.
"""

import re
from collections.abc import Iterator, Sequence

from workbench.facts.fact import Fact
from workbench.facts.overlaps import overlaps
from workbench.facts.problems import Problem, shorten
from workbench.facts.same import answer_key, prompt_key

__all__ = ["fact_problems"]

# What UTF-8 looks like when it was read as Windows-1252, as in "MÃ¡laga" and "itâ€™s".
_GARBLED = re.compile("�|Ã[\x80-\xbf¡-¿€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€[™œ“”¦˜]|Â[\xa0-\xbf]")


def fact_problems(fact: Fact, old_answers: Sequence[str] = ()) -> tuple[Problem, ...]:
    """What is doubtful about one fact by itself: warnings with row 0.

    Args:
        fact: the fact, from wherever it came.
        old_answers: further answers that were right before the edit, beside the old one.

    Returns:
        The warnings; `Problem.field` is the name of the part, such as ``target_new``.
    """
    return (*_answer_doubts(fact, old_answers), *_question_doubts(fact))


def _answer_doubts(fact: Fact, old_answers: Sequence[str]) -> Iterator[Problem]:
    answer, plain = fact.target_new, answer_key(fact.target_new)
    if fact.ground_truth and plain == answer_key(fact.ground_truth):
        what = f"The new answer is the old one: '{shorten(answer)}'."
        yield _doubt("target_new", what, "Change the new answer, or delete the row.", "no change")
    elif any(plain == answer_key(old) for old in old_answers):
        what = f"The new answer '{shorten(answer)}' is among those that were right before."
        yield _doubt("target_new", what, "Change the new answer, or delete the row.", "no change")
    if _holds(fact.prompt, answer):
        what = f"The answer '{shorten(answer)}' already stands in the prompt."
        mend = "Ask so that the answer is not given away, unless it is meant so."
        yield _doubt("target_new", what, mend, "answer in prompt")
    if "." in answer or "\n" in answer:
        stop = "a full stop" if "." in answer else "a line end"
        what = f"The answer holds {stop}, where the generated protocol stops reading."
        mend = "Write it without, or trust the strict protocol only for this fact."
        yield _doubt("target_new", what, mend, "answer cut")
    for part, text in _texts(fact):
        found = None if text.isascii() else _GARBLED.search(text)
        if found:
            what = f"The text holds '{found[0]}', which stands for a character that was lost."
            mend = "Write the character again, and save the file as UTF-8."
            yield _doubt(part, what, mend, "lost character")


def _texts(fact: Fact) -> Iterator[tuple[str, str]]:
    """Yields every part of a fact with its text, once for a part that has several."""
    for part in ("prompt", "target_new", "subject", "ground_truth"):
        yield part, getattr(fact, part)
    yield "aliases", " ".join(fact.aliases)
    yield "rephrase_prompts", " ".join(fact.rephrase_prompts)
    yield "wordings", " ".join(fact.wordings)
    for part in ("locality_prompts", "portability_prompts", "keep_prompts"):
        asked = getattr(fact, part)
        yield part, " ".join(text for q in asked for text in (q.prompt, q.answer, *q.aliases))


def _question_doubts(fact: Fact) -> Iterator[Problem]:
    key = prompt_key(fact.prompt)
    if any(prompt_key(rephrase) == key for rephrase in fact.rephrase_prompts):
        what = "A rephrase is the prompt itself, or differs from it only in case or punctuation."
        yield _doubt("rephrase_prompts", what, "Ask it in other words.", "rephrase is prompt")
    unanswered = [q.prompt for q in fact.locality_prompts if not q.answer]
    if unanswered:
        what = f"The locality prompt '{shorten(unanswered[0])}' has no answer."
        mend = "Write the answer that should stay, or leave it as it is."
        yield _doubt("locality_prompts", what, mend, "locality unanswered")
    for overlap in overlaps([fact]):
        what = f"{overlap.what} this fact itself."
        yield _doubt(overlap.part, what, overlap.mend, overlap.kind)


def _doubt(part: str, what: str, mend: str, kind: str) -> Problem:
    return Problem(0, part, what, mend, "warning", kind)


def _holds(prompt: str, answer: str) -> bool:
    """Whether the answer stands in the prompt as words of its own."""
    low, sought = prompt.lower(), answer.lower()
    if sought not in low:
        return False
    return re.search(rf"(?<!\w){re.escape(sought)}(?!\w)", low) is not None
