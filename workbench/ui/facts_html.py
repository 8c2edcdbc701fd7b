"""How facts and the report of an import look. Pure functions from data to HTML."""

from typing import Any

from workbench.session.facts import FactRow
from workbench.ui.html import button, heading, pill, text
from workbench.ui.words import count

__all__ = ["PAGE_SIZE", "facts_table", "import_report"]

PAGE_SIZE = 50


def facts_table(
    rows: list[FactRow],
    offset: int,
    found: int,
    total: int,
    enabled: int,
    run: int | None,
    deleted: int,
) -> str:
    """One page of the fact table with its controls.

    Args:
        rows: the page's rows.
        offset: how many found rows come before them.
        found: how many rows the search finds.
        total: how many facts there are.
        enabled: how many are ticked.
        run: the run whose results are shown; None for none.
        deleted: how many facts the last deletion took away and could give back.
    """
    undo = ""
    if deleted:
        undo = (
            f'<div class="notice pair">{count(deleted, "fact")} deleted. '
            f"{button('Undo', 'undo', 'small')}</div>"
        )
    if not total:
        return (
            f'{undo}<div class="empty">No facts yet. Type one, drop a file, or begin with ours.'
            f"<br>{button('Add the 20 sample facts', 'samples', 'primary')}</div>"
        )
    if not rows:
        return f'{undo}<div class="empty">No fact matches the search.</div>'
    every = " checked" if enabled == total else ""
    state = f"run {run}" if run is not None else "state"
    head = (
        f'<tr><th class="tick"><input type="checkbox" data-do="tick-all"{every} '
        'aria-label="Tick every fact found"></th><th>prompt</th><th>new answer</th>'
        f'<th class="wide">old answer</th><th>{state}</th><th></th></tr>'
    )
    body = "".join(_row(row) for row in rows)
    return (
        f'{undo}<div class="scroll"><table class="grid-table facts">{head}{body}</table></div>'
        f"{_foot(len(rows), offset, found, total, enabled)}"
    )


def _row(row: FactRow) -> str:
    fact = row.fact
    ticked = " checked" if row.enabled else ""
    extras = len(fact.rephrase_prompts) + len(fact.locality_prompts)
    more = f' <span class="quiet" title="rephrase and locality prompts">+{extras}</span>'
    return (
        f'<tr class="{"" if row.enabled else "off"}"><td class="tick"><input type="checkbox" '
        f'data-do="tick" data-id="{row.id}"{ticked} aria-label="Use this fact"></td>'
        f"<td>{_editable(row.id, 'prompt', fact.prompt)}{more if extras else ''}</td>"
        f"<td>{_editable(row.id, 'target_new', fact.target_new)}</td>"
        f'<td class="wide">{_editable(row.id, "ground_truth", fact.ground_truth)}</td>'
        f"<td>{_learned(row.learned)}</td>"
        f"<td>{button('×', 'delete', 'bare', id=row.id)}</td></tr>"
    )


def _editable(row: int, field: str, value: str) -> str:
    names = {"prompt": "prompt", "target_new": "new answer", "ground_truth": "old answer"}
    return (
        f'<span contenteditable="plaintext-only" role="textbox" aria-label="{names[field]}" '
        f'data-do="change" data-id="{row}" data-field="{field}">{text(value)}</span>'
    )


def _learned(learned: bool | None) -> str:
    if learned is None:
        return '<span class="dot" title="not in the run shown"></span>'
    if learned:
        return '<span class="dot yes" title="learned"></span>'
    return '<span class="dot no" title="not learned"></span>'


def _foot(shown: int, offset: int, found: int, total: int, enabled: int) -> str:
    where = f"{offset + 1}–{offset + shown} of {found:,}" if found > shown else f"{found:,} shown"
    back = button("Back", "page", "small", offset=max(0, offset - PAGE_SIZE)) if offset else ""
    onward = ""
    if offset + shown < found:
        onward = button("Next", "page", "small", offset=offset + PAGE_SIZE)
    which = "Delete all" if found == total else "Delete those found"
    return (
        f'<div class="foot"><span class="mono quiet">{enabled:,} of {total:,} ticked · {where}'
        f'</span><span class="pair">{back}{onward}'
        f"{button(which, 'delete-found', 'bare')}</span></div>"
    )


def import_report(report: dict[str, Any]) -> str:
    """What became of the rows of a file, and what was wrong with some."""
    parts = [
        (report["added"], "added"),
        (report["present"], "there already"),
        (report["merged"], "merged"),
        (report["rejected"], "left out"),
    ]
    total = " + ".join(f"{number:,} {word}" for number, word in parts if number)
    problems = report["problems"]
    listed = "".join(_problem(problem) for problem in problems)
    table = ""
    if problems:
        table = (
            '<div class="scroll"><table class="grid-table"><tr><th>row</th><th>field</th>'
            f"<th>what is wrong, and what to do</th></tr>{listed}</table></div>"
        )
    more = f'<p class="quiet">and {report["more"]:,} more</p>' if report["more"] else ""
    return (
        f'<div class="card stack" role="status"><div>'
        f"{heading(report['name'], 'Read as ' + report['format'])}</div>"
        f'<div class="mono">{count(report["rows"], "row")} = {total or "nothing"}</div>'
        f"{table}{more}{button('Dismiss', 'dismiss', 'small')}</div>"
    )


def _problem(problem: dict[str, Any]) -> str:
    left_out = problem["severity"] == "error"
    mark = pill("left out", "bad") if left_out else pill("kept", "warn")
    return (
        f'<tr><td class="num">{problem["row"] or "–"}</td>'
        f'<td class="mono">{text(problem["field"] or "row")}<br>{mark}</td>'
        f'<td>{text(problem["what"])}<br><span class="quiet">{text(problem["mend"])}</span></td>'
        "</tr>"
    )
