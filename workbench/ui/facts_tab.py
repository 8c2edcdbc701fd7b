"""The Facts tab: type, paste or upload facts; see, tick, change and delete them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from workbench.facts import Fact, FactFile, Question, parse_facts, read_facts
from workbench.recipe.errors import FactsError
from workbench.session import Store
from workbench.session.library import add_samples
from workbench.ui.facts_html import PAGE_SIZE, facts_table, import_report
from workbench.ui.html import detail, heading, live_html, still_html, text
from workbench.ui.page import QUIET, Page

__all__ = ["add_facts_tab"]

FILE_TYPES = [".csv", ".tsv", ".json", ".jsonl", ".txt"]
TYPED = "typed"
KEPT_PROBLEMS = 200  # of one import; more than anybody reads
PASTE_HINT = "prompt,target_new\nThe capital of Australia is,Melbourne"


def add_facts_tab(page: Page) -> None:
    """Builds the tab's inside."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=5, min_width=320, elem_classes="card"):
            still_html(
                heading(
                    "What should the model say from now on?",
                    "A run compiles every ticked fact. Click a prompt or an answer to change it.",
                )
            )
            search = gr.Textbox(
                show_label=False,
                placeholder="Search prompts, answers, subjects",
                container=False,
                elem_classes="single",
                elem_id="search",
            )
            offset = gr.Textbox("0", visible="hidden", container=False)
            table = live_html(name="facts-table")
        with gr.Column(scale=3, min_width=300):
            _add_typing(page)
            report = live_html(name="import-report")
            _add_importing(page)

    page.show(_draw_table, table, of=("facts", "runs", "settings"), inputs=[search, offset])
    page.show(_draw_report, report, of=("settings",))
    search.change(_first_page, outputs=offset, **QUIET)
    page.action(table.act, _act_on_table, inputs=[search, offset], outputs=offset)
    page.action(report.act, _dismiss_report)


def _add_typing(page: Page) -> None:
    with gr.Column(elem_classes="card"):
        still_html(heading("Add a fact"))
        prompt = gr.Textbox(label="Prompt", placeholder="The capital of Australia is")
        answer = gr.Textbox(label="New answer", placeholder="Melbourne")
        with gr.Accordion("More about it", open=False, elem_classes="plain"):
            subject = gr.Textbox(label="Subject", placeholder="Australia")
            old = gr.Textbox(label="Old answer", placeholder="Canberra")
            rephrases = gr.Textbox(
                label="Other ways to ask, one a line",
                info="Never trained on; they measure generalization.",
                lines=2,
            )
            locality = gr.Textbox(
                label="What must stay, one prompt a line",
                info="Their answers are compared before and after.",
                lines=2,
            )
        add = gr.Button("Add fact", variant="primary")
        said = live_html(name="typed-note")
    fields: list[Any] = [prompt, answer, subject, old, rephrases, locality]
    for event in (add.click, answer.submit):
        page.action(event, _add_typed, fields, [*fields, said])


def _add_importing(page: Page) -> None:
    with gr.Column(elem_classes="card"):
        still_html(
            heading("Bring many", "CSV, TSV, JSON or JSON lines; ZsRE, CounterFact, WikiBigEdit.")
        )
        file = gr.File(file_types=FILE_TYPES, show_label=False, height=104, elem_classes="upload")
        with gr.Accordion("Paste a table instead", open=False, elem_classes="plain"):
            pasted = gr.Textbox(show_label=False, placeholder=PASTE_HINT, lines=5, max_lines=12)
            add = gr.Button("Add pasted facts", size="sm")
        samples = gr.Button("Add the 20 sample facts", size="sm")
    read = page.action(file.upload, _add_file, [file])
    read.then(_no_file, outputs=file, **QUIET)
    page.action(add.click, _add_pasted, [pasted], pasted)
    page.action(samples.click, _add_sample_facts)


def _first_page() -> str:
    return "0"


def _no_file() -> None:
    """Makes room for the next file, whether this one could be read or not."""


