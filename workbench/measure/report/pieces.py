"""Pieces of HTML that the report and the page share: measures, groups, failures, tasks.

What is computed or put into words is done here, how it looks is in the templates. Colours are CSS
variables of the page's stylesheet; the report brings the same ones. Pure functions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from workbench.measure.capability_result import TaskResult
from workbench.measure.figures import figure_rows
from workbench.measure.groups import GROUP_HELP
from workbench.measure.protocols import (
    MEASURES,
    PROTOCOL_HELP,
    Difference,
    Measured,
    Protocol,
    form_of,
    help_of,
    metric_name,
    words_of,
)
from workbench.measure.report.contents import numbers_of, protocols_of
from workbench.work.templates import macro, render

__all__ = [
    "ROLES",
    "capability_table",
    "failure_table",
    "figure",
    "figure_table",
    "group_tables",
    "health_table",
    "measure_tables",
    "share",
    "strip",
]

ROLES = {
    "prompt": "prompt",
    "rephrase": "rephrase",
    "locality": "must stay",
    "portability": "follows",
}
ROLE_OF = {
    "reliability": "prompt",
    "generalization": "rephrase",
    "locality": "locality",
    "portability": "portability",
}
GROUPED_MEASURES = tuple(
    measure for measure in MEASURES if measure not in ("locality_first", "locality_right")
)


@dataclass(frozen=True, slots=True)
class _Measures:
    """A row of a protocol's table."""

    name: str
    help: str
    before: Measured | None
    after: Measured | None
    change: str
    verdict: str
    usual: tuple[str, str] | None
    role: str
    asked: int


@dataclass(frozen=True, slots=True)
class _Groups:
    """A table of groups that were made in one way."""

    by: str
    help: str
    measures: list[str]
    rows: list[tuple[str, int, list[Measured | None]]]


@dataclass(frozen=True, slots=True)
class _Bar:
    """A task's metric and its interval, in hundredths of the bar's place."""

    value: float
    left: float
    width: float


def share(value: float | None) -> str:
    """A share in three digits; a dash when there is none. Only a whole one reads 1.000."""
    if value is None:
        return "–"
    return "0.999" if 0.9995 <= value < 1 else f"{value:.3f}"


def figure(value: float | None) -> str:
    """A number that is no share; a dash when there is none."""
    return "–" if value is None else f"{value:.3f}"


def figure_table(
    evaluation: Mapping[str, Any],
    usual: Mapping[str, Callable[[float], tuple[str, str]]] | None = None,
) -> Markup:
    """Neighbours' divergence, loss of text, and answers that stop; empty where none is known.

    Args:
        evaluation: see `measure_tables`.
        usual: see `measure_tables`.
    """
    known = usual or {}
    rows = [
        (row, known[row.name](row.after) if row.after is not None and row.name in known else None)
        for row in figure_rows(evaluation)
    ]
    return render(
        "report/figures.html", rows=rows, text=evaluation.get("text") or "", figure=figure
    )


def strip(number: Measured | None, kind: str = "after") -> Markup:
    """A share and its interval as a mark on a line from 0 to 1."""
    return macro("report/strip.html", "strip", number, kind)


def measure_tables(
    evaluation: Mapping[str, Any],
    usual: Mapping[str, Callable[[float], tuple[str, str]]] | None = None,
    linked: bool = False,
) -> Markup:
    """A table for each protocol, never one for several, and one of what is no share.

    Args:
        evaluation: `Evaluation.as_dict`, or a report's part.
        usual: by a number's name, what says in words whether a value is usual, and what is.
        linked: whether a measure's name is a button that shows its questions.
    """
    tables = [
        (protocol, PROTOCOL_HELP[protocol], _measure_rows(evaluation, protocol, usual or {}))
        for protocol in protocols_of(evaluation)
    ]
    return render(
        "report/measures.html",
        tables=tables,
        share=share,
        linked=linked,
        figures=figure_table(evaluation, usual or {}),
    )


def _measure_rows(
    evaluation: Mapping[str, Any],
    protocol: Protocol,
    usual: Mapping[str, Callable[[float], tuple[str, str]]],
) -> list[_Measures]:
    rows = []
    for measure, before, after in numbers_of(evaluation, protocol):
        change, verdict = "", ""
        if before is not None and after is not None:
            found = Difference(before, after)
            change = f"{found.value:+.3f}"
            verdict = "within noise"
            if found.is_clear:
                verdict = "better than the base" if found.value > 0 else "worse than the base"
        newest = after or before
        name = metric_name(measure, protocol)
        rows.append(
            _Measures(
                words_of(measure),
                help_of(measure),
                before,
                after,
                change,
                verdict,
                usual[name](after.value) if after is not None and name in usual else None,
                ROLE_OF.get(form_of(measure)[0].partition("_")[0], ""),
                newest.count if newest is not None else 0,
            )
        )
    return rows


def group_tables(groups: Sequence[Mapping[str, Any]], protocol: Protocol = "strict") -> Markup:
    """The shares of every group by one protocol, a table for each way to group."""
    tables = [
        _group_table(by, [group for group in groups if group["by"] == by], protocol)
        for by in dict.fromkeys(group["by"] for group in groups)
    ]
    return render("report/groups.html", tables=tables, protocol=protocol, share=share)


def _group_table(by: str, groups: Sequence[Mapping[str, Any]], protocol: Protocol) -> _Groups:
    names = {metric_name(measure, protocol): measure for measure in GROUPED_MEASURES}
    there = [name for name in names if any(name in group["measured"] for group in groups)]
    rows = [
        (group["label"], group["facts"], [_measured(group["measured"], name) for name in there])
        for group in groups
    ]
    return _Groups(by, GROUP_HELP.get(by, ""), [words_of(names[name]) for name in there], rows)


def _measured(numbers: Mapping[str, Any], name: str) -> Measured | None:
    return Measured.from_dict(name, numbers[name]) if numbers.get(name) is not None else None


def failure_table(rows: Iterable[Mapping[str, Any]]) -> Markup:
    """Questions at which an edit failed, with what was wanted and said."""
    return render("report/failures.html", rows=list(rows), roles=ROLES)


def health_table(health: Mapping[str, Any]) -> Markup:
    """The health of the writing, before and after."""
    before, after = health["before"], health["after"] or {}
    names = {
        "perplexity": f"perplexity on {health['text']}",
        "entropy": "n-gram entropy of continuations, bits",
        "unended": "share of answers that do not stop",
    }
    rows = [
        (name, _figure(before.get(key)), _figure(after.get(key))) for key, name in names.items()
    ]
    return render("report/health.html", sentence=health["sentence"], rows=rows)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def capability_table(capability: Mapping[str, Any]) -> Markup:
    """Tasks before and after as bars with intervals, and what dropped in words."""
    tasks = [TaskResult.from_dict(dict(task)) for task in capability["tasks"]]
    return render(
        "report/capability.html",
        sentence=capability["sentence"],
        rows=[
            (task, _bar(task.before, task.before_interval), _bar(task.after, task.after_interval))
            for task in tasks
        ],
        harness=capability["harness"],
        limit=capability["limit"],
        share=share,
    )


def _bar(value: float | None, span: tuple[float, float] | None) -> _Bar | None:
    if value is None:
        return None
    scale = 100.0 if value <= 1 else 1.0  # BLEU and its like go to 100
    low, high = span or (value, value)
    left = max(0.0, scale * low)
    width = max(0.4, min(100.0, scale * high) - left)
    return _Bar(min(100.0, scale * value), left, width)
