"""What facts bring to be trained on beside their prompts: which of it may be, and which not.

Wordings are trained to give the new answer, keep prompts to give the answer that must stay.

Invariant: no prompt by which a fact is measured is ever among what may be trained on, none that is
a fact's own is among wordings, and none that is taught is kept; whatever is left out is told by
`overlaps`. Knows nothing about models.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from workbench.facts.fact import Fact, Question
from workbench.facts.neighbours import said_keys
from workbench.facts.problems import shorten
from workbench.facts.same import answer_key, prompt_key

__all__ = ["Overlap", "kept_questions", "overlaps", "told_overlaps", "trained_wordings"]

ROLES = {
    "rephrase_prompts": "rephrase",
    "locality_prompts": "locality prompt",
    "portability_prompts": "portability prompt",
}
TAUGHT = {"prompt": "the prompt", "wordings": "a wording"}
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
    brought = [(place, one) for place, fact in enumerate(facts) for one in _brought(fact)]
    if brought:
        index = _Index(facts, {one.key for _, one in brought})
        for place, one in brought:
            yield from index.wrong(place, one)


def told_overlaps(fact: Fact, others: Iterable[Fact]) -> Iterator[str]:
    """What one fact and others bring that is something else to the other, in sentences.

    Args:
        fact: that is new among them.
        others: looked at one by one; those that have nothing in common with it are not kept.
    """
    own = said_keys([fact])
    facts = [fact, *(other for other in others if own & said_keys([other]))]
    for found in overlaps(facts):
        if 0 in (found.fact, found.owner):
            owner = facts[found.owner].prompt
            whose = "this fact itself" if found.fact == found.owner else f"'{shorten(owner)}'"
            yield f"{found.what} {whose}. {found.mend}"


class _Brought(NamedTuple):
    """Something that a fact brings to be trained on, and how it is to be answered."""

    part: str
    text: str
    answer: str

    @property
    def key(self) -> str:
        return prompt_key(self.text)


def _brought(fact: Fact) -> Iterator[_Brought]:
    for text in fact.wordings:
        yield _Brought("wordings", text, fact.target_new)
    for question in fact.keep_prompts:
        yield _Brought("keep_prompts", question.prompt, question.answer)


class _Index:
    """What some prompts are to facts, by their keys."""

    def __init__(self, facts: Sequence[Fact], keys: set[str]) -> None:
        self._uses: set[tuple[str, str, int]] = set()
        self._first: dict[tuple[str, str], int] = {}
        self._answers: dict[tuple[str, str], tuple[str, int]] = {}
        for place, fact in enumerate(facts):
            for use, text, answer in _uses(fact):
                key = prompt_key(text)
                if key in keys:
                    self._uses.add((use, key, place))
                    self._first.setdefault((use, key), place)
                    if answer:
                        self._answers.setdefault((use, key), (answer_key(answer), place))

    def wrong(self, place: int, brought: _Brought) -> Iterator[Overlap]:
        """The first thing that is wrong with what a fact brings, if anything is."""
        part, key = brought.part, brought.key
        is_wording = part == "wordings"
        named = f"The {'wording' if is_wording else 'keep prompt'} '{shorten(brought.text)}'"
        kind = "wording" if is_wording else "keep"
        measured = self._owner(key, place, tuple(ROLES))
        taught = self._owner(key, place, ("prompt",) if is_wording else ("prompt", "wordings"))
        if measured is not None:
            use, owner = measured
            what = f"{named} is not trained on, for it is a {ROLES[use]} of"
            yield Overlap(place, part, owner, f"{kind} is measured", what)
        elif taught is not None:
            use, owner = taught
            what = f"{named} is left out, for it is {TAUGHT[use]} of"
            kind = "wording is prompt" if is_wording else "keep is taught"
            yield Overlap(place, part, owner, kind, what)
        elif brought.answer:
            answer, owner = self._answers[part, key]
            if answer != answer_key(brought.answer):
                what = f"{named} has another answer in"
                yield Overlap(place, part, owner, f"{kind} shared", what)

    def _owner(self, key: str, place: int, uses: Sequence[str]) -> tuple[str, int] | None:
        """The fact to which a prompt is one of some things, this fact before others."""
        for use in uses:
            if (use, key, place) in self._uses:
                return use, place
        found = [(use, self._first[use, key]) for use in uses if (use, key) in self._first]
        return min(found, key=lambda one: one[1], default=None)


def _uses(fact: Fact) -> Iterator[tuple[str, str, str]]:
    """(part, prompt, answer) of all that a fact is asked; no answer where none is compared."""
    yield "prompt", fact.prompt, ""
    for text in fact.rephrase_prompts:
        yield "rephrase_prompts", text, ""
    for part in ("locality_prompts", "portability_prompts"):
        for question in getattr(fact, part):
            yield part, question.prompt, ""
    for one in _brought(fact):
        yield one.part, one.text, one.answer
