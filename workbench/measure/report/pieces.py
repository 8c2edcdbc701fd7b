"""Pieces of HTML that the report and the page share: measures, groups, failures, tasks, studies.

Invariant: text from people or models comes in through `text`, which escapes it. Colours are CSS
variables of the page's stylesheet; the report brings the same ones. Pure functions.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from workbench.measure.capability_result import TaskResult
from workbench.measure.groups import GROUP_HELP
from workbench.measure.protocols import (
    MEASURE_HELP,
    PROTOCOL_HELP,
    Difference,
    Measured,
    metric_name,
)
from workbench.measure.report.contents import numbers_of, protocols_of

__all__ = [
    "capability_table",
    "failure_table",
    "group_tables",
    "health_table",
    "measure_tables",
    "names_of",
    "strip",
    "study_table",
    "text",
]

NAMES = {"locality": "locality, unchanged", "locality_right": "locality, right"}
ROLES = {
    "prompt": "prompt",
    "rephrase": "rephrase",
    "locality": "must stay",
    "portability": "follows",
}
SHOWN_MEASURES = ("reliability", "generalization", "locality", "portability")


def text(value: object) -> str:
    """Any text as HTML that shows exactly that text."""
    return escape(str(value), quote=True)


def names_of(measure: str) -> str:
    """A measure in words."""
    return NAMES.get(measure, measure.replace("_", " "))


def share(value: float | None) -> str:
    """A share in three digits; a dash when there is none. Only a whole one reads 1.000."""
    if value is None:
        return "–"
    return "0.999" if 0.9995 <= value < 1 else f"{value:.3f}"


def strip(number: Measured | None, kind: str = "after") -> str:
    """A share and its interval as a mark on a line from 0 to 1."""
    if number is None:
        return ""
    low, width = 100 * number.low, 100 * (number.high - number.low)
    label = f"{number.value:.3f}, interval {number.low:.3f} to {number.high:.3f}"
    return (
        f'<span class="strip {kind}" role="img" aria-label="{label}" title="{label}">'
        f'<i style="left:{low:.1f}%;width:{width:.1f}%"></i>'
        f'<b style="left:{100 * number.value:.1f}%"></b></span>'
    )


def measure_tables(evaluation: Mapping[str, Any]) -> str:
    """A table for each protocol, never one for several."""
    parts = []
    for protocol in protocols_of(evaluation):
        rows = []
        for measure, before, after in numbers_of(evaluation, protocol):
            change = ""
            if before is not None and after is not None:
                found = Difference(before, after)
                change = f"{found.value:+.3f}" + ("" if found.is_clear else " (within noise)")
            count = (after or before).count if (after or before) else 0  # type: ignore[union-attr]
            rows.append(
                f'<tr><td title="{text(MEASURE_HELP[measure])}">{names_of(measure)}</td>'
                f'<td class="num">{share(before.value if before else None)}</td>'
                f'<td class="num">{share(after.value if after else None)}</td>'
                f"<td>{strip(before, 'before')}{strip(after)}</td>"
                f'<td class="num">{change}</td><td class="num">{count:,}</td></tr>'
            )
        parts.append(
            f'<section class="protocol"><h3>{protocol}</h3>'
            f'<p class="quiet">{text(PROTOCOL_HELP[protocol])}</p><div class="scroll">'
            '<table class="grid-table measures"><tr><th>measure</th><th class="num">before</th>'
            '<th class="num">after</th><th>with 90% intervals</th><th class="num">change</th>'
            f'<th class="num">asked</th></tr>{"".join(rows)}</table></div></section>'
        )
    return "".join(parts)


def group_tables(groups: Sequence[Mapping[str, Any]], protocol: str = "strict") -> str:
    """The shares of every group by one protocol, a table for each way to group."""
    parts = []
    for by in dict.fromkeys(group["by"] for group in groups):
        own = [group for group in groups if group["by"] == by]
        names = [metric_name(measure, protocol) for measure in SHOWN_MEASURES]
        there = [name for name in names if any(name in group["measured"] for group in own)]
        head = "".join(
            f'<th class="num" colspan="2">{names_of(name.rpartition("_")[0])}</th>'
            for name in there
        )
        rows = "".join(
            f'<tr><td>{text(group["label"])}</td><td class="num">{group["facts"]:,}</td>'
            + "".join(_group_cells(group, name) for name in there)
            + "</tr>"
            for group in own
        )
        parts.append(
            f'<section><h3>by {text(by)} <span class="quiet">({protocol})</span></h3>'
            f'<p class="quiet">{text(GROUP_HELP.get(by, ""))}</p><div class="scroll">'
            f'<table class="grid-table groups"><tr><th>{text(by)}</th>'
            f'<th class="num">facts</th>{head}</tr>{rows}</table></div></section>'
        )
    return "".join(parts)


def _group_cells(group: Mapping[str, Any], name: str) -> str:
    data = group["measured"].get(name)
    if data is None:
        return '<td class="num">–</td><td></td>'
    number = Measured.from_dict(name, data)
    return f'<td class="num">{share(number.value)}</td><td>{strip(number)}</td>'


def failure_table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Questions at which an edit failed, with what was wanted and said."""
    body = "".join(
        f'<tr><td>{text(row["prompt"])}<br><span class="quiet">{ROLES[row["role"]]}</span></td>'
        f"<td>{text(_wanted(row))}</td><td>{_said(row['said_before'])}</td>"
        f"<td>{_said(row['said_after'])}</td></tr>"
        for row in rows
    )
    if not body:
        return '<p class="quiet">No failure.</p>'
    return (
        '<div class="scroll"><table class="grid-table outcomes"><tr><th>asked</th><th>wanted</th>'
        f"<th>before</th><th>after</th></tr>{body}</table></div>"
    )


