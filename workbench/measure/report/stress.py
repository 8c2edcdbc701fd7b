"""A stress as something to hand on: its table, how it was asked and judged, and what went wrong.

Pure functions from the JSON-ready data of `Stress.as_dict`. Knows nothing about models.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from workbench.errors import PatchError
from workbench.measure.report.markdown import plain, table
from workbench.measure.report.pieces import share
from workbench.measure.report.style import STYLE
from workbench.measure.report.write import as_json, require_form
from workbench.measure.stress_result import StressTable
from workbench.measure.stress_rows import ROWS
from workbench.work.records import from_data
from workbench.work.templates import render, trusted

__all__ = [
    "STRESS_FORMS",
    "build_stress_report",
    "stress_html",
    "stress_table",
    "write_stress_report",
]

WORST = 50


def build_stress_report(
    stress: Mapping[str, Any],
    *,
    facts: Mapping[str, Any],
    command: str,
    versions: Mapping[str, str],
    run: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Puts a report together.

    Args:
        stress: `Stress.as_dict`.
        facts: ``count``, ``digest``, and ``file`` where there is one.
        command: what does the same on a command line; it names no key.
        versions: of the programs that measured it.
        run: the patch's ``settings``, ``at`` and ``created``; None without an edit.
    """
    return {
        "title": f"{stress['facts']:,} facts under stress in {stress['model']}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": stress["model"],
        "facts": dict(facts),
        "run": dict(run) if run else None,
        "stress": dict(stress),
        "versions": {"workbench": stress["version"], **versions},
        "command": command,
    }


def write_stress_report(report: Mapping[str, Any], path: Path) -> None:
    """Writes a report; the name's ending chooses HTML, Markdown or JSON.

    Raises:
        PatchError: another ending, or the file cannot be written.
    """
    require_form(path)
    try:
        path.write_text(STRESS_FORMS[path.suffix.lower()](report), encoding="utf-8")
    except OSError as error:
        raise PatchError(f"'{path}' cannot be written: {error.strerror or error}.") from error


def stress_table(table: StressTable) -> Markup:
    """The table before, after and later, with a sentence to each row."""
    rows = [
        (row.kind, [row.on(side) for side in table.sides], row.count)
        for row in table.rows
        if row.name in ROWS
    ]
    return render("report/stress.html", sides=table.sides, rows=rows, share=share)


def _failures(stress: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The first questions that the last state gets wrong, with what each state made of them."""
    sides = stress["sides"]
    found = [
        {
            "label": ROWS[answer["row"]].label,
            "asked": answer["asked"],
            "wanted": answer["wanted"],
            "said": [answer[side]["said"] for side in sides],
        }
        for answer in stress["answers"]
        if not answer[sides[-1]]["right"] and ROWS[answer["row"]].better
    ]
    return found[:WORST]


def _about(report: Mapping[str, Any]) -> list[tuple[str, object]]:
    run, facts = report["run"] or {}, report["facts"]
    rows: list[tuple[str, object]] = [
        ("model", report["model"]),
        ("facts", f"{facts['count']:,}"),
        ("file", facts.get("file")),
        ("facts digest (SHA-256)", facts.get("digest")),
        ("patch's places", ", ".join(run.get("at", ()))),
        ("patch made", run.get("created")),
    ]
    rows += [(f"patch's {name}", value) for name, value in run.get("settings", {}).items()]
    rows += list(report["stress"]["settings"].items())
    return [
        (name.replace("_", " "), value) for name, value in rows if value not in ("", None, [], ())
    ]


def stress_html(report: Mapping[str, Any]) -> str:
    """The report as one self-contained page."""
    stress = report["stress"]
    page = render(
        "report/stress_report.html",
        report=report,
        style=trusted(STYLE),
        sentences=stress["sentences"],
        table=stress_table(from_data(StressTable, stress)),
        judge=stress["judge"],
        sides=stress["sides"],
        failures=_failures(stress),
        about=_about(report),
        versions=report["versions"].items(),
    )
    return page + "\n"


def _as_markdown(report: Mapping[str, Any]) -> str:
    stress = report["stress"]
    sides = stress["sides"]
    rows = [
        (plain(row["label"]), *(share(row[side]) for side in sides), f"{row['count']:,}")
        for row in stress["rows"]
    ]
    parts = [f"# {plain(report['title'])}", f"LocFT Workbench, {report['created']}"]
    parts += [table(("asked as", *sides, "asked"), rows)]
    parts += [plain(sentence) for sentence in stress["sentences"]]
    if stress["judge"]:
        parts += ["## What the judge was asked", _block(stress["judge"]["prompt"])]
    kinds = [ROWS[row["name"]] for row in stress["rows"]]
    helps = [(plain(kind.label), plain(kind.help)) for kind in kinds]
    parts += ["## What is asked", table(("row", "how, and what counts"), helps, left=2)]
    parts += ["## What went wrong", _failed(_failures(stress), sides)]
    about = [(plain(name), plain(value)) for name, value in _about(report)]
    parts += ["## What was stressed", table(("", ""), about, left=2)]
    versions = ", ".join(f"{name} {value}" for name, value in report["versions"].items())
    parts += ["## How to do the same", _block(report["command"]), plain(versions)]
    return "\n\n".join(parts) + "\n"


def _failed(failures: Iterable[Mapping[str, Any]], sides: list[str]) -> str:
    rows = [
        (
            plain(row["label"]),
            plain(row["asked"]),
            plain(row["wanted"]),
            *(plain(said) or "–" for said in row["said"]),
        )
        for row in failures
    ]
    head = ("as", "asked", "wanted", *sides)
    return table(head, rows, left=len(head)) if rows else "Nothing."


def _block(text: str) -> str:
    return f"```\n{text}\n```"


STRESS_FORMS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    ".html": stress_html,
    ".md": _as_markdown,
    ".json": as_json,
}
