"""What facts were before they were changed, by whomever, and the undo of one change of many.

Invariant: the database itself keeps a version at every change of what a fact says (see
`workbench.store.migrations`), so that no way of changing one can forget it.
"""

import time
from dataclasses import dataclass

from workbench.errors import FactsError, SessionError
from workbench.facts import Fact
from workbench.facts.many import FIELDS, ManyChange
from workbench.store.database import Database
from workbench.store.fact_rows import FactRow, columns_of, fact_of, row_of
from workbench.store.facts import FactTable
from workbench.store.found import Found

__all__ = ["Change", "Preview", "Version", "VersionTable"]

SHOWN = 3
LOOKED_AT = 1000  # facts that a preview tries a change on; it is made anew at every letter


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
        at_most: whether some were only counted, and might stay as they are.
    """

    changed: int
    found: int
    examples: tuple[tuple[Fact, Fact], ...]
    at_most: bool = False


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

    def preview(self, found: Found, change: ManyChange) -> Preview:
        """What a change would do to the facts that are found; nothing is changed.

        Raises:
            FactsError: it cannot be made of one of the first; the message says which.
        """
        pairs = [(row.fact, new) for row, new in self._pairs(found, change, LOOKED_AT)]
        condition, values = _meant(change)
        (counted,) = self._database.rows(
            f"SELECT count(*) AS every, coalesce(sum({condition}), 0) AS meant{found.rows}",
            {**found.values, **values},
        )
        unseen = max(0, counted["meant"] - LOOKED_AT)
        changed = len(pairs) + unseen
        return Preview(changed, counted["every"], tuple(pairs[:SHOWN]), at_most=unseen > 0)

    def change(self, found: Found, change: ManyChange) -> int:
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
            pairs = self._pairs(found, change)
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
            becoming = {new.prompt for row, new in pairs if new.prompt != row.fact.prompt}
            away = [(now, row.id) for row, _ in pairs if row.fact.prompt in becoming]
            connection.executemany("UPDATE facts SET deleted = ? WHERE id = ?", away)
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
                f"SELECT v.*, f.prompt AS stands {_AS_LEFT} AND v.change = ?", (moment,)
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
            becoming = {row["prompt"] for row in rows if row["prompt"] != row["stands"]}
            away = [(time.time(), row["fact"]) for row in rows if row["stands"] in becoming]
            connection.executemany("UPDATE facts SET deleted = ? WHERE id = ?", away)
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
        self, found: Found, change: ManyChange, most: int = -1
    ) -> list[tuple[FactRow, Fact]]:
        """The facts that a change makes others of, with those; only the first `most` are tried."""
        condition, values = _meant(change)
        rows = self._database.rows(
            f"SELECT f.*, {found.learned}{found.rows} AND {condition} ORDER BY f.id LIMIT :most",
            {**found.values, **values, "most": most},
        )
        pairs = []
        for row in map(row_of, rows):
            try:
                new = change(row.fact)
            except FactsError as error:
                raise FactsError(f"'{row.fact.prompt}': {error} Nothing was changed.") from error
            if new != row.fact:
                pairs.append((row, new))
        return pairs


def _meant(change: ManyChange) -> tuple[str, dict[str, str]]:
    """The condition of the rows that a change is about, with its parameters; no other differs."""
    (field,) = (name for name in FIELDS if name == change.field)
    if change.kind == "set":
        return f"f.{field} != :text", {"text": change.text.strip()}
    return f"instr(f.{field}, :find) > 0", {"find": change.find}


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
