"""How the table of facts looks, with its filters and what can be done with the facts found.

Pure functions from data to HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from workbench.page.facts.row import details, fact_row
from workbench.page.kit.html import button, page_buttons, page_range, text
from workbench.store.facts import Deletion, FactRow, Overview
from workbench.store.found import Found, Show
from workbench.store.runs import FactOutcome
from workbench.work.words import count

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
DOWNLOADS = (("csv", "CSV"), ("jsonl", "JSONL"), ("counterfact", "CounterFact"))
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


def facts_table(view: TableView) -> str:
    """One page of the fact table with its controls."""
    undo = _undo(view.deletions)
    if not view.overview.total:
        return (
            f'{undo}<div class="empty">No facts yet. Type one, drop a file, or begin with ours.'
            f"<br>{button('Add the 20 sample facts', 'samples', 'primary')}</div>"
        )
    above = f"{undo}{_filters(view)}"
    if not view.rows:
        return (
            f'{above}<div class="empty">No fact is found. Clear the search, or choose another '
            "filter.</div>"
        )
    number = view.overview.counts[view.found.show]
    every = " checked" if view.overview.found_ticked == number else ""
    state = f"run {view.found.run}" if view.found.run is not None else "state"
    head = (
        f'<tr><th class="tick"><input type="checkbox" data-do="tick-all"{every} '
        f'aria-label="Tick every fact found"></th><th>prompt</th><th>new answer</th>'
        f'<th class="wide">old answer</th><th>{state}</th><th></th></tr>'
    )
    body = "".join(_row(view, row) for row in view.rows)
    return (
        f'{above}<div class="scroll"><table class="grid-table facts">{head}{body}</table></div>'
        f"{_foot(view, number)}{_doing(view, number)}"
    )


def _row(view: TableView, row: FactRow) -> str:
    unfolded = row.id == view.opened
    below = details(row, view.found.run, view.outcome) if unfolded else ""
    return fact_row(row, unfolded) + below


def _undo(deletions: Sequence[Deletion]) -> str:
    if not deletions:
        return ""
    last = deletions[0]
    more = f" and {last.facts - 1:,} more" if last.facts > 1 else ""
    earlier = ""
    if len(deletions) > 1:
        earlier = (
            f' <span class="quiet">Then {count(len(deletions) - 1, "earlier deletion")} can be '
            "undone.</span>"
        )
    return (
        f'<div class="notice pair undo" role="status"><span>{count(last.facts, "fact")} deleted: '
        f"{text(last.prompt)}{more}.{earlier}</span>"
        f"{button('Undo', 'undo', 'small', time=repr(last.time))}"
        f"{button('Dismiss', 'undo-seen', 'small bare')}</div>"
    )


def _filters(view: TableView) -> str:
    shown = [show for show in _LABELS if view.found.run is not None or show not in OF_A_RUN]
    chips = "".join(
        f'<button type="button" class="chip" data-do="show" data-show="{show}" '
        f'aria-pressed="{"true" if show == view.found.show else "false"}">{_LABELS[show]} '
        f'<span class="mono">{view.overview.counts[show]:,}</span></button>'
        for show in shown
    )
    return f'<div class="chips" role="group" aria-label="Which facts">{chips}</div>'


def _foot(view: TableView, number: int) -> str:
    shown, offset, overview = len(view.rows), view.offset, view.overview
    where = page_range(offset, shown, number) if number > shown else f"{number:,} shown"
    turn = page_buttons(offset, shown, number, PAGE_SIZE)
    return (
        f'<div class="foot"><span class="mono quiet">{overview.enabled:,} of '
        f'{overview.total:,} ticked · {where}</span><span class="pair">{turn}</span></div>'
    )


def _doing(view: TableView, number: int) -> str:
    """What can be done with all that is found."""
    every = number == view.overview.total
    named = f"all {number:,}" if every else f"the {number:,} found"
    ask = ""
    if view.overview.found_unanswered:
        ask = button(
            f"Ask the model for {count(view.overview.found_unanswered, 'old answer')}",
            "ask",
            "small",
        )
    if number > view.overview.found_unanswered:
        sure = (
            f"Ask the model about {named}? Old answers that are there are replaced by what it "
            "says now."
        )
        ask += button("Ask the model again", "ask-again", "small", confirm=sure)
    files = "".join(_download(view, kind, label) for kind, label in DOWNLOADS)
    delete = button("Delete all" if every else "Delete those found", "delete-found", "small bare")
    return (
        f'<div class="foot doing"><span class="quiet">With {named}</span>'
        f'<span class="pair">{ask}{delete}</span>'
        f'<span class="pair"><span class="quiet">Download</span>{files}</span></div>'
    )


def _download(view: TableView, kind: str, label: str) -> str:
    query = urlencode({"show": view.found.show, "search": view.found.search})
    title = ' title="The flat schema that EasyEdit and other editors read"'
    return (
        f'<a class="btn small" href="facts/{text(view.session)}.{kind}?{text(query)}" '
        f'aria-label="Download {label}"{title if kind == "counterfact" else ""} download>'
        f"{label}</a>"
    )
