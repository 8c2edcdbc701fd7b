"""A report as Markdown. Text from people and models is escaped, so that no cell breaks a table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workbench.measure.capability_result import TaskResult
from workbench.measure.figures import SHORT, figure_rows, short_figures
from workbench.measure.protocols import PROTOCOL_HELP, Measured, split_metric, words_of
from workbench.measure.report.contents import numbers_of, protocols_of
from workbench.measure.report.pieces import ROLES, figure, share
from workbench.measure.report.study import (
    COST_HEADS,
    study_costs,
    study_measures,
    tried_setting,
)

__all__ = ["as_markdown", "plain", "study_markdown", "table"]


def plain(value: object) -> str:
    """Any text as one Markdown cell that shows that text."""
    one_line = " ".join(str(value).split())
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", one_line)


def table(head: Sequence[str], rows: Iterable[Sequence[object]], left: int = 1) -> str:
    """A Markdown table; all columns but the first `left` are numbers."""
    lines = ["| " + " | ".join(head) + " |"]
    marks = ["---" if place < left else "---:" for place in range(len(head))]
    lines.append("| " + " | ".join(marks) + " |")
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines)


def as_markdown(report: Mapping[str, Any]) -> str:
    """The report as one Markdown text."""
    evaluation = report["evaluation"]
    parts = [f"# {plain(report['title'])}", f"LocFT Workbench, {report['created']}", _about(report)]
    parts += ["## Did it work?", plain(evaluation["sentence"])]
    for protocol in protocols_of(evaluation):
        rows = [
            (words_of(measure), _span(before), _span(after), (after or before).count)  # type: ignore[union-attr]
            for measure, before, after in numbers_of(evaluation, protocol)
        ]
        parts += [
            f"### {protocol}",
            PROTOCOL_HELP[protocol],
            table(("measure", "before", "after", "asked"), rows),
        ]
    parts += _figures(evaluation)
    parts.append(f"## Worst failures ({evaluation.get('failed', 0):,} questions failed)")
    parts.append(_failures(evaluation.get("failures", ())))
    if report["health"]:
        parts += ["## Does it still write well?", plain(report["health"]["sentence"])]
    if report["capability"]:
        parts += ["## What else can it still do?", plain(report["capability"]["sentence"])]
        parts.append(_tasks(report["capability"]))
    for study in report["studies"]:
        parts += [f"## Study: {study['kind']}", study_markdown(study)]
    versions = ", ".join(f"{name} {value}" for name, value in report["versions"].items())
    parts += ["## How to do the same", f"```\n{report['command']}\n```", plain(versions)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _about(report: Mapping[str, Any]) -> str:
    run, facts = report["run"], report["facts"]
    rows: list[tuple[str, object]] = [("model", report["model"])]
    rows += [(f"facts, {name}" if name != "count" else "facts", v) for name, v in facts.items()]
    if run:
        rows += [(name, value) for name, value in run["settings"].items()]
        shown = ("why", "reason", "epochs", "steps", "seconds", "created")
        rows += [(name, run[name]) for name in shown if run.get(name) is not None]
        if run.get("losses"):
            rows.append(("last loss", f"{run['losses'][-1]:.4g}"))
    return table(("", ""), [(plain(name), plain(value)) for name, value in rows], left=2)


def _span(number: Measured | None) -> str:
    if number is None:
        return "–"
    return f"{share(number.value)} ({number.low:.2f}–{number.high:.2f})"


def _figures(evaluation: Mapping[str, Any]) -> list[str]:
    """What is no share by a protocol, under its heading; nothing where none is known."""
    rows = [
        (row.words, figure(row.before), figure(row.after), row.change or "–")
        for row in figure_rows(evaluation)
    ]
    if not rows:
        return []
    return ["### neighbours, text and endings", table(("what", "before", "after", "change"), rows)]


def _failures(rows: Iterable[Mapping[str, Any]]) -> str:
    body = [
        (
            plain(row["prompt"]),
            ROLES[row["role"]],
            "as before" if row["role"] == "locality" else plain(row["wanted"]),
            plain(row["said_before"] or "–"),
            plain(row["said_after"] or "–"),
        )
        for row in rows
    ]
    return table(("asked", "as", "wanted", "before", "after"), body, left=5) if body else "None."


def _tasks(capability: Mapping[str, Any]) -> str:
    rows = []
    for data in capability["tasks"]:
        task = TaskResult.from_dict(dict(data))
        if task.problem:
            rows.append((plain(task.task), "–", "–", plain(task.problem)))
        else:
            rows.append(
                (plain(task.task), share(task.before), share(task.after), f"{task.items:,}")
            )
    return table(("task", "before", "after", "items"), rows)


def study_markdown(study: Mapping[str, Any]) -> str:
    """A study's table and sentences."""
    rows = study["rows"]
    names = study_measures(rows)
    rivals = study.get("kind") == "methods"
    best = "best setting" if rivals else "best rate"
    head = ["arm", "at", best, *(words_of(split_metric(name)[0]) for name in names)]
    figured = any(row.get("figures") for row in rows)
    head += SHORT if figured else ()
    body = [
        (
            plain(row["label"]),
            f"`{row['at']}`",
            tried_setting(row),
            *(share(row.get(name)) for name in names),
            *(short_figures(row) if figured else ()),
            "–" if row.get("capability_kept") is None else f"{row['capability_kept']:.1%}",
            f"{row['steps']:,}",
            f"{row['seconds']:.1f}",
            *(study_costs(row) if rivals else ()),
        )
        for row in rows
    ]
    sentences = "\n\n".join(plain(sentence) for sentence in study["sentences"])
    head += ["capability kept", "steps", "seconds", *(COST_HEADS if rivals else ())]
    return table(head, body, left=2) + "\n\n" + sentences
