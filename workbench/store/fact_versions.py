"""What facts were before they were changed, by whomever, and the undo of one change of many.

Invariant: the database itself keeps a version at every change of what a fact says (see
`workbench.store.migrations`), so that no way of changing one can forget it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from workbench.errors import FactsError, SessionError
from workbench.facts import Fact
from workbench.store.database import Database
from workbench.store.fact_rows import columns_of, fact_of
from workbench.store.facts import FactRow, FactTable
from workbench.store.found import Found

__all__ = ["Change", "Preview", "Version", "VersionTable"]

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Version:
    """A fact as it was.

    Args:
        fact: what it said.
        until: when it was changed, in seconds since the epoch.
    """

    fact: Fact
    until: float


@dataclass(frozen=True, slots=True)
class Change:
    """Facts that were changed together and can be changed back together.

    Args:
        time: when, in seconds since the epoch; tells it from others.
        facts: how many are as it left them.
        prompt: of the first of them.
    """

    time: float
    facts: int
    prompt: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change of many would do.

    Args:
        changed: how many facts would say something else.
        found: out of how many.
        examples: the first of them, before and after.
    """

    changed: int
    found: int
    examples: tuple[tuple[Fact, Fact], ...]


class VersionTable:
    """Earlier versions of the facts of one session."""

    def __init__(self, database: Database, facts: FactTable) -> None:
        self._database = database
        self._facts = facts

    def of(self, fact: int) -> list[Version]:
        """What a fact was before, the last first."""
        rows = self._database.rows(
            "SELECT * FROM fact_versions WHERE fact = ? ORDER BY id DESC", (fact,)
        )
        return [Version(fact_of(row), row["until"]) for row in rows]

    def preview(self, found: Found, change: Callable[[Fact], Fact]) -> Preview:
        """What a change would do to the facts that are found; nothing is changed.

        Raises:
            FactsError: it cannot be made of one of them; the message says which.
        """
        number, every = 0, 0
        examples: list[tuple[Fact, Fact]] = []
        for before, after in self._pairs(found, change):
            every += 1
            if after == before.fact:
                continue
            number += 1
            if len(examples) < SHOWN:
                examples.append((before.fact, after))
        return Preview(number, every, tuple(examples))

    def change(self, found: Found, change: Callable[[Fact], Fact]) -> int:
        """Changes every fact that is found, all of them or none.

        Args:
            found: which.
            change: makes the new fact from the one that is there.

        Returns:
            How many say something else now.

        Raises:
            FactsError: it cannot be made of one of them; the message says which.
            SessionError: two facts would have the same prompt.
        """
        with self._database.transaction() as connection:
            pairs = [(row, new) for row, new in self._pairs(found, change) if new != row.fact]
            changing = {row.id for row, _ in pairs}
            there = {row.fact.prompt for row in self._facts if row.id not in changing}
            for row, new in pairs:
                if new.prompt in there:
                    raise SessionError(
                        f"'{row.fact.prompt}' would become '{new.prompt}', which another fact has "
                        "as its prompt. Nothing was changed."
                    )
                there.add(new.prompt)
            now = time.time()
            # Out of the way first: a prompt may become what another one is until then.
            connection.executemany(
                "UPDATE facts SET deleted = ? WHERE id = ?", [(now, row.id) for row, _ in pairs]
            )
            connection.executemany(
                _SET_AND_SHOW,
                [{**columns_of(new), "changed": now, "id": row.id} for row, new in pairs],
            )
        return len(pairs)

    def changes(self, since: float = 0.0) -> list[Change]:
        """Changes of several facts at once that can be undone, the last first.

        Args:
            since: only those after this moment.
        """
        rows = self._database.rows(
            f"SELECT v.change, count(*) AS facts, f.prompt, min(f.id) {_AS_LEFT}"
            " AND v.change > ? GROUP BY v.change HAVING count(*) > 1 ORDER BY v.change DESC",
            (since,),
        )
        return [Change(row["change"], row["facts"], row["prompt"]) for row in rows]

    def undo(self, moment: float) -> int:
        """Gives the facts of one change what they were, but those that were changed since.

        Args:
            moment: the change's time.

        Returns:
            How many were changed back.

        Raises:
            SessionError: there is nothing to undo, or a prompt was given to another fact since.
        """
        with self._database.transaction() as connection:
            rows = connection.execute(
                f"SELECT v.* {_AS_LEFT} AND v.change = ?", (moment,)
            ).fetchall()
            if not rows:
                raise SessionError("These facts were changed again since; nothing is undone.")
            was = {row["fact"]: fact_of(row) for row in rows}
            there = {row.fact.prompt for row in self._facts if row.id not in was}
            taken = next((fact.prompt for fact in was.values() if fact.prompt in there), None)
            if taken is not None:
                raise SessionError(
                    f"Another fact has the prompt '{taken}' by now. Change or delete that one "
                    "first."
                )
            last = connection.execute("SELECT max(id) FROM fact_versions").fetchone()[0]
            connection.executemany(
                "UPDATE facts SET deleted = ? WHERE id = ?", [(time.time(), row) for row in was]
            )
            connection.executemany(
                _SET_AND_SHOW,
                [
                    {**columns_of(was[row["fact"]]), "changed": row["changed"], "id": row["fact"]}
                    for row in rows
                ],
            )
            # The way back is none that could itself be undone as the change before it.
            connection.execute("UPDATE fact_versions SET change = NULL WHERE id > ?", (last,))
        return len(was)

    def _pairs(
        self, found: Found, change: Callable[[Fact], Fact]
    ) -> Iterator[tuple[FactRow, Fact]]:
        for row in self._facts.each(found):
            try:
                yield row, change(row.fact)
            except FactsError as error:
                raise FactsError(f"'{row.fact.prompt}': {error} Nothing was changed.") from error


# What a version is of, where the fact is as the change after that version left it.
_AS_LEFT = (
    "FROM fact_versions v JOIN facts f"
    " ON f.id = v.fact AND f.changed = v.change AND f.deleted IS NULL WHERE 1"
)
_SET_AND_SHOW = (
    "UPDATE facts SET prompt = :prompt, target_new = :target_new, subject = :subject,"
    " ground_truth = :ground_truth, questions = :questions, problems = :problems,"
    " changed = :changed, lengths = '[]', measured = NULL, deleted = NULL WHERE id = :id"
)
