"""Two runs side by side: which facts only one learned, and where their answers differ.

Knows the database alone; how the runs were set is in their rows.
"""

from dataclasses import dataclass

from workbench.store.database import Database

__all__ = ["Differences", "PairedFact", "RunPair"]

_BOTH = (
    " FROM run_facts a JOIN run_facts b ON b.fact = a.fact AND b.target_new = a.target_new"
    " JOIN facts f ON f.id = a.fact WHERE a.run = :first AND b.run = :second"
)
# Kinds of difference, as conditions.
_ONLY_FIRST = " AND a.learned = 1 AND b.learned = 0"
_ONLY_SECOND = " AND a.learned = 0 AND b.learned = 1"
_DIFFER = " AND a.after != b.after"


@dataclass(frozen=True, slots=True)
class PairedFact:
    """What two runs say to one fact that both compiled with the same answer.

    Args:
        prompt: the fact's prompt as it stands now.
        target_new: the answer that both compiled.
        first, second: what they answer; None when nobody asked yet.
    """

    prompt: str
    target_new: str
    first: str | None
    second: str | None


@dataclass(frozen=True, slots=True)
class Differences:
    """Facts of one kind of difference: how many, and the first of them."""

    number: int
    facts: tuple[PairedFact, ...]


class RunPair:
    """Two runs of one session.

    Args:
        database: the session's.
        first, second: the runs.
    """

    def __init__(self, database: Database, first: int, second: int) -> None:
        self._database = database
        self._values = {"first": first, "second": second}

    @property
    def shared(self) -> int:
        """How many facts both compiled with the same answer."""
        return self._database.number(f"SELECT count(*){_BOTH}", self._values)

    def learned_by_first(self, most: int) -> Differences:
        """The facts that the first run learned and the second did not; at most `most` of them."""
        return self._differences(_ONLY_FIRST, most)

    def learned_by_second(self, most: int) -> Differences:
        """The facts that the second run learned and the first did not."""
        return self._differences(_ONLY_SECOND, most)

    def answered_differently(self, most: int) -> Differences:
        """The facts to which the two give answers that are not the same text."""
        return self._differences(_DIFFER, most)

    def _differences(self, condition: str, most: int) -> Differences:
        number = self._database.number(f"SELECT count(*){_BOTH}{condition}", self._values)
        rows = self._database.rows(
            f"SELECT f.prompt, a.target_new, a.after AS first, b.after AS second{_BOTH}{condition}"
            " ORDER BY a.fact LIMIT :most",
            {**self._values, "most": most},
        )
        return Differences(number, tuple(PairedFact(**dict(row)) for row in rows))
