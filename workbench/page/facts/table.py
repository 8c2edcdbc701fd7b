"""How the table of facts looks, with its filters and what can be done with the facts found.

Pure functions from data to HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from markupsafe import Markup

from workbench.page.facts.row import Past, details, fact_row
from workbench.store.fact_versions import Change
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
        change: a change of many facts that can be undone, made after the last deletion.
        past: what became of the unfolded fact until now.
        looks: searches, each with its filter, that are kept.
        others: id and name of each other session.
        asking: what asking the model takes for those that have no old answer, in words; empty
            where that is not known.
        session: the session's id, for the download.
    """

    rows: Sequence[FactRow] = ()
    offset: int = 0
    found: Found = Found()
    overview: Overview = Overview()
    opened: int = 0
    outcome: FactOutcome | None = None
    deletions: Sequence[Deletion] = ()
    change: Change | None = None
    past: Past = field(default_factory=Past)
    looks: Sequence[tuple[str, Show]] = ()
    others: Sequence[tuple[str, str]] = ()
    asking: str = ""
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
        labels=_LABELS,
        look=(found.search.strip(), found.show),
        rows=[_row(view, row) for row in view.rows],
        number=overview.counts[found.show] if view.rows else 0,
        page_size=PAGE_SIZE,
        downloads=DOWNLOADS,
        query=urlencode({"show": found.show, "search": found.search}),
    )


def _row(view: TableView, row: FactRow) -> Markup:
    unfolded = row.id == view.opened
    below = details(row, view.found.run, view.outcome, view.past) if unfolded else Markup()
    return fact_row(row, unfolded) + below
