"""The measures of two runs side by side, a table for each protocol. Pure functions to HTML.

Invariant: numbers of different protocols never stand in one column. A difference has a colour
only where the intervals of the two lie apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from workbench.measure.protocols import (
    MEASURE_HELP,
    MEASURES,
    PROTOCOL_HELP,
    PROTOCOLS,
    Difference,
    Measured,
    Protocol,
    metric_name,
)
from workbench.store.runs import Run
from workbench.work.templates import render

__all__ = ["measures_of_two"]


@dataclass(frozen=True, slots=True)
class _Row:
    """A measure of both runs; `kind` is a colour, ``noise``, or empty without intervals."""

    measure: str
    help: str
    values: Sequence[float | None]
    change: str
    kind: str


def measures_of_two(first: Run, second: Run) -> Markup:
    """A table for each protocol by which at least one of the runs was measured."""
    tables = [
        (protocol, PROTOCOL_HELP[protocol], rows)
        for protocol in PROTOCOLS
        if (rows := _rows(protocol, first, second))
    ]
    return render("page/runs/measures.html", tables=tables, first=first, second=second)


def _rows(protocol: Protocol, first: Run, second: Run) -> list[_Row]:
    afters = [run.metrics.get("after") or {} for run in (first, second)]
    rows = []
    for measure in MEASURES:
        name = metric_name(measure, protocol)
        values = [after.get(name) for after in afters]
        if values != [None, None]:
            change, kind = _change(name, first.metrics, second.metrics, values)
            words = measure.replace("_", ", ")
            rows.append(_Row(words, MEASURE_HELP[measure], values, change, kind))
    return rows


def _change(
    name: str, first: Mapping[str, Any], second: Mapping[str, Any], values: Sequence[float | None]
) -> tuple[str, str]:
    """The difference in words, and what it is shown as."""
    before, after = values
    if before is None or after is None:
        return "–", ""
    said = f"{after - before:+.2f}"
    numbers = [_interval(metrics, name) for metrics in (first, second)]
    if numbers[0] is None or numbers[1] is None:
        return said, ""
    difference = Difference(numbers[0], numbers[1])
    if not difference.is_clear:
        return said, "noise"
    return said, "teal" if difference.value > 0 else "red"


def _interval(metrics: Mapping[str, Any], name: str) -> Measured | None:
    """A number with its interval; None for runs from before there were any."""
    found = metrics.get("intervals", {}).get("after", {}).get(name)
    return None if found is None else Measured.from_dict(name, found)
