"""How the table of facts looks, with its filters and what can be done with the facts found.

Pure functions from data to HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup

from workbench.page.facts.row import details, fact_row
from workbench.store.facts import Deletion, FactRow, Overview
from workbench.store.found import Found, Show
from workbench.store.runs import FactOutcome
from workbench.work.templates import render

__all__ = ["OF_A_RUN", "PAGE_SIZE", "TableView", "facts_table"]

PAGE_SIZE = 50

_LABELS: dict[Show, str] = {
    "all": "all",
    "ticked": "ticked",
    "unticked": "not ticked",
    "learned": "learned",
    "missed": "not learned",
    "outside": "not in the run",
    "doubtful": "with problems",
}
# The kinds of files that the facts found are written to: name, label, what it is good for.
DOWNLOADS = (
    ("csv", "CSV", ""),
    ("jsonl", "JSONL", ""),
    ("counterfact", "CounterFact", "The flat schema that EasyEdit and other editors read"),
)
OF_A_RUN: tuple[Show, ...] = ("learned", "missed", "outside")


@dataclass(frozen=True, slots=True)
class TableView:
    """What the table shows.

    Args:
        rows: the page's rows.
        offset: how many found rows come before them.
        found: what is looked for.
        overview: how many facts there are and are found.
        opened: the row that is unfolded; 0 for none.
        outcome: what the run in question did to the unfolded fact.
        deletions: what can be brought back, the last deletion first.
        session: the session's id, for the download.
    """

    rows: Sequence[FactRow] = ()
    offset: int = 0
    found: Found = Found()
    overview: Overview = Overview()
    opened: int = 0
    outcome: FactOutcome | None = None
    deletions: Sequence[Deletion] = ()
    session: str = ""


def facts_table(view: TableView) -> Markup:
    """One page of the fact table with its controls."""
    found, overview = view.found, view.overview
    filters = [
        (show, label)
        for show, label in _LABELS.items()
        if found.run is not None or show not in OF_A_RUN
    ]
    return render(
        "page/facts/table.html",
        view=view,
        found=found,
        overview=overview,
        filters=filters,
        rows=[_row(view, row) for row in view.rows],
        number=overview.counts[found.show] if view.rows else 0,
        page_size=PAGE_SIZE,
        downloads=DOWNLOADS,
        query=urlencode({"show": found.show, "search": found.search}),
    )


def _row(view: TableView, row: FactRow) -> Markup:
    unfolded = row.id == view.opened
    below = details(row, view.found.run, view.outcome) if unfolded else Markup()
    return fact_row(row, unfolded) + below
