"""What facts bring to be trained on beside their prompts: which of it may be, and which not.

Wordings are trained to give the new answer, keep prompts to give the answer that must stay.

Invariant: no prompt by which a fact is measured is ever among what may be trained on, none that is
a fact's own is among wordings, and none that is taught is kept; whatever is left out is told by
`overlaps`. Knows nothing about models.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from workbench.facts.fact import Fact, Question
from workbench.facts.neighbours import said_keys
from workbench.facts.problems import shorten
from workbench.facts.same import answer_key, prompt_key

__all__ = ["Overlap", "kept_questions", "overlaps", "trained_wordings"]

ROLES = {
    "rephrase_prompts": "rephrase",
    "locality_prompts": "locality prompt",
    "portability_prompts": "portability prompt",
}
_OTHER = "Choose another one, or delete one of the two."


class Overlap(NamedTuple):
    """A wording or keep prompt that is something else as well.

    Args:
        fact: the place of the fact that brings it.
        part: ``wordings`` or ``keep_prompts``.
        owner: the place of the fact to which it is something else; it may be the same.
        kind: of `WHY`.
        what: what is wrong, up to whose it is.
        mend: what to do.
    """

    fact: int
    part: str
    owner: int
    kind: str
    what: str
    mend: str = _OTHER


def trained_wordings(facts: Sequence[Fact]) -> list[tuple[str, ...]]:
    """The wordings of each fact that may be trained on.

    Args:
        facts: what is to be learned.
    """
    if not any(fact.wordings for fact in facts):
        return [()] * len(facts)
    taken = said_keys(facts, brought=False)
    return [
        tuple(text for text in fact.wordings if prompt_key(text) not in taken) for fact in facts
    ]


def kept_questions(facts: Sequence[Fact]) -> list[Question]:
    """The keep prompts that may be trained to stay, each once, with the first answer given.

    Args:
        facts: what is to be learned.
    """
    if not any(fact.keep_prompts for fact in facts):
        return []
    taken = said_keys(facts, brought=False)
    taken |= {prompt_key(text) for fact in facts for text in fact.wordings}
    found: dict[str, Question] = {}
    for question in (question for fact in facts for question in fact.keep_prompts):
        key = prompt_key(question.prompt)
        if key not in taken and (key not in found or (question.answer and not found[key].answer)):
            found[key] = question
    return list(found.values())


def overlaps(facts: Sequence[Fact]) -> Iterator[Overlap]:
    """Every wording and keep prompt that is something else as well, once each.

    What a fact has twice by itself comes before what it shares with another.

    Args:
        facts: any.
    """
    brought = [_brought(fact) for fact in facts]
    if any(brought):
        index = _Index(facts, {key for found in brought for _, _, key in found})
        for place, found in enumerate(brought):
            for part, text, key in found:
                yield from index.wrong(place, part, text, key)


def _brought(fact: Fact) -> list[tuple[str, str, str]]:
    """(part, text, key) of what a fact brings."""
    if not fact.wordings and not fact.keep_prompts:
        return []
    kept = [question.prompt for question in fact.keep_prompts]
    parts = (("wordings", fact.wordings), ("keep_prompts", kept))
    return [(part, text, prompt_key(text)) for part, texts in parts for text in texts]


class _Index:
    """What some prompts are to facts, by their keys."""

    def __init__(self, facts: Sequence[Fact], keys: set[str]) -> None:
        self._facts = facts
        self._uses: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for place, fact in enumerate(facts):
            for use, text in _uses(fact):
                key = prompt_key(text)
                if key in keys:
                    self._uses[key].append((use, place))

    def wrong(self, place: int, part: str, text: str, key: str) -> Iterator[Overlap]:
        """The first thing that is wrong with what a fact brings, if anything is."""
        shown = f"'{shorten(text)}'"
        is_wording = part == "wordings"
        named = f"The wording {shown}" if is_wording else f"The keep prompt {shown}"
        measured = self._owner(key, place, ROLES)
        if measured is not None:
            use, owner = measured
            kind = "wording is measured" if is_wording else "keep is measured"
            what = f"{named} is not trained on, for it is a {ROLES[use]} of"
            yield Overlap(place, part, owner, kind, what)
            return
        taught = self._owner(key, place, ("prompt",) if is_wording else ("prompt", "wordings"))
        if taught is not None:
            use, owner = taught
            kind = "wording is prompt" if is_wording else "keep is taught"
            is_what = "the prompt" if use == "prompt" else "a wording"
            yield Overlap(place, part, owner, kind, f"{named} is left out, for it is {is_what} of")
            return
        answer = self._answer(place, part, key)
        for use, owner in self._uses[key]:
            other = self._answer(owner, part, key)
            if use == part and owner < place and answer and other and answer != other:
                kind = "wording shared" if is_wording else "keep shared"
                yield Overlap(place, part, owner, kind, f"{named} has another answer in")
                return

    def _owner(self, key: str, place: int, uses: Iterable[str]) -> tuple[str, int] | None:
        """The fact to which a prompt is one of some things, this fact before others."""
        found = [(use, owner) for use, owner in self._uses[key] if use in uses]
        return min(found, key=lambda one: (one[1] != place, one[1]), default=None)

    def _answer(self, place: int, part: str, key: str) -> str:
        fact = self._facts[place]
        if part == "wordings":
            return answer_key(fact.target_new)
        given = (q.answer for q in fact.keep_prompts if prompt_key(q.prompt) == key)
        return answer_key(next(filter(None, given), ""))


def _uses(fact: Fact) -> Iterator[tuple[str, str]]:
    yield "prompt", fact.prompt
    for part in ("rephrase_prompts", "wordings"):
        for text in getattr(fact, part):
            yield part, text
    for part in ("locality_prompts", "portability_prompts", "keep_prompts"):
        for question in getattr(fact, part):
            yield part, question.prompt
