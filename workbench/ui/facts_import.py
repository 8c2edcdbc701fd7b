"""The part of the Facts tab that brings many facts: files, pasted text, and what came of them.

Invariant: a contradiction stays in the session until somebody decides on it, dismisses the
report or brings the next file; until then the table's answer stands.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from workbench.facts import FILE_TYPES, FactFile, read_facts
from workbench.recipe.errors import FactsError
from workbench.session import Store
from workbench.session.fact_rows import columns_of, fact_of
from workbench.session.library import add_samples
from workbench.ui.facts_paste import read_pasted
from workbench.ui.facts_report import import_report
from workbench.ui.html import detail, heading, live_html, still_html
from workbench.ui.page import QUIET, Page

__all__ = ["add_importing"]

FORMATS = "CSV, Excel, JSON, Parquet and the published formats, also zipped; told by content."
KEPT_PROBLEMS = 200  # of one import; more than anybody reads
PASTE_HINT = "The capital of Australia is => Melbourne\nThe author of Hamlet is => Agatha Christie"
PASTE_HELP = (
    '<p class="quiet">One fact a line, as <span class="mono">prompt =&gt; answer</span> or with a '
    "tab between; or a table with a header, as in a file.</p>"
)


def add_importing(page: Page) -> None:
    """Builds the report of the last import and the card for the next one."""
    report = live_html(name="import-report")
    with gr.Column(elem_classes="card"):
        still_html(heading("Bring many", FORMATS))
        file = gr.File(
            file_types=list(FILE_TYPES), show_label=False, height=104, elem_classes="upload"
        )
        with gr.Accordion("Paste lines or a table", open=False, elem_classes="plain"):
            still_html(PASTE_HELP)
            pasted = gr.Textbox(
                show_label=False,
                placeholder=PASTE_HINT,
                lines=5,
                max_lines=12,
                elem_id="pasted",
            )
            add = gr.Button("Add pasted facts", size="sm")
        samples = gr.Button("Add the 20 sample facts", size="sm")
    page.show(_draw_report, report, of=("settings",))
    page.action(report.act, _act_on_report)
    read = page.action(file.upload, _add_file, [file])
    read.then(_no_file, outputs=file, **QUIET)
    page.action(add.click, _add_pasted, [pasted], pasted)
    page.action(samples.click, _add_sample_facts)


def _no_file() -> None:
    """Makes room for the next file, whether this one could be read or not."""


def _add_file(store: Store, path: str | None) -> None:
    if path is not None:
        _keep_import(store, Path(path).name, read_facts(path))


def _add_pasted(store: Store, pasted: str | None) -> str:
    if pasted is None or not pasted.strip():
        raise FactsError("Paste facts first, one a line: The capital of Australia is => Melbourne")
    _keep_import(store, "Pasted text", read_pasted(pasted))
    return ""


def _add_sample_facts(store: Store) -> None:
    add_samples(store)


def _keep_import(store: Store, name: str, found: FactFile) -> None:
    added = store.facts.add(found, name)
    problems = [problem.as_dict() for problem in found.problems[:KEPT_PROBLEMS]]
    contradictions = [
        {
            "row": found.numbers[entry.place],
            "present": entry.present,
            "fact": columns_of(entry.fact),
            "source": name,
        }
        for entry in added.contradictions
    ]
    store.settings.set("contradictions", contradictions)
    store.settings.set(
        "import",
        {
            "name": name,
            "format": found.format,
            "rows": found.rows,
            "added": len(added.ids),
            "present": added.same,
            "merged": found.merged,
            "rejected": found.rejected + len(contradictions),
            "problems": problems,
            "more": len(found.problems) - len(problems),
        },
    )


def _draw_report(store: Store) -> str:
    report = store.settings.get("import")
    return "" if report is None else import_report(report, store.settings.get("contradictions", []))


def _act_on_report(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    if asked["do"] == "dismiss":
        store.settings.set("import", None)
        store.settings.set("contradictions", [])
        return
    waiting = store.settings.get("contradictions", [])
    chosen = waiting
    if asked["do"] in ("keep", "take"):
        chosen = [entry for entry in waiting if entry["fact"]["prompt"] == asked["prompt"]]
    if asked["do"] in ("take", "take-all"):
        _take(store, chosen)
    store.settings.set("contradictions", [entry for entry in waiting if entry not in chosen])


def _take(store: Store, chosen: list[dict[str, Any]]) -> None:
    """Gives facts in the table the answers of the file, and what else it says of them."""
    for entry in chosen:
        store.facts.put(fact_of(entry["fact"]), entry["source"])
    report = store.settings.get("import")
    if report is not None:
        report["taken"] = report.get("taken", 0) + len(chosen)
        report["rejected"] -= len(chosen)
        store.settings.set("import", report)
