"""What means the same: the ways in which people say common relations of a thing.

`assets/wordings/relations.txt` lists relations, such as where somebody was born, each with patterns
in which ``{}`` stands for the subject; those that ask begin with ``?``. A prompt is of a relation
where its own pattern is one of that relation alone: word for word but for articles and tenses, or,
where it asks, by those of its words that carry meaning. How many prompts of published sets that
finds stands in bench/README.md. Knows nothing about tokens or models.
"""

import hashlib
import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Self

from workbench.paths import assets_dir

__all__ = ["relations_digest", "same_meaning"]

SUBJECT = "{}"
ARTICLES = frozenset({"a", "an", "the"})
TENSES = {"was": "is", "were": "is", "are": "is", "did": "does", "do": "does"}

# Words of a question that hardly tell which relation it asks for.
SAID_ANYHOW = (
    "what which who whom whose where when how is does of for in on at to by from that this it as "
    "{} {}'s name can be has have had you would could located found part with he she his her they "
    "their one known there and or person thing into out up specific type kind called"
)
ENDINGS = re.compile(r"(ing|ed|es|s)$")
SHORT = 4  # letters; of shorter words no ending is taken


@dataclass(frozen=True, slots=True)
class _Relation:
    """The patterns that mean the same: those that a text goes on from, and those that ask."""

    plain: tuple[str, ...]
    asking: tuple[str, ...]

    @classmethod
    def read(cls, block: str) -> Self:
        """A relation as it stands in the file: a line with its name, then a pattern a line."""
        lines = block.strip().splitlines()[1:]
        asking = tuple(line.removeprefix("? ") for line in lines if line.startswith("? "))
        return cls(tuple(line for line in lines if not line.startswith("? ")), asking)


def same_meaning(prompt: str, subject: str) -> list[str]:
    """The prompt as people say it otherwise; nothing where no relation is known in it.

    Args:
        prompt: of a fact; an article that it ends with ends the others, too.
        subject: what it is about; empty where nobody knows.
    """
    if not subject or subject not in prompt:
        return []
    text = prompt.strip()
    relation = _relation_of(text.replace(subject, SUBJECT, 1))
    if relation is None:
        return []
    asks = text.endswith("?")
    patterns = relation.asking if asks else relation.plain
    if not asks and text.split()[-1].lower() in ARTICLES:
        patterns = tuple(f"{_without_article(one)} {text.split()[-1]}" for one in patterns)
    found = (pattern.replace(SUBJECT, subject) for pattern in patterns)
    return [one for one in dict.fromkeys(found) if one != text]


def relations_digest() -> str:
    """Tells the list from those of other versions."""
    return hashlib.sha256(_written().encode()).hexdigest()[:12]


def _relation_of(pattern: str) -> _Relation | None:
    """The one relation that a pattern is of; None for none, and for several."""
    exact, loose = _known()
    words = _words(pattern)
    if words in exact or not pattern.endswith("?"):
        return exact.get(words)
    return loose.get(_meant(pattern))


@cache
def _known() -> tuple[dict[Hashable, _Relation | None], dict[Hashable, _Relation | None]]:
    """Relations by the words of their patterns, and by the words that carry meaning."""
    relations = [_Relation.read(block) for block in _written().split("\n\n")]
    every = ((p, one) for one in relations for p in (*one.plain, *one.asking))
    asking = ((p, one) for one in relations for p in one.asking if _meant(p))
    return _unique(every, _words), _unique(asking, _meant)


def _unique(
    patterns: Iterable[tuple[str, _Relation]], key_of: Callable[[str], Hashable]
) -> dict[Hashable, _Relation | None]:
    """Relations by a key of their patterns; None where several have it."""
    found: dict[Hashable, _Relation | None] = {}
    for pattern, relation in patterns:
        key = key_of(pattern)
        found[key] = relation if found.get(key, relation) is relation else None
    return found


def _words(pattern: str) -> tuple[str, ...]:
    """The words of a pattern without articles, tenses and punctuation."""
    words = re.sub(r"[^\w{}']+", " ", pattern.lower()).split()
    return tuple(TENSES.get(word, word) for word in words if word not in ARTICLES)


def _meant(pattern: str) -> frozenset[str]:
    """Those words of a question that carry meaning, without their endings."""
    anyhow = frozenset(SAID_ANYHOW.split())
    words = (word for word in _words(pattern) if word not in anyhow)
    return frozenset(ENDINGS.sub("", word) if len(word) > SHORT else word for word in words)


def _without_article(pattern: str) -> str:
    first, _, last = pattern.rpartition(" ")
    return first if last.lower() in ARTICLES else pattern


@cache
def _written() -> str:
    return (assets_dir() / "wordings" / "relations.txt").read_text(encoding="utf-8")
