"""Which facts of the table are meant: those that a search and a filter find.

Invariant: everything that acts on found facts uses the same condition in SQL, so that what is
counted, shown, ticked, deleted and downloaded are the same rows. Knows nothing of the page.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from workbench.errors import SessionError

__all__ = ["SHOWS", "Found", "Show", "found_facts"]

Show = Literal["all", "ticked", "unticked", "learned", "missed", "outside", "doubtful"]
"""Which facts: all; ticked or not; learned or not by the run in question, or not in that run;
with problems."""

SHOWS: tuple[Show, ...] = get_args(Show)

# What a fact must fulfil for each; `r` is what the run in question says of it, if it saw it with
# the answer that it has now.
_CONDITIONS: dict[Show, str] = {
    "all": "1",
    "ticked": "f.enabled",
    "unticked": "NOT f.enabled",
    "learned": "r.learned = 1",
    "missed": "r.learned = 0",
    "outside": "r.fact IS NULL",
    "doubtful": "f.doubtful",
}
# Without a run there is nothing to join.
_WITHOUT_RUN: dict[Show, str] = {"learned": "0", "missed": "0", "outside": "1"}
_SEARCHED = ("f.prompt", "f.target_new", "f.subject")


@dataclass(frozen=True, slots=True)
class Found:
    """What is looked for.

    Args:
        search: a text that stands in the prompt, the new answer or the subject, whatever its
            case; empty finds all.
        show: which of them.
        run: the run in question; None when there is none.
    """

    search: str = ""
    show: Show = "all"
    run: int | None = None

    @property
    def counts(self) -> str:
        """Columns that count the rows of each kind, and among those shown what is ticked."""
        kinds = ", ".join(f'coalesce(sum({self._is(show)}), 0) AS "{show}"' for show in SHOWS)
        shown = self._is(self.show)
        return (
            f"{kinds}, coalesce(sum(f.enabled AND {shown}), 0) AS found_ticked,"
            f" coalesce(sum(f.unanswered AND {shown}), 0) AS found_unanswered"
        )

    @property
    def learned(self) -> str:
        """The column that says whether the run in question learned a row."""
        return "NULL AS learned" if self.run is None else "r.learned AS learned"

    @property
    def rows(self) -> str:
        """The FROM and WHERE of a query for the rows; `values` are its parameters."""
        return f"{self.searched} AND {self._is(self.show)}"

    @property
    def searched(self) -> str:
        """Like `rows`, whatever `show` says."""
        match = ""
        if self.search.strip():
            likes = (f"{column} LIKE :like ESCAPE '\\'" for column in _SEARCHED)
            match = f" AND ({' OR '.join(likes)})"
        join = (
            " LEFT JOIN run_facts r"
            " ON r.run = :run AND r.fact = f.id AND r.target_new = f.target_new"
        )
        return f" FROM facts f{join if self.run is not None else ''} WHERE f.deleted IS NULL{match}"

    def _is(self, show: Show) -> str:
        return _WITHOUT_RUN.get(show, _CONDITIONS[show]) if self.run is None else _CONDITIONS[show]

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of `rows`."""
        search = self.search.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return {"like": f"%{search}%", "run": self.run}


def found_facts(search: str, show: str, run: int | None) -> Found:
    """What is looked for, from words that came from outside.

    Raises:
        SessionError: there is no such filter.
    """
    for known in SHOWS:
        if known == show:
            return Found(search, known, run)
    raise SessionError(f"'{show}' is no filter; choose one of {', '.join(SHOWS)}.")