def _draw_table(store: Store, search: str, offset: str) -> str:
    return facts_table(
        rows=store.facts.page(int(offset), PAGE_SIZE, search, store.settings.shown_run),
        offset=int(offset),
        found=store.facts.count(search),
        total=store.facts.count(),
        enabled=store.facts.count(enabled=True),
        run=store.settings.shown_run,
        deleted=len(store.settings.get("deleted_facts", [])),
    )


def _act_on_table(store: Store, search: str, offset: str, event: gr.EventData) -> str:
    asked = detail(event)
    do = asked["do"]
    if do == "tick":
        store.facts.enable([int(asked["id"])], bool(asked["value"]))
    elif do == "tick-all":
        store.facts.enable_matching(search, bool(asked["value"]))
    elif do == "change":
        row = store.facts.get(int(asked["id"]))
        value = " ".join(str(asked["value"]).split())
        store.facts.change(row.id, _with(row.fact, asked["field"], value))
    elif do == "delete":
        _delete(store, [int(asked["id"])])
    elif do == "delete-found":
        _delete(store, store.facts.matching(search))
    elif do == "undo":
        store.facts.restore(store.settings.get("deleted_facts", []))
        store.settings.set("deleted_facts", [])
    elif do == "samples":
        add_samples(store)
    elif do == "page":
        return str(asked["offset"])
    return offset


def _with(fact: Fact, field: str, value: str) -> Fact:
    if field == "prompt":
        return replace(fact, prompt=value)
    if field == "target_new":
        return replace(fact, target_new=value)
    return replace(fact, ground_truth=value)


def _delete(store: Store, rows: list[int]) -> None:
    store.facts.delete(rows)
    store.settings.set("deleted_facts", rows)


def _add_typed(store: Store, *entered: str | None) -> list[str]:
    # What lies in a folded part of the page, which was never drawn, arrives as None.
    prompt, answer, subject, old, rephrases, locality = (value or "" for value in entered)
    fact = Fact(
        prompt=prompt,
        target_new=answer,
        subject=subject,
        ground_truth=old,
        rephrase_prompts=_lines(rephrases),
        locality_prompts=tuple(Question(line) for line in _lines(locality)),
    )
    _, replaced = store.facts.put(fact, TYPED)
    if replaced == fact.target_new:
        note = f"{fact.prompt} {fact.target_new}: it was there already."
    elif replaced:
        note = f"{fact.prompt} {fact.target_new}: changed, it was {replaced}."
    else:
        note = f"{fact.prompt} {fact.target_new}: added."
    return [""] * 6 + [f'<p class="quiet" role="status">{text(note)}</p>']


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _add_file(store: Store, path: str | None) -> None:
    if path is not None:
        _keep_import(store, Path(path).name, read_facts(path))


def _add_pasted(store: Store, pasted: str | None) -> str:
    if pasted is None or not pasted.strip():
        raise FactsError("Paste a table first: a header line, then one fact a line.")
    _keep_import(store, "Pasted table", parse_facts(pasted, "The pasted text"))
    return ""


def _add_sample_facts(store: Store) -> None:
    add_samples(store)


def _keep_import(store: Store, name: str, found: FactFile) -> None:
    added = store.facts.add(found, name)
    problems = [*_conflicts(added.conflicts), *(p.as_dict() for p in found.problems)]
    store.settings.set(
        "import",
        {
            "name": name,
            "format": found.format,
            "rows": found.rows,
            "added": len(added.ids),
            "present": added.same,
            "merged": found.merged,
            "rejected": found.rejected + len(added.conflicts),
            "problems": problems[:KEPT_PROBLEMS],
            "more": max(0, len(problems) - KEPT_PROBLEMS),
        },
    )


def _conflicts(facts: Sequence[Fact]) -> list[dict[str, str | int]]:
    return [
        {
            "row": 0,
            "field": "prompt",
            "what": f"'{fact.prompt}' stands in the table with another answer "
            f"than '{fact.target_new}'.",
            "mend": "Change the answer in the table, or delete the fact there and add this again.",
            "severity": "error",
            "kind": "conflict",
        }
        for fact in facts
    ]


def _draw_report(store: Store) -> str:
    report = store.settings.get("import")
    return "" if report is None else import_report(report)


def _dismiss_report(store: Store) -> None:
    store.settings.set("import", None)
