"""The same question in another order: what is asked first, the thing or what is wanted of it.

English alone, and only the commonest shapes; of others there is nothing. Knows nothing about tokens
or models.
"""

import re
from collections.abc import Iterator, Sequence

__all__ = ["in_other_order"]

IS = r"(?P<verb>is|was|are|were)"
OTHERWISE = {"which": "what", "what": "which", "Which": "What", "What": "Which"}
LONGEST = 4  # words of what is wanted: longer ones are seldom one thing


def in_other_order(prompt: str, subject: str) -> list[str]:
    """A prompt in other orders of its words, those that it allows; none of them the prompt.

    Args:
        prompt: of a fact.
        subject: what it is about; empty where nobody knows.
    """
    text = prompt.strip()
    if not subject or subject not in text:
        return []
    if text.endswith("?"):
        asked = text[:-1].strip()
        found = [
            *_of_a_noun(asked, subject),
            *_behind_a_preposition(asked, subject),
            *_with_a_preposition(asked, subject),
            f"Tell me: {_small(text)}",
            f"About {subject}: {_small(text)}",
        ]
    else:
        found = list(_going_on(text, subject))
    return [one for one in dict.fromkeys(found) if one != text]


def _of_a_noun(asked: str, subject: str) -> Iterator[str]:
    """What is the height of X / What is X's height / The height of X is what."""
    name = re.escape(subject)
    shapes = (
        rf"(?P<what>What|Which|Who) {IS} the (?P<noun>.+?) (?:of|for) (?:the )?{name}",
        rf"(?P<what>What|Which|Who) {IS} {name}'s (?P<noun>.+)",
        rf"The (?P<noun>.+?) (?:of|for) {name} {IS} (?P<what>what|who|whom)",
    )
    found = _first(shapes, asked)
    if found is not None:
        noun, verb = found["noun"], found["verb"]
        what = found["what"].replace("whom", "who").capitalize()
        yield f"{what} {verb} {subject}'s {noun}?"
        yield f"{what} {verb} the {noun} of {subject}?"
        yield f"The {noun} of {subject} {verb} {what.lower()}?"


def _behind_a_preposition(asked: str, subject: str) -> Iterator[str]:
    """In which county is X situated / Which county is X situated in."""
    found = re.fullmatch(
        rf"(?P<where>In|On|To|At|For|From|By) (?P<which>which|what) (?P<noun>.+?) "
        rf"(?P<verb>is|was|are|were|does|did|can) (?:the )?{re.escape(subject)}(?P<rest>\b.*)",
        asked,
    )
    if found is None:
        return
    where, which, noun, verb, rest = found.groups()
    yield f"{which.capitalize()} {noun} {verb} {subject}{rest} {where.lower()}?"
    yield f"{where} {OTHERWISE[which]} {noun} {verb} {subject}{rest}?"
    if re.fullmatch(IS, verb):
        yield f"{subject} {verb}{rest} {where.lower()} {which} {noun}?"


def _with_a_preposition(asked: str, subject: str) -> Iterator[str]:
    """Which county is X situated in / In which county is X situated."""
    found = re.fullmatch(
        rf"(?P<which>Which|What) (?P<noun>.+?) (?P<verb>is|was|are|were|does|did|can) "
        rf"(?:the )?{re.escape(subject)}(?P<rest>\b.*)",
        asked,
    )
    if found is None:
        return
    which, noun, verb, rest = found.groups()
    yield f"{OTHERWISE[which]} {noun} {verb} {subject}{rest}?"
    before, _, last = rest.rpartition(" ")
    if last in ("in", "on", "to", "at", "for", "from", "by"):
        yield f"{last.capitalize()} {which.lower()} {noun} {verb} {subject}{before}?"


def _going_on(text: str, subject: str) -> Iterator[str]:
    """The height of X is / X's height is."""
    name, article = re.escape(subject), r"(?P<article>(?: a| an| the)?)"
    shapes = (
        rf"The (?P<noun>.+?) of {name} {IS}{article}",
        rf"{name}'s (?P<noun>.+?) {IS}{article}",
    )
    found = _first(shapes, text)
    if found is not None:
        noun, verb, article = found["noun"], found["verb"], found["article"]
        yield f"The {noun} of {subject} {verb}{article}"
        yield f"{subject}'s {noun} {verb}{article}"
        yield f"As for {subject}, the {noun} {verb}{article}"


def _first(shapes: Sequence[str], text: str) -> re.Match[str] | None:
    """How the first shape that fits matches; none where what is wanted is long."""
    found = (re.fullmatch(shape, text) for shape in shapes)
    return next((one for one in found if one and len(one["noun"].split()) <= LONGEST), None)


def _small(text: str) -> str:
    return text[0].lower() + text[1:]
