"""The measures of two runs side by side, a table for each protocol. Pure functions to HTML.

Invariant: numbers of different protocols never stand in one column. A difference has a colour
only where the intervals of the two lie apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from workbench.measure.figures import FIGURE_NAMES, figure_help, figure_words, figures_in
from workbench.measure.protocols import (
    EVERY_MEASURE,
    PROTOCOL_HELP,
    PROTOCOLS,
    Difference,
    Measured,
    Protocol,
    help_of,
    metric_name,
    words_of,
)
from workbench.measure.report.pieces import strip
from workbench.page.runs.overlay import Laid, measured_after
from workbench.store.runs import Run
from workbench.work.templates import render

__all__ = ["measures_of_two"]

OTHER_HELP = "Means and a share that no protocol judges."


@dataclass(frozen=True, slots=True)
class _Row:
    """A measure of both runs; `kind` is a colour, ``noise``, or empty without intervals."""

    measure: str
    help: str
    values: Sequence[tuple[float | None, Measured | None]]
    change: str
    kind: str


def measures_of_two(one: Laid, other: Laid) -> Markup:
    """A table for each protocol by which at least one of the runs was measured.

    Args:
        one, other: the runs, with their names and colours.
    """
    first, second = one.run, other.run
    tables: list[tuple[str, str, list[_Row]]] = [
        (protocol, PROTOCOL_HELP[protocol], rows)
        for protocol in PROTOCOLS
        if (rows := _rows(protocol, first, second))
    ]
    if figures := _figures(first, second):
        tables.append(("neighbours, text, endings", OTHER_HELP, figures))
    return render("page/runs/measures.html", tables=tables, runs=(one, other), strip=strip)


def _figures(first: Run, second: Run) -> list[_Row]:
    """What is no share by a protocol; which way is better differs, so that nothing has a colour."""
    afters = [figures_in(run.metrics, "after") for run in (first, second)]
    rows = []
    for name in FIGURE_NAMES:
        values = [after.get(name) for after in afters]
        if values != [None, None]:
            old, new = values
            change = "–" if old is None or new is None else f"{new - old:+.2f}"
            pairs = [(value, None) for value in values]
            rows.append(_Row(figure_words(name), figure_help(name), pairs, change, ""))
    return rows


def _rows(protocol: Protocol, first: Run, second: Run) -> list[_Row]:
    rows = []
    for measure in EVERY_MEASURE:
        name = metric_name(measure, protocol)
        pairs = [measured_after(run, name) for run in (first, second)]
        if any(value is not None for value, _ in pairs):
            change, kind = _change(*pairs)
            rows.append(_Row(words_of(measure), help_of(measure), pairs, change, kind))
    return rows


def _change(
    first: tuple[float | None, Measured | None], second: tuple[float | None, Measured | None]
) -> tuple[str, str]:
    """The difference in words, and what it is shown as."""
    (before, old), (after, new) = first, second
    if before is None or after is None:
        return "–", ""
    said = f"{after - before:+.2f}"
    if old is None or new is None:
        return said, ""
    difference = Difference(old, new)
    if not difference.is_clear:
        return said, "noise"
    return said, "teal" if difference.value > 0 else "red"
