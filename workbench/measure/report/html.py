"""A report as one HTML file that opens anywhere: no script, no font, no request.

Light and dark follow the reader's system. Everything from people and models is escaped.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from workbench.measure.report.curve import loss_picture
from workbench.measure.report.pieces import (
    capability_table,
    failure_table,
    group_tables,
    health_table,
    measure_tables,
)
from workbench.measure.report.study import study_table
from workbench.measure.report.style import STYLE
from workbench.work.templates import render, trusted

__all__ = ["as_html"]


def as_html(report: Mapping[str, Any]) -> str:
    """The report as one self-contained page."""
    evaluation = report["evaluation"]
    page = render(
        "report/report.html",
        report=report,
        style=trusted(STYLE),
        about=_shown(_about(report)),
        picture=_picture(report["run"] or {}),
        measures=measure_tables(evaluation),
        failed=evaluation.get("failed", 0),
        failures=failure_table(evaluation.get("failures", ())),
        parts=_further(report),
        versions=_shown(report["versions"].items()),
    )
    return page + "\n"


def _further(report: Mapping[str, Any]) -> list[tuple[str, Markup]]:
    """What else was measured, each part under its question."""
    parts = []
    if report["evaluation"].get("groups"):
        parts.append(("Where does it work?", group_tables(report["evaluation"]["groups"])))
    if report["health"]:
        parts.append(("Does it still write well?", health_table(report["health"])))
    if report["capability"]:
        parts.append(("What else can it still do?", capability_table(report["capability"])))
    parts += [(f"Study: {study['kind']}", study_table(study)) for study in report["studies"]]
    return parts


def _about(report: Mapping[str, Any]) -> list[tuple[str, object]]:
    run, facts = report["run"], report["facts"]
    rows: list[tuple[str, object]] = [
        ("model", report["model"]),
        ("facts", f"{facts.get('count', 0):,}"),
        ("file", facts.get("file")),
        ("facts digest (SHA-256)", facts.get("digest")),
    ]
    if run:
        settings = run["settings"]
        rows += [("location", ", ".join(settings.get("at", ()))), ("why there", run.get("why"))]
        known = ("reason", "epochs", "steps", "seconds", "created")
        rows += [(name, _short(run[name])) for name in known if run.get(name) is not None]
        rows += [(name, _short(value)) for name, value in settings.items() if name != "at"]
    return rows


def _picture(run: Mapping[str, Any]) -> Markup:
    return loss_picture(run.get("losses") or (), run.get("settings", {}).get("stop_loss") or 0.0)


def _shown(rows: Iterable[tuple[str, object]]) -> list[tuple[str, object]]:
    """The rows that have something to say, with their names in words."""
    return [(name.replace("_", " "), value) for name, value in rows if value not in ("", None)]


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
