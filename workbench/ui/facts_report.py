"""How the report of an import looks: its sum, contradictions to resolve, and what was wrong.

Pure functions from data to HTML.
"""

from collections.abc import Sequence
from typing import Any

from workbench.ui.html import button, heading, pill, text
from workbench.ui.words import count

__all__ = ["SHOWN_CONTRADICTIONS", "import_report"]

SHOWN_CONTRADICTIONS = 20


def import_report(report: dict[str, Any], contradictions: Sequence[dict[str, Any]]) -> str:
    """What became of the rows of a file.

    Args:
        report: name, format, rows, numbers of rows by what became of them, problems, more.
        contradictions: the file's answers to prompts that have another one in the table and that
            nobody has decided on yet.
    """
    parts = [
        (report["added"], "added"),
        (report.get("taken", 0), "taken over the table's"),
        (report["present"], "there already"),
        (report["merged"], "merged"),
        (report["rejected"], "left out"),
    ]
    total = " + ".join(f"{number:,} {word}" for number, word in parts if number)
    return (
        f'<div class="card stack" role="status"><div>'
        f"{heading(report['name'], 'Read as ' + report['format'])}</div>"
        f'<div class="mono">{count(report["rows"], "row")} = {total or "nothing"}</div>'
        f"{_contradictions(contradictions)}{_problems(report)}"
        f"{button('Dismiss', 'dismiss', 'small')}</div>"
    )


def _contradictions(contradictions: Sequence[dict[str, Any]]) -> str:
    if not contradictions:
        return ""
    number = len(contradictions)
    title = f"{count(number, 'answer')} against the table"
    body = "".join(_contradiction(entry) for entry in contradictions[:SHOWN_CONTRADICTIONS])
    more, every = "", ""
    if number > SHOWN_CONTRADICTIONS:
        more = f'<p class="quiet">and {number - SHOWN_CONTRADICTIONS:,} more</p>'
    if number > 1:
        keep = button("Keep the table's for all", "keep-all", "small")
        take = button("Take the file's for all", "take-all", "small")
        every = f'<div class="pair">{keep}{take}</div>'
    sentence = "A prompt can have one answer. The table's stand until you take the file's."
    return f'<div class="contradictions">{heading(title, sentence)}{every}{body}{more}</div>'


def _contradiction(entry: dict[str, Any]) -> str:
    row = f"row {entry['row']:,}" if entry["row"] else "a row"
    fact = entry["fact"]
    return (
        f'<div class="against"><div>{text(fact["prompt"])} <span class="quiet">{row}</span></div>'
        f'<div class="sides"><div><span class="label">table</span>{text(entry["present"])}<br>'
        f"{button(_KEEP, 'keep', 'small', prompt=fact['prompt'])}</div>"
        f'<div><span class="label">file</span>{text(fact["target_new"])}<br>'
        f"{button(_TAKE, 'take', 'small', prompt=fact['prompt'])}</div></div></div>"
    )


_KEEP, _TAKE = "Keep the table's", "Take the file's"


def _problems(report: dict[str, Any]) -> str:
    problems = report["problems"]
    if not problems:
        return ""
    listed = "".join(_problem(problem) for problem in problems)
    more = f'<p class="quiet">and {report["more"]:,} more</p>' if report["more"] else ""
    return (
        '<div class="scroll"><table class="grid-table"><tr><th>row</th><th>field</th>'
        f"<th>what is wrong, and what to do</th></tr>{listed}</table></div>{more}"
    )


def _problem(problem: dict[str, Any]) -> str:
    left_out = problem["severity"] == "error"
    mark = pill("left out", "bad") if left_out else pill("kept", "warn")
    return (
        f'<tr><td class="num">{problem["row"] or "–"}</td>'
        f'<td class="mono">{text(problem["field"] or "row")}<br>{mark}</td>'
        f'<td>{text(problem["what"])}<br><span class="quiet">{text(problem["mend"])}</span></td>'
        "</tr>"
    )
