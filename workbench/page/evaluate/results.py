"""How an evaluation looks on the page. Pure functions from data to HTML."""

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.measure.report.pieces import (
    ROLES,
    capability_table,
    group_tables,
    health_table,
    measure_tables,
)
from workbench.page.kit.html import button, heading, page_buttons, page_range, text
from workbench.page.probe.answers import marked
from workbench.store.evaluations import KeptEvaluation, KeptQuestion, Show
from workbench.work.words import count

__all__ = ["SHOWS", "failures_card", "further_cards", "measures_card"]

SHOWS: dict[Show, str] = {
    "failed": "Failed",
    "prompt": "Prompts",
    "rephrase": "Rephrases",
    "locality": "Must stay",
    "portability": "Follows",
    "all": "All",
}


def measures_card(kept: KeptEvaluation, links: str) -> str:
    """The measures, a table for each protocol.

    Args:
        kept: the evaluation.
        links: where it can be downloaded, as HTML.
    """
    evaluation = kept.report["evaluation"]
    what = "the base alone" if kept.run is None else f"run {kept.run}"
    lead = f"{what}: {evaluation['sentence']}"
    return (
        f'<div class="card stack">{heading("Did it work?", lead[0].upper() + lead[1:])}'
        f'{links}<div class="measure-tables">{measure_tables(evaluation)}</div></div>'
    )


def further_cards(kept: KeptEvaluation) -> str:
    """What else was measured, each part under its question."""
    report, parts = kept.report, []
    evaluation = report["evaluation"]
    if evaluation["groups"]:
        title = heading("Where does it work?", "Groups of facts, with 90% intervals.")
        parts.append(f'<div class="card stack">{title}{group_tables(evaluation["groups"])}</div>')
    if "health" in report:
        title = heading("Does it still write well?")
        parts.append(f'<div class="card stack">{title}{health_table(report["health"])}</div>')
    if "capability" in report:
        title = heading("What else can it still do?")
        table = capability_table(report["capability"])
        parts.append(f'<div class="card stack">{title}{table}</div>')
    return "".join(parts)


def failures_card(
    rows: Sequence[KeptQuestion],
    counts: Mapping[str, int],
    show: Show,
    words: str,
    offset: int,
    total: int,
    page_size: int,
    edited: bool,
) -> str:
    """Questions one by one, failures first, each with a way to ask its fact on Probe.

    Args:
        rows: one page of them.
        counts: how many there are of each kind.
        show: which are shown.
        words: what they were searched for.
        offset: how many come before this page.
        total: how many are found.
        page_size: most rows a page.
        edited: whether there is an "after".
    """
    choices = "".join(
        f'<button type="button" data-do="show" data-show="{name}" '
        f'aria-pressed="{"true" if name == show else "false"}">{label} {counts.get(name, 0):,}'
        "</button>"
        for name, label in SHOWS.items()
        if counts.get(name) or name == show
    )
    head = heading(
        "Which questions failed?",
        f"{count(counts.get('failed', 0), 'question')} of {counts.get('all', 0):,} failed: a "
        "fact's own, a rephrase or what follows is wrong, or what must stay has changed.",
    )
    tools = f'<div class="segments wrap" role="group" aria-label="Which questions">{choices}</div>'
    if not rows:
        found = f"No question here holds '{text(words)}'." if words else "No question here."
        return f'{head}{tools}<div class="empty">{found}</div>'
    body = "".join(_row(row, edited) for row in rows)
    after = "<th>after</th>" if edited else ""
    where = page_range(offset, len(rows), total)
    turn = page_buttons(offset, len(rows), total, page_size)
    return (
        f'{head}{tools}<div class="scroll"><table class="grid-table outcomes questions"><tr>'
        f"<th>asked</th><th>wanted</th><th>before</th>{after}<th>verdict</th></tr>{body}</table>"
        f'</div><div class="foot"><span class="mono quiet">{where}</span>'
        f'<span class="pair">{turn}</span></div>'
    )


def _row(row: KeptQuestion, edited: bool) -> str:
    found = row.verdicts
    wanted = "as before" if found.role == "locality" and edited else found.wanted or "–"
    before = "–" if found.said_before is None else text(found.said_before or "(nothing)")
    after = ""
    if edited:
        said = "–"
        if found.said_after is not None:
            said = marked(found.said_before or "", found.said_after or "(nothing)")
        after = f"<td>{said}</td>"
    kind = "red" if found.failed and edited else "quiet"
    return (
        f'<tr><td>{text(found.prompt)}<br><span class="quiet">{ROLES[found.role]}</span></td>'
        f"<td>{text(wanted)}</td><td>{before}</td>{after}"
        f'<td><span class="{kind}">{_verdict(row, edited)}</span><br>'
        f"{button('Ask it', 'ask', 'small bare ask', fact=row.fact)}</td></tr>"
    )


def _verdict(row: KeptQuestion, edited: bool) -> str:
    """Each protocol's judgement in words."""
    found: Any = row.verdicts
    sides = [("", found.after if edited else found.before)]
    if found.role == "locality":
        sides = [("right: ", sides[0][1])]
        if edited:
            sides.insert(0, ("unchanged: ", found.unchanged))
    lines = []
    for lead, verdict in sides:
        parts = [
            f"{protocol} {'yes' if getattr(verdict, protocol) else 'no'}"
            for protocol in ("strict", "generated")
            if getattr(verdict, protocol) is not None
        ]
        if verdict.token is not None:
            parts.append(f"token {verdict.token:.2f}")
        if parts:
            lines.append(lead + ", ".join(parts))
    return "<br>".join(lines) or "not judged"
