"""How a fact stands in a session's database: a row, the way from and to a `Fact`, and what is
said of rows that came or went.

Invariant: what `columns_of` writes, `row_of` reads back equal; the problems kept in a row are
those of the fact in it. Knows nothing about which rows there are.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from workbench.facts import Fact, Problem, Question, fact_problems
from workbench.store.database import to_json
from workbench.work.records import from_text

__all__ = [
    "Added",
    "Contradiction",
    "Deletion",
    "FactRow",
    "Questions",
    "columns_of",
    "fact_of",
    "problems_json",
    "row_of",
    "united",
]


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact as it stands in the table.

    Args:
        id: number of the row, never reused.
        fact: the fact.
        enabled: whether the next run compiles it.
        source: where it came from, such as a file's name.
        learned: whether the run in question learned it; None when that run did not see it.
        problems: what is doubtful about the fact alone, and what is too long for the model
            or special to it.
    """

    id: int
    fact: Fact
    enabled: bool
    source: str
    learned: bool | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A fact that was not added because its prompt has another answer in the table.

    Args:
        fact: the fact.
        place: which of those to be added it was, from 0.
        present: the answer in the table.
    """

    fact: Fact
    place: int
    present: str


@dataclass(frozen=True, slots=True)
class Added:
    """What became of facts that were added.

    Args:
        ids: rows that are new.
        same: how many stood there already, word for word.
        contradictions: facts whose prompt has another answer there; they were not added.
    """

    ids: tuple[int, ...]
    same: int
    contradictions: tuple[Contradiction, ...]


@dataclass(frozen=True, slots=True)
class Deletion:
    """Facts that were deleted together and can be brought back together.

    Args:
        time: when, in seconds since the epoch; tells it from others.
        facts: how many.
        prompt: of the first of them.
    """

    time: float
    facts: int
    prompt: str


@dataclass(frozen=True, slots=True)
class Questions:
    """A fact's questions, aliases and wordings as they stand in a row; see `columns_of`."""

    rephrase: tuple[str, ...] = ()
    locality: tuple[tuple[str, str] | tuple[str, str, tuple[str, ...]], ...] = ()
    portability: tuple[tuple[str, str] | tuple[str, str, tuple[str, ...]], ...] = ()
    aliases: tuple[str, ...] = ()
    wordings: tuple[str, ...] = ()
    keep: tuple[tuple[str, str] | tuple[str, str, tuple[str, ...]], ...] = ()


def columns_of(fact: Fact) -> dict[str, str]:
    """The values of the columns that hold a fact, by name."""
    questions: dict[str, Any] = {
        "rephrase": list(fact.rephrase_prompts),
        "locality": _asked(fact.locality_prompts),
        "portability": _asked(fact.portability_prompts),
        "aliases": list(fact.aliases),
        "wordings": list(fact.wordings),
        "keep": _asked(fact.keep_prompts),
    }
    return {
        "prompt": fact.prompt,
        "target_new": fact.target_new,
        "subject": fact.subject,
        "ground_truth": fact.ground_truth,
        "questions": to_json({name: value for name, value in questions.items() if value}),
        "problems": problems_json(fact_problems(fact)),
    }


def problems_json(problems: Iterable[Problem]) -> str:
    """Problems as they stand in a row."""
    return to_json([asdict(problem) for problem in problems])


def row_of(row: sqlite3.Row) -> FactRow:
    """A row of the query ``SELECT f.*, … AS learned``."""
    learned = row["learned"]
    return FactRow(
        id=row["id"],
        fact=fact_of(row),
        enabled=bool(row["enabled"]),
        source=row["source"],
        learned=None if learned is None else bool(learned),
        problems=(*_problems(row["problems"]), *_problems(row["lengths"])),
    )


def fact_of(row: sqlite3.Row | Mapping[str, str]) -> Fact:
    """The fact in the columns of `columns_of`, from a row or as they were returned."""
    questions = json.loads(row["questions"])
    return Fact(
        prompt=row["prompt"],
        target_new=row["target_new"],
        subject=row["subject"],
        ground_truth=row["ground_truth"],
        rephrase_prompts=tuple(questions.get("rephrase", ())),
        locality_prompts=_questions(questions.get("locality", ())),
        portability_prompts=_questions(questions.get("portability", ())),
        aliases=tuple(questions.get("aliases", ())),
        wordings=tuple(questions.get("wordings", ())),
        keep_prompts=_questions(questions.get("keep", ())),
    )


def united(first: Fact, second: Fact) -> Fact:
    """The second fact, with what it leaves empty taken from the first."""
    names = ("subject", "ground_truth", "rephrase_prompts", "locality_prompts")
    more = ("portability_prompts", "aliases", "wordings", "keep_prompts")
    taken = {name: getattr(second, name) or getattr(first, name) for name in (*names, *more)}
    return Fact(second.prompt, second.target_new, **taken)


def _problems(told: str) -> tuple[Problem, ...]:
    return () if told == "[]" else from_text(tuple[Problem, ...], told)


def _asked(questions: tuple[Question, ...]) -> list[list[Any]]:
    return [[q.prompt, q.answer, *([list(q.aliases)] if q.aliases else [])] for q in questions]


def _questions(asked: list[list[Any]]) -> tuple[Question, ...]:
    return tuple(Question(q[0], q[1], tuple(q[2]) if len(q) > 2 else ()) for q in asked)
