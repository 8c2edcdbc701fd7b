"""How the report of an import looks: its sum, conflicts side by side, and what was wrong.

Pure functions from data to HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from workbench.facts import Problem
from workbench.page.facts.columns import encoding_choices
from workbench.store.import_conflicts import Choice, Conflict, Option
from workbench.store.imports import Import, KindCount
from workbench.work.templates import render
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


def import_report(view: ReportView) -> Markup:
    """What became of the rows of a file."""
    rows, facts = _sums(view)
    return render(
        "page/facts/report.html",
        view=view,
        brought=view.brought,
        rows=rows,
        facts=facts,
        conflicts=_conflicts(view) if view.open_conflicts else "",
        listed=sum(
            kind.number
            for kind in view.kinds
            if not view.kind or (kind.severity, kind.kind) == (view.severity, view.kind)
        ),
        page_size=PAGE_SIZE,
        encodings=encoding_choices(view.brought.encoding if view.brought.path else ""),
    )


def _sums(view: ReportView) -> tuple[list[str], list[str]]:
    """What the rows became, and what the facts became where not all of them were new."""
    brought = view.brought
    rows = [count(brought.facts, "fact")]
    rows += [f"{brought.merged:,} merged"] if brought.merged else []
    rows += [f"{brought.rejected:,} rejected"] if brought.rejected else []
    if not brought.same and not brought.against:
        return rows, []
    facts = [f"{brought.added:,} new"] if brought.added else []
    facts += [f"{brought.same:,} there already"] if brought.same else []
    if brought.against:
        taken = f", {view.taken:,} of them taken over" if view.taken else ""
        facts.append(f"{brought.against:,} against the table{taken}")
    return rows, facts


def _conflicts(view: ReportView) -> Markup:
    number, against = view.open_conflicts, view.open_against
    title = f"{count(against, 'answer')} against the table"
    if against < number:
        inside = f"{count(number - against, 'prompt')} with several answers in the file"
        title = f"{title}, {inside}" if against else inside
    return render(
        "page/facts/conflicts.html",
        view=view,
        title=title,
        for_all=_for_all(number, against),
        where=_where,
        label=_label,
        more=number - len(view.conflicts),
    )


def _for_all(number: int, against: int) -> list[tuple[Choice, str]]:
    """Buttons that decide on all conflicts of a kind at once: the choice, and its words."""
    if number < 2:
        return []
    stands = "Keep the table's for all" if against == number else "Keep what stands for all"
    choices: list[tuple[Choice, str]] = [("first", stands)]
    if against == number:
        choices.append(("file", "Take the file's for all"))
    elif against:
        choices.append(("file", f"Take the file's for the {against:,} against the table"))
    if against < number:
        choices.append(("last", "Take the last row's for all"))
    return choices


def _where(option: Option) -> str:
    """Where an answer comes from."""
    if not option.rows:
        return "table"
    named = ", ".join(f"{row:,}" for row in option.rows[:3])
    more = "…" if len(option.rows) > 3 else ""
    return f"row {named}" if len(option.rows) == 1 else f"rows {named}{more}"


def _label(conflict: Conflict, place: int) -> str:
    """What the button under an answer says."""
    option = conflict.options[place]
    if not option.rows:
        return "Keep the table's"
    if conflict.against and len(conflict.options) == 2:
        return "Take the file's"
    return f"{'Take' if place else 'Keep'} {_where(option)}'s"
