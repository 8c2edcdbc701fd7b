"""A report as one HTML file that opens anywhere: no script, no font, no request.

Light and dark follow the reader's system. Everything from people and models is escaped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.measure.report.curve import loss_picture
from workbench.measure.report.pieces import (
    capability_table,
    failure_table,
    group_tables,
    health_table,
    measure_tables,
    study_table,
    text,
)
from workbench.measure.report.style import STYLE

__all__ = ["as_html"]


def as_html(report: Mapping[str, Any]) -> str:
    """The report as one self-contained page."""
    evaluation = report["evaluation"]
    failed = evaluation.get("failed", 0)
    parts = [
        _section("What was edited", _about(report)),
        _section(
            "Did it work?", f"<p>{text(evaluation['sentence'])}</p>" + measure_tables(evaluation)
        ),
        _section(
            f"Worst failures ({failed:,} questions failed)",
            failure_table(evaluation.get("failures", ())),
        ),
    ]
    if evaluation.get("groups"):
        parts.append(_section("Where does it work?", group_tables(evaluation["groups"])))
    if report["health"]:
        parts.append(_section("Does it still write well?", health_table(report["health"])))
    if report["capability"]:
        parts.append(_section("What else can it still do?", capability_table(report["capability"])))
    for study in report["studies"]:
        parts.append(_section(f"Study: {study['kind']}", study_table(study)))
    parts.append(_section("How to do the same", _same(report)))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(report['title'])}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>{text(report['title'])}</h1>"
        f'<p class="quiet">LocFT Workbench, {text(report["created"])}</p>{"".join(parts)}'
        "</main></body></html>\n"
    )


def _section(title: str, inside: str) -> str:
    return f'<section class="card"><h2>{text(title)}</h2>{inside}</section>'


def _about(report: Mapping[str, Any]) -> str:
    run, facts = report["run"], report["facts"]
    rows: list[tuple[str, object]] = [
        ("model", report["model"]),
        ("facts", f"{facts.get('count', 0):,}"),
        ("facts digest (SHA-256)", facts.get("digest", "")),
    ]
    if facts.get("file"):
        rows.insert(2, ("file", facts["file"]))
    picture = ""
    if run:
        settings = run["settings"]
        rows.append(("location", ", ".join(settings.get("at", ()))))
        if run.get("why"):
            rows.append(("why there", run["why"]))
        for name in ("reason", "epochs", "steps", "seconds", "created"):
            if run.get(name) is not None:
                rows.append((name, _short(run[name])))
        rows += [(name, _short(v)) for name, v in settings.items() if name != "at"]
        picture = loss_picture(run.get("losses") or (), settings.get("stop_loss") or 0.0)
    return _pairs(rows) + picture


def _same(report: Mapping[str, Any]) -> str:
    versions = [(name, value) for name, value in report["versions"].items()]
    return f'<pre class="command">{text(report["command"])}</pre>{_pairs(versions)}'


def _pairs(rows: Sequence[tuple[str, object]]) -> str:
    cells = "".join(
        f'<tr><th scope="row">{text(str(name).replace("_", " "))}</th>'
        f'<td class="mono">{text(value)}</td></tr>'
        for name, value in rows
        if value not in ("", None)
    )
    return f'<div class="scroll"><table class="pairs">{cells}</table></div>'


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
