"""How answers look: two halves of one card, before and after. Pure functions from data to HTML."""

import difflib
import re

from markupsafe import Markup

from workbench.measure.report.pieces import ROLES
from workbench.store.probes import Answered, ProbeRow
from workbench.work.templates import macro, render

__all__ = ["Sides", "answer_card", "marked", "sides_of"]

Sides = tuple[int | None, int | None]
"""The runs that "before" and "after" are; None for the base."""


def marked(before: str, after: str) -> Markup:
    """The answer after as HTML, with the words marked that the one before does not have there."""
    return macro("page/marks.html", "marks", _differing(before, after))


def _differing(before: str, after: str) -> list[tuple[str, bool]]:
    """The answer after in pieces, each with whether the one before lacks it."""
    old, new = _words(before), _words(after)
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    pieces: list[tuple[str, bool]] = []
    for kind, _, _, start, end in matcher.get_opcodes():
        words = "".join(new[start:end])
        differs = kind != "equal" and bool(words.strip())
        if pieces and pieces[-1][1] == differs:
            pieces[-1] = (pieces[-1][0] + words, differs)
        elif differs and len(pieces) > 1 and not pieces[-1][0].strip():
            # One mark over neighbouring words is calmer than one for each.
            blank, start_of_mark = pieces.pop()[0], pieces.pop()[0]
            pieces.append((start_of_mark + blank + words, True))
        elif words:
            pieces.append((words, differs))
    return pieces


def _words(answer: str) -> list[str]:
    """Words, blanks and marks apart, so that joining them gives the answer again."""
    return re.findall(r"\w+|\s+|[^\w\s]", answer)


def sides_of(probe: ProbeRow, now: Sides) -> Sides:
    """What a probe's halves are: what answered it, else what is going to."""
    return (probe.before_run, probe.run) if probe.before is not None else now


def answer_card(card: tuple[ProbeRow, ...], now: Sides, waiting: str = "") -> Markup:
    """One prompt with its answers, or all prompts of a fact with theirs.

    Args:
        card: the prompts.
        now: what before and after are now.
        waiting: what to say in place of answers that are not there yet.
    """
    first = card[0]
    sides = sides_of(first, now)
    return render(
        "page/probe/answer.html",
        probe=first,
        is_old=sides != now,
        before=_label("before", sides[0]),
        after=_label("after", sides[1]),
        rows=[_row(probe) for probe in card],
        waiting=waiting,
        repr=repr,
    )


def _label(side: str, run: int | None) -> str:
    return f"{side} · {'base' if run is None else f'run {run}'}"


def _row(probe: ProbeRow) -> tuple[str, str, str, str]:
    """What was asked, its role, and the answers before and after, the latter with its marks."""
    old = _so_far(probe, "before")
    is_free = not probe.role
    new = "–"
    if is_free or probe.after is not None or "after" in probe.partial:
        new = marked(old, _so_far(probe, "after"))
    return probe.prompt, "" if is_free else ROLES[probe.role], old, new


def _so_far(probe: ProbeRow, side: str) -> str:
    """An answer, whole or as far as it has come."""
    answer: Answered | None = getattr(probe, side)
    if answer is not None:
        return answer.text.strip() or "(nothing)"
    return probe.partial.get(side, "") + " …"