def _wanted(row: Mapping[str, Any]) -> str:
    if row["role"] == "locality":
        return "as before"
    return str(row["wanted"])


def _said(answer: str | None) -> str:
    return '<span class="quiet">–</span>' if answer is None else text(answer or "(nothing)")


def health_table(health: Mapping[str, Any]) -> str:
    """The health of the writing, before and after."""
    before, after = health["before"], health["after"] or {}
    rows = "".join(
        f'<tr><td>{name}</td><td class="num">{_figure(before.get(key))}</td>'
        f'<td class="num">{_figure(after.get(key))}</td></tr>'
        for key, name in (
            ("perplexity", f"perplexity on {text(health['text'])}"),
            ("entropy", "n-gram entropy of continuations, bits"),
            ("unended", "share of answers that do not stop"),
        )
    )
    return (
        f"<p>{text(health['sentence'])}</p>"
        '<div class="scroll"><table class="grid-table"><tr><th></th><th class="num">before</th>'
        f'<th class="num">after</th></tr>{rows}</table></div>'
    )


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def capability_table(capability: Mapping[str, Any]) -> str:
    """Tasks before and after as bars with intervals, and what dropped in words."""
    tasks = [TaskResult.from_dict(dict(task)) for task in capability["tasks"]]
    rows = "".join(_task_row(task) for task in tasks)
    limit = capability["limit"]
    note = f"lm-evaluation-harness {text(capability['harness'])}" + (
        f", at most {limit:,} items a task" if limit else ""
    )
    return (
        f"<p>{text(capability['sentence'])}</p>"
        '<div class="scroll"><table class="grid-table tasks"><tr><th>task</th>'
        '<th class="num">before</th><th class="num">after</th><th>with 90% intervals</th>'
        f'<th class="num">items</th></tr>{rows}</table></div><p class="quiet">{note}</p>'
    )


def _task_row(task: TaskResult) -> str:
    if task.problem:
        return f'<tr><td>{text(task.task)}</td><td colspan="4">{text(task.problem)}</td></tr>'
    bars = _bar(task.before, task.before_interval, "before")
    bars += _bar(task.after, task.after_interval, "after")
    return (
        f'<tr><td>{text(task.task)}<br><span class="quiet">{text(task.metric)}</span></td>'
        f'<td class="num">{share(task.before)}</td><td class="num">{share(task.after)}</td>'
        f'<td>{bars}</td><td class="num">{task.items:,}</td></tr>'
    )


def _bar(value: float | None, span: tuple[float, float] | None, kind: str) -> str:
    if value is None:
        return ""
    scale = 100.0 if value <= 1 else 1.0  # BLEU and its like go to 100
    low, high = span or (value, value)
    left = max(0.0, scale * low)
    width = min(100.0, scale * high) - left
    return (
        f'<span class="taskbar {kind}"><i style="width:{min(100.0, scale * value):.1f}%"></i>'
        f'<u style="left:{left:.1f}%;width:{max(0.4, width):.1f}%"></u></span>'
    )


def study_table(study: Mapping[str, Any]) -> str:
    """A study's arms side by side, by the strict protocol, with capability and seconds."""
    rows = study["rows"]
    measures = [
        measure
        for measure in ("reliability", "generalization", "locality")
        if any(f"{measure}_strict" in row for row in rows)
    ]
    head = "".join(f'<th class="num">{measure}</th>' for measure in measures)
    body = "".join(
        f'<tr><td>{text(row["label"])}<br><span class="quiet mono">{text(row["at"])}</span></td>'
        f'<td class="num">{row["learning_rate"]:g}</td>'
        + "".join(f'<td class="num">{share(row.get(f"{m}_strict"))}</td>' for m in measures)
        + f'<td class="num">{_kept(row.get("capability_kept"))}</td>'
        f'<td class="num">{row["steps"]:,}</td><td class="num">{row["seconds"]:.1f}</td>'
        f"<td>{_plain_bar(row['score'])}</td></tr>"
        for row in rows
    )
    said = "".join(f"<p>{text(sentence)}</p>" for sentence in study["sentences"])
    return (
        f'{said}<div class="scroll"><table class="grid-table study"><tr><th>arm</th>'
        f'<th class="num">best rate</th>{head}<th class="num">capability kept</th>'
        f'<th class="num">steps</th><th class="num">seconds</th><th>score</th></tr>{body}'
        '</table></div><p class="quiet">Shares by the strict protocol; the score is their mean, '
        "and chooses each arm's rate.</p>"
    )


def _kept(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _plain_bar(value: float) -> str:
    return (
        f'<span class="taskbar after" title="{100 * value:.1f} of 100">'
        f'<i style="width:{100 * value:.1f}%"></i></span>'
    )
