"""How the report of an import looks: its sum, conflicts side by side, and what was wrong.

Pure functions from data to HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.facts import Problem
from workbench.page.kit.html import button, heading, page_buttons, page_range, pill, text
from workbench.store.import_conflicts import Conflict, Option
from workbench.store.imports import Import, KindCount
from workbench.work.words import count

__all__ = ["PAGE_SIZE", "SHOWN_CONFLICTS", "ReportView", "import_report"]

PAGE_SIZE = 50  # problems
SHOWN_CONFLICTS = 20


@dataclass(frozen=True, slots=True)
class ReportView:
    """What the report of an import shows.

    Args:
        brought: the import.
        session: the session's id, for the download.
        kinds: how often each kind of problem was found.
        severity, kind: which problems are listed; empty for all.
        problems: the page of them.
        offset: how many come before it.
        conflicts: the first ones that nobody has decided on.
        open_conflicts: how many of these there are.
        open_against: how many of them are against the table.
        taken: how often the file's answer was taken over the table's.
    """

    brought: Import
    session: str = ""
    kinds: Sequence[KindCount] = ()
    severity: str = ""
    kind: str = ""
    problems: Sequence[Problem] = ()
    offset: int = 0
    conflicts: Sequence[Conflict] = ()
    open_conflicts: int = 0
    open_against: int = 0
    taken: int = 0


def import_report(view: ReportView) -> str:
    """What became of the rows of a file."""
    brought = view.brought
    undone = brought.undone is not None
    return (
        f'<div class="card stack" role="status"><div>'
        f"{heading(brought.name, 'Read as ' + brought.format)}</div>"
        f"{_sum(view)}{_undone(brought) if undone else _conflicts(view)}"
        f'{_problems(view)}<div class="foot"><span class="pair">{_doing(brought)}</span>'
        f"{button('Dismiss', 'dismiss', 'small bare')}</div></div>"
    )


def _sum(view: ReportView) -> str:
    brought = view.brought
    rows = [f"{count(brought.facts, 'fact')}"]
    rows += [f"{brought.merged:,} merged"] if brought.merged else []
    rows += [f"{brought.rejected:,} rejected"] if brought.rejected else []
    facts = [f"{brought.added:,} new"] if brought.added else []
    facts += [f"{brought.same:,} there already"] if brought.same else []
    if brought.against:
        taken = f", {view.taken:,} of them taken over" if view.taken else ""
        facts.append(f"{brought.against:,} against the table{taken}")
    below = ""
    if brought.same or brought.against:
        below = (
            f'<div class="mono quiet">{count(brought.facts, "fact")} = {" + ".join(facts)}</div>'
        )
    unused = ""
    if brought.unused:
        unused = f'<p class="quiet">Columns not used: {text(", ".join(brought.unused))}.</p>'
    return (
        f'<div><div class="mono">{count(brought.rows, "row")} = {" + ".join(rows)}</div>'
        f"{below}{unused}</div>"
    )


def _undone(brought: Import) -> str:
    kept = ""
    if brought.kept:
        kept = f" {count(brought.kept, 'fact')} that you changed since stayed."
    return f'<div class="notice">Undone: what it had replaced is back.{kept}</div>'


def _doing(brought: Import) -> str:
    """What can be done with the import as a whole."""
    if brought.undone is not None:
        return ""
    undo = button("Undo this import", "undo", "small", id=brought.id)
    again = ""
    if brought.path:
        again = button("Choose columns", "columns", "small", id=brought.id)
    return undo + again


def _conflicts(view: ReportView) -> str:
    number = view.open_conflicts
    if not number:
        return ""
    against = view.open_against
    title = f"{count(against, 'answer')} against the table"
    if against < number:
        inside = f"{count(number - against, 'prompt')} with several answers in the file"
        title = f"{title}, {inside}" if against else inside
    body = "".join(_conflict(conflict) for conflict in view.conflicts)
    more = ""
    if number > len(view.conflicts):
        more = f'<p class="quiet">and {number - len(view.conflicts):,} more</p>'
    sentence = "A prompt can have one answer. The first stands until you choose another."
    return (
        f'<div class="contradictions">{heading(title, sentence)}{_for_all(view)}{body}{more}</div>'
    )


def _for_all(view: ReportView) -> str:
    """Buttons that decide on all conflicts of a kind at once."""
    number, against = view.open_conflicts, view.open_against
    if number < 2:
        return ""
    stands = "Keep the table's for all" if against == number else "Keep what stands for all"
    buttons = button(stands, "all", "small", choice="first")
    if against:
        label = "Take the file's for all"
        if against < number:
            label = f"Take the file's for the {against:,} against the table"
        buttons += button(label, "all", "small", choice="file")
    if against < number:
        buttons += button("Take the last row's for all", "all", "small", choice="last")
    return f'<div class="pair">{buttons}</div>'


def _conflict(conflict: Conflict) -> str:
    sides = "".join(_side(conflict, place, option) for place, option in enumerate(conflict.options))
    return (
        f'<div class="against"><div>{text(conflict.options[0].fact.prompt)}</div>'
        f'<div class="sides">{sides}</div></div>'
    )


def _side(conflict: Conflict, place: int, option: Option) -> str:
    where = _rows(option.rows) if option.rows else "table"
    if not option.rows:
        label = "Keep the table's"
    elif conflict.against and len(conflict.options) == 2:
        label = "Take the file's"
    else:
        label = f"{'Take' if place else 'Keep'} {where}'s"
    old = ""
    if option.fact.ground_truth:
        old = f'<br><span class="quiet">old answer: {text(option.fact.ground_truth)}</span>'
    return (
        f'<div><span class="label">{where}</span>{text(option.fact.target_new)}{old}<br>'
        f"{button(label, 'choose', 'small', conflict=conflict.id, option=place)}</div>"
    )


def _rows(rows: Sequence[int]) -> str:
    named = ", ".join(f"{row:,}" for row in rows[:3])
    return f"row {named}" if len(rows) == 1 else f"rows {named}{'…' if len(rows) > 3 else ''}"


def _problems(view: ReportView) -> str:
    if not view.kinds:
        return ""
    every = sum(kind.number for kind in view.kinds)
    chips = _chip("all", every, "", "", not view.kind)
    chips += "".join(
        _chip(
            kind.kind,
            kind.number,
            kind.severity,
            kind.kind,
            (kind.severity, kind.kind) == (view.severity, view.kind),
        )
        for kind in view.kinds
    )
    listed = "".join(map(_problem, view.problems))
    return (
        f'<div><div class="chips" role="group" aria-label="Which problems">{chips}</div>'
        '<div class="scroll"><table class="grid-table problems"><tr><th>row</th><th>field</th>'
        f"<th>what, why, and what to do</th></tr>{listed}</table></div>"
        f"{_foot(view)}</div>"
    )


def _chip(label: str, number: int, severity: str, kind: str, pressed: bool) -> str:
    error = ' class="wrong"' if severity == "error" else ""
    return (
        f'<button type="button" class="chip" data-do="kind" data-severity="{text(severity)}" '
        f'data-kind="{text(kind)}" aria-pressed="{"true" if pressed else "false"}">'
        f'<span{error}>{text(label)}</span> <span class="mono">{number:,}</span></button>'
    )


def _problem(problem: Problem) -> str:
    left_out = problem.severity == "error"
    mark = pill("left out", "bad") if left_out else pill("kept", "warn")
    return (
        f'<tr><td class="num">{problem.row or "–"}</td>'
        f'<td class="mono">{text(problem.field or "row")}<br>{mark}</td>'
        f'<td>{text(problem.what)}<br><span class="quiet">{text(problem.why)} '
        f"{text(problem.mend)}</span></td></tr>"
    )


def _foot(view: ReportView) -> str:
    number = sum(
        kind.number
        for kind in view.kinds
        if not view.kind or (kind.severity, kind.kind) == (view.severity, view.kind)
    )
    offset, shown = view.offset, len(view.problems)
    turn = page_buttons(offset, shown, number, PAGE_SIZE, act="problems")
    address = f"imports/{text(view.session)}/{view.brought.id}.csv"
    return (
        f'<div class="foot"><span class="mono quiet">{page_range(offset, shown, number)}</span>'
        f'<span class="pair">{turn}<a class="btn small" href="{address}" download>'
        "Download report</a></span></div>"
    )
