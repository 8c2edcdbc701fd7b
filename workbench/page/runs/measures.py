"""The measures of two runs side by side, a table for each protocol. Pure functions to HTML.

Invariant: numbers of different protocols never stand in one column. A difference has a colour
only where the intervals of the two lie apart.
"""

from collections.abc import Mapping
from typing import Any

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
from workbench.page.kit.html import text
from workbench.store.runs import Run
from workbench.work.words import share

__all__ = ["measures_of_two"]


def measures_of_two(first: Run, second: Run) -> str:
    """A table for each protocol by which at least one of the runs was measured."""
    tables = "".join(_table(protocol, first, second) for protocol in PROTOCOLS)
    if not tables:
        return '<p class="quiet">Neither run was evaluated.</p>'
    return (
        f'<div class="measure-tables">{tables}</div><p class="quiet">A difference is coloured '
        "where the 90% intervals over facts lie apart.</p>"
    )


def _table(protocol: Protocol, first: Run, second: Run) -> str:
    afters = [run.metrics.get("after") or {} for run in (first, second)]
    rows = ""
    for measure in MEASURES:
        name = metric_name(measure, protocol)
        values = [after.get(name) for after in afters]
        if values == [None, None]:
            continue
        cells = "".join(f'<td class="num">{share(value)}</td>' for value in values)
        change = _change(name, first.metrics, second.metrics, values)
        rows += (
            f'<tr><td title="{text(MEASURE_HELP[measure])}">{measure.replace("_", ", ")}</td>'
            f'{cells}<td class="num">{change}</td></tr>'
        )
    if not rows:
        return ""
    return (
        f'<table class="grid-table"><tr><th title="{text(PROTOCOL_HELP[protocol])}">{protocol}</th>'
        f'<th class="num first">{first.name}</th><th class="num second">{second.name}</th>'
        f'<th class="num">difference</th></tr>{rows}</table>'
    )


def _change(
    name: str, first: Mapping[str, Any], second: Mapping[str, Any], values: list[float | None]
) -> str:
    before, after = values
    if before is None or after is None:
        return "–"
    said = f"{after - before:+.2f}"
    numbers = [_interval(metrics, name) for metrics in (first, second)]
    if numbers[0] is None or numbers[1] is None:
        return said
    difference = Difference(numbers[0], numbers[1])
    if not difference.is_clear:
        return f'<span class="quiet mono" title="within the intervals">{said}</span>'
    return f'<span class="{"teal" if difference.value > 0 else "red"}">{said}</span>'


def _interval(metrics: Mapping[str, Any], name: str) -> Measured | None:
    """A number with its interval; None for runs from before there were any."""
    found = metrics.get("intervals", {}).get("after", {}).get(name)
    return None if found is None else Measured.from_dict(name, found)
