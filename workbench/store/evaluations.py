"""The evaluations of a session: what was measured of the base or a run, and every question's row.

Invariant: an evaluation is kept whole with its rows, or not at all; it goes with its run. Knows
nothing about models.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from workbench.errors import SessionError
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.verdicts import QuestionVerdicts
from workbench.store.database import Database, to_json
from workbench.work.records import from_text

__all__ = ["EvaluationTable", "KeptEvaluation", "KeptQuestion", "Show"]

Show = Literal["failed", "all", "prompt", "rephrase", "locality", "portability"]
"""Which rows: those that failed, all, or all of one role; failures always stand first."""


@dataclass(frozen=True, slots=True)
class KeptEvaluation:
    """One evaluation.

    Args:
        id: number in its session.
        run: the run that was measured; None for the base alone.
        model: name of the base.
        settings: what was to be measured.
        report: ``evaluation``, and where measured ``health`` and ``capability``; JSON-ready.
        created: seconds since the epoch.
    """

    id: int
    run: int | None
    model: str
    settings: EvaluationSettings
    report: dict[str, Any]
    created: float


@dataclass(frozen=True, slots=True)
class KeptQuestion:
    """A question's verdicts, and the fact of the table that it belongs to."""

    fact: int
    verdicts: QuestionVerdicts


class EvaluationTable:
    """The evaluations of one session."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        run: int | None,
        model: str,
        settings: EvaluationSettings,
        report: dict[str, Any],
        rows: Iterable[QuestionVerdicts],
        facts: Sequence[int],
    ) -> int:
        """Keeps an evaluation; returns its id.

        Args:
            run: the run that was measured.
            model: name of the base.
            settings: what was measured.
            report: see `KeptEvaluation`.
            rows: the verdicts.
            facts: ids of the facts' rows, in the order of the evaluation.
        """
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO evaluations (run, model, settings, report, created)"
                " VALUES (?, ?, ?, ?, ?)",
                (run, model, to_json(settings.as_dict()), to_json(report), time.time()),
            )
            evaluation = int(cursor.lastrowid or 0)
            connection.executemany(
                "INSERT INTO evaluation_rows (evaluation, place, fact, role, prompt, failed, row)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        evaluation,
                        place,
                        facts[row.fact],
                        row.role,
                        row.prompt,
                        int(row.failed),
                        to_json(asdict(row)),
                    )
                    for place, row in enumerate(rows)
                ),
            )
        return evaluation

    def extend(self, evaluation: int, part: str, value: dict[str, Any]) -> None:
        """Adds a part, such as ``capability``, to an evaluation's report."""
        report = self.get(evaluation).report | {part: value}
        self._database.write(
            "UPDATE evaluations SET report = ? WHERE id = ?", (to_json(report), evaluation)
        )

    def get(self, evaluation: int) -> KeptEvaluation:
        """One evaluation.

        Raises:
            SessionError: there is no such evaluation.
        """
        row = self._database.row("SELECT * FROM evaluations WHERE id = ?", (evaluation,))
        if row is None:
            raise SessionError(f"Evaluation {evaluation} is not there any more.")
        return _kept(row)

    def latest(self, run: int | None) -> KeptEvaluation | None:
        """The newest evaluation of a run, or of the base alone."""
        row = self._database.row(
            "SELECT * FROM evaluations WHERE run IS ? ORDER BY id DESC LIMIT 1", (run,)
        )
        return _kept(row) if row is not None else None

    def of_others(self, model: str, run: int | None, most: int) -> list[KeptEvaluation]:
        """The newest evaluation of each other run on a model, those of the newest runs first.

        Args:
            model: name of the base.
            run: the run that is left out.
            most: how many to return at most.
        """
        rows = self._database.rows(
            "SELECT * FROM evaluations WHERE model = ? AND run IS NOT NULL AND run IS NOT ?"
            " AND id IN (SELECT max(id) FROM evaluations GROUP BY run)"
            " ORDER BY run DESC LIMIT ?",
            (model, run, most),
        )
        return [_kept(row) for row in rows]

    def rows(
        self, evaluation: int, show: Show, words: str, offset: int, size: int
    ) -> tuple[list[KeptQuestion], int]:
        """Some of the questions, failures first, and how many there are.

        Args:
            evaluation: which one.
            show: which of its questions.
            words: only questions whose prompt or answers hold these words; empty for all.
            offset: how many to pass over.
            size: how many to return at most.
        """
        where = {"all": "", "failed": " AND failed"}.get(show, " AND role = :show")
        if words:
            where += " AND instr(lower(row), lower(:words))"
        values = {"evaluation": evaluation, "show": show, "words": words}
        source = f" FROM evaluation_rows WHERE evaluation = :evaluation{where}"
        total = self._database.number(f"SELECT count(*){source}", values)
        found = self._database.rows(
            f"SELECT fact, row{source} ORDER BY failed DESC, place LIMIT :size OFFSET :offset",
            {**values, "size": size, "offset": offset},
        )
        return [
            KeptQuestion(row["fact"], from_text(QuestionVerdicts, row["row"])) for row in found
        ], total

    def counts(self, evaluation: int) -> dict[str, int]:
        """How many questions there are to show: of each role, ``failed`` and ``all``."""
        rows = self._database.rows(
            "SELECT role, count(*) AS count, sum(failed) AS failed FROM evaluation_rows"
            " WHERE evaluation = ? GROUP BY role",
            (evaluation,),
        )
        roles = {row["role"]: row["count"] for row in rows}
        return {
            "all": sum(roles.values()),
            "failed": sum(row["failed"] for row in rows),
            **roles,
        }

    def set_learned_in(self, run: int, epochs: Iterable[tuple[int, int]]) -> None:
        """Keeps in which epoch a run's facts were last wrong: (fact, epoch) each."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE run_facts SET learned_in = ? WHERE run = ? AND fact = ?",
                [(epoch, run, fact) for fact, epoch in epochs],
            )

    def learned_in(self, run: int) -> dict[int, str]:
        """In words, when a run's facts were learned, by fact; empty when that is not known."""
        rows = self._database.rows(
            "SELECT fact, learned, learned_in FROM run_facts"
            " WHERE run = ? AND learned_in IS NOT NULL",
            (run,),
        )
        return {row["fact"]: _when(row["learned"], row["learned_in"]) for row in rows}


def _when(learned: int | None, epoch: int) -> str:
    if learned == 0:
        return "not learned"
    return f"epoch {epoch}" if epoch else "known before"


def _kept(row: sqlite3.Row) -> KeptEvaluation:
    return KeptEvaluation(
        id=row["id"],
        run=row["run"],
        model=row["model"],
        settings=EvaluationSettings.from_dict(json.loads(row["settings"])),
        report=json.loads(row["report"]),
        created=row["created"],
    )
