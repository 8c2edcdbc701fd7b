"""Reads the tables: what is true in the built-in model's world, and how it can be said.

`world/*.csv` hold the facts (subject, relation, object), one file a theme, and
`phrasings.csv` the sentences (relation, kind, text). Each subject has at most one object in
a relation. England and Scotland count as countries for cities, landmarks, dishes and
birthplaces; borders and currencies are those of 2026. Knows nothing about training.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["HERE", "Phrasings", "WorldFact", "read_phrasings", "read_world"]

HERE = Path(__file__).parent


@dataclass(frozen=True)
class WorldFact:
    """One true fact: the relation of the subject is the object."""

    subject: str
    relation: str
    object: str


@dataclass(frozen=True)
class Phrasings:
    """The ways to state one relation: sentences that end before the answer, and questions.

    `{s}` stands for the subject; the first cloze is the relation's main phrasing.
    """

    clozes: tuple[str, ...]
    questions: tuple[str, ...]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def read_world() -> tuple[WorldFact, ...]:
    """All facts of all themes, in the order of the files' names and lines."""
    return tuple(
        WorldFact(row["subject"], row["relation"], row["object"])
        for path in sorted((HERE / "world").glob("*.csv"))
        for row in _rows(path)
    )


@cache
def read_phrasings() -> dict[str, Phrasings]:
    """The phrasings of every relation, in the order of the file."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in _rows(HERE / "phrasings.csv"):
        kinds = found.setdefault(row["relation"], {"cloze": [], "question": []})
        kinds[row["kind"]].append(row["text"])
    return {
        relation: Phrasings(tuple(kinds["cloze"]), tuple(kinds["question"]))
        for relation, kinds in found.items()
    }
