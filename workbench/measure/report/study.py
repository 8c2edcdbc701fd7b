"""A study as a table, a picture and a page of its own, for the page, the report and a file.

How it looks is in the templates. Pure functions from the JSON-ready data of `StudyResult.record`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from workbench.measure.figures import SHORT, short_figures
from workbench.measure.protocols import BESIDE, SCORED, metric_name, split_metric, words_of
from workbench.measure.report.capacity import capacity_picture
from workbench.measure.report.pieces import share
from workbench.measure.report.rivals import rivals_picture
from workbench.measure.report.style import STYLE
from workbench.work.templates import render, trusted
from workbench.work.words import size

__all__ = [
    "COST_HEADS",
    "study_costs",
    "study_html",
    "study_measures",
    "study_table",
    "tried_setting",
]

COST_HEADS = ("memory", "weights changed", "first facts, then and now")
"""The headings of `study_costs`."""


def study_measures(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the strict shares in a study's table: those scored, then what follows from the
    facts, what was learned in further forms, and where neighbours begin as before; what no row has
    is left out."""
    names = [metric_name(measure, "strict") for measure in (*SCORED, "portability", *BESIDE)]
    return [name for name in names if any(row.get(name) is not None for row in rows)]


def study_table(study: Mapping[str, Any]) -> Markup:
    """A study's arms side by side, by the strict protocol, with capability and seconds."""
    rows, rivals = study["rows"], study.get("kind") == "methods"
    there = study_measures(rows)
    return render(
        "report/study.html",
        sentences=study["sentences"],
        rivals=rivals,
        picture=rivals_picture(rows) if rivals else capacity_picture(rows),
        measures=[words_of(split_metric(name)[0]) for name in there],
        figures=list(SHORT) if any(row.get("figures") for row in rows) else [],
        rows=[(row, [row.get(name) for name in there], short_figures(row)) for row in rows],
        share=share,
        tried=tried_setting,
        costs=study_costs,
        heads=COST_HEADS,
    )


def study_html(study: Mapping[str, Any]) -> str:
    """A study as one HTML file that opens anywhere: what was asked, its picture and its table."""
    title = f"Study of {study['kind']} with {study['model']}"
    style, table = trusted(STYLE), study_table(study)
    return render("report/study_page.html", title=title, style=style, study=study, table=table)


def tried_setting(row: Mapping[str, Any]) -> str:
    """The value that an arm was best at, with its name where that is not the learning rate."""
    name = row.get("tried", "learning_rate")
    if not name:
        return "–"
    value = f"{row['learning_rate']:g}"
    return value if name == "learning_rate" else f"{name.replace('_', ' ')} {value}"


def study_costs(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """What an arm of a study of methods costs: memory, weights changed, and what became of the
    first facts."""
    followed = f"{row['first_then']:.2f}, {row['first_now']:.2f}" if row["first"] else "–"
    return size(row["memory_bytes"]), f"{row['weights']:,}", followed
