"""What is too long for the session's model among its facts, in the model's own tokens.

The worker counts while it has nothing else to do; see `workbench.worker.lengths`. A fact
that changes is measured again. Knows no tokenizer.
"""

from collections.abc import Iterable, Sequence

from workbench.facts import Fact, Problem
from workbench.store.database import Database
from workbench.store.fact_rows import fact_of, problems_json

__all__ = ["LengthTable", "Measured"]

Measured = tuple[int, Fact, Sequence[Problem]]
"""A row, the fact that stood there when it was measured, and what is too long in it."""


class LengthTable:
    """How long the facts of one session are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unmeasured(self, model: str, size: int) -> list[tuple[int, Fact]]:
        """Some facts whose length in a model's tokens is not known, with their rows' ids."""
        rows = self._database.rows(
            "SELECT * FROM facts WHERE deleted IS NULL AND measured IS NOT ? ORDER BY id LIMIT ?",
            (model, size),
        )
        return [(row["id"], fact_of(row)) for row in rows]

    def keep(self, model: str, measured: Iterable[Measured]) -> None:
        """Keeps what is too long for a model, for facts that are still as they were measured.

        Args:
            model: whose tokens were counted.
            measured: see `Measured`.
        """
        rows = [(row, fact, problems_json(problems)) for row, fact, problems in measured]
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE facts SET measured = ? WHERE id = ? AND prompt = ? AND target_new = ?",
                [(model, row, fact.prompt, fact.target_new) for row, fact, _ in rows],
            )
            # The page draws the table again only where there is something new to see.
            connection.executemany(
                "UPDATE facts SET lengths = ? WHERE id = ? AND measured = ? AND lengths != ?",
                [(told, row, model, told) for row, _, told in rows],
            )
