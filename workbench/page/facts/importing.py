"""The part of the Facts tab that brings many facts: files, pasted text, and what came of them.

Files are read beside this process, see `workbench.worker.import_file`. Which report a tab of the
browser looks at is held by components of its own, everything else by the session: a conflict stays
there until somebody decides on it, and the table's answer stands until then.
"""

import json
from pathlib import Path
from typing import Any, get_args

import gradio as gr

from workbench.errors import FactsError
from workbench.facts import FILE_TYPES, guess_columns
from workbench.facts.source import MAX_BYTES
from workbench.page.facts.columns import column_dialogs
from workbench.page.facts.history import import_history, import_jobs
from workbench.page.facts.paste import read_pasted
from workbench.page.facts.report import PAGE_SIZE, SHOWN_CONFLICTS, ReportView, import_report
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, QUIET, Page
from workbench.page.kit.static import script
from workbench.store import Library, Store
from workbench.store.import_conflicts import Choice
from workbench.store.imports import LARGEST, Import
from workbench.store.library import add_samples
from workbench.store.uploads import uploaded_file
from workbench.work.templates import render
from workbench.worker.importer import Importer

__all__ = ["add_importing"]

FORMATS = "CSV, Excel, JSON, YAML, Parquet and the published formats, also zipped; told by content."
PASTE_HINT = "The capital of Australia is => Melbourne\nThe author of Hamlet is => Agatha Christie"
FIRST = json.dumps({})  # what a tab looks at: the newest import, all of its problems
_SEEN_IMPORT, _SEEN_TROUBLE = "import_seen", "import_trouble_seen"


def add_importing(page: Page, columns: gr.HTML) -> None:
    """Builds the report of the last import, and the card for the next ones.

    Args:
        page: the page.
        columns: where files wait for somebody to say which column holds what.
    """
    actions = _Actions(page.library)
    looking = gr.Textbox(FIRST, visible="hidden", container=False)
    going = live_html(name="import-now")
    report = live_html(name="import-report")
    with gr.Column(elem_classes="card"):
        still_html(heading("Bring many", FORMATS))
        file = gr.File(
            file_types=list(FILE_TYPES),
            file_count="multiple",
            show_label=False,
            height=104,
            elem_id="facts-files",
            elem_classes="upload",
        )
        gr.HTML("", js_on_load=script("drop.js"), visible="hidden")
        ask = gr.Checkbox(label="Let me say which column holds what", container=False)
        with gr.Accordion("Paste lines or a table", open=False, elem_classes="plain"):
            still_html(render("page/facts/paste_help.html"))
            pasted = gr.Textbox(
                show_label=False,
                placeholder=PASTE_HINT,
                lines=5,
                max_lines=12,
                elem_id="pasted",
            )
            add = gr.Button("Add pasted facts", size="sm")
        with gr.Accordion("Limit", open=False, elem_classes="plain"):
            largest = gr.Number(
                label="Largest file, in megabytes",
                info="As it lies on the disk, and unpacked.",
                minimum=1,
                precision=0,
                elem_id="largest-file",
            )
        samples = gr.Button("Add the 20 sample facts", size="sm")
        history = live_html(name="import-history")
    page.show(_draw_going, going, of=("jobs", "settings", PROGRESS))
    page.show(_draw_columns, columns, of=("imports",))
    page.show(_draw_report, report, of=("imports", "settings"), inputs=[looking])
    page.show(_draw_history, history, of=("imports",))
    page.show(_draw_largest, largest, of=("settings",))
    page.action(largest.submit, _set_largest, [largest])
    page.action(largest.blur, _set_largest, [largest])
    for place in (going, columns):
        page.action(place.act, actions.act)
    for place in (report, history):
        page.action(place.act, actions.act_on_report, [looking], looking)
    read = page.action(file.upload, actions.add_files, [file, ask], looking)
    read.then(_no_file, outputs=file, **QUIET)
    page.action(add.click, _add_pasted, [pasted], [pasted, looking])
    page.action(samples.click, _add_sample_facts)


def _no_file() -> None:
    """Makes room for the next file, whether this one could be read or not."""


class _Actions:
    """What the controls of this part do to the session."""

    def __init__(self, library: Library) -> None:
        self._root = library.root
        self._importer = Importer(library)

    def add_files(self, store: Store, paths: list[str] | None, ask: bool) -> str:
        for path in paths or ():
            self._importer.start(store, Path(path), Path(path).name, ask=ask)
        return FIRST

    def act(self, store: Store, event: gr.EventData) -> None:
        """What is asked for in the dialogs and beside what goes on."""
        asked = detail(event)
        do = asked["do"]
        if do == "cancel":
            store.jobs.cancel(int(asked["job"]))
        elif do == "seen":
            store.settings.set(_SEEN_TROUBLE, int(asked["job"]))
        elif do == "assign":
            store.uploads.assign(int(asked["upload"]), str(asked["field"]), str(asked["value"]))
        elif do == "encode":
            self._read_as(store, int(asked["upload"]), str(asked["value"]))
        elif do == "forget":
            store.uploads.forget(int(asked["upload"]))
        elif do == "read":
            self._read(store, int(asked["upload"]))

    def _read_as(self, store: Store, number: int, encoding: str) -> None:
        """Looks at a waiting file again, in the encoding that a person chose."""
        upload = store.uploads.get(number)
        path = uploaded_file(upload.path, self._root)
        store.uploads.guess_again(number, guess_columns(path, encoding=encoding))

    def _read(self, store: Store, number: int) -> None:
        upload = store.uploads.get(number)
        store.uploads.remember(upload)
        store.uploads.forget(number)
        self._importer.start(
            store,
            Path(upload.path),
            upload.name,
            columns=upload.fields,
            replaces=upload.replaces,
            encoding=upload.guess.encoding,
        )

    def act_on_report(self, store: Store, looking: str, event: gr.EventData) -> str:
        """What is asked for in a report and in the list of imports."""
        asked = detail(event)
        do, now = asked["do"], json.loads(looking)
        if do == "report":
            return json.dumps({"import": int(asked["id"])})
        if do == "kind":
            return json.dumps({**now, **_only(asked, "severity", "kind"), "offset": 0})
        if do == "problems":
            return json.dumps({**now, "offset": int(asked["offset"])})
        if do == "dismiss":
            store.settings.set(_SEEN_IMPORT, max(brought.id for brought in store.imports.all()))
            return FIRST
        if do == "undo":
            store.imports.undo(int(asked["id"]))
            return json.dumps({"import": int(asked["id"])})
        if do == "columns":
            self._choose_columns(store, store.imports.get(int(asked["id"])))
        elif do == "encode":
            self._read_again(store, store.imports.get(int(asked["id"])), str(asked["value"]))
            return FIRST
        elif do == "choose":
            store.imports.conflicts.choose(int(asked["conflict"]), int(asked["option"]))
        elif do == "all":
            brought = _shown(store, now)
            for choice in get_args(Choice):
                if brought is not None and asked["choice"] == choice:
                    store.imports.conflicts.choose_all(brought.id, choice)
        return looking

    def _choose_columns(self, store: Store, brought: Import) -> None:
        """Opens the dialog for a file that was read already."""
        path = uploaded_file(brought.path, self._root)
        guess = guess_columns(path, encoding=brought.encoding)
        upload = store.uploads.add(brought.name, str(path), guess, brought.id)
        for field, column in brought.columns.items():
            store.uploads.assign(upload, field, column)

    def _read_again(self, store: Store, brought: Import, encoding: str) -> None:
        """Reads a file in the encoding that a person chose, in place of what it brought."""
        self._importer.start(
            store,
            uploaded_file(brought.path, self._root),
            brought.name,
            columns=brought.columns or None,
            replaces=brought.id,
            encoding=encoding,
        )


def _only(asked: dict[str, Any], *names: str) -> dict[str, str]:
    return {name: str(asked[name]) for name in names}


def _add_pasted(store: Store, pasted: str | None) -> tuple[str, str]:
    if pasted is None or not pasted.strip():
        raise FactsError("Paste facts first, one a line: The capital of Australia is => Melbourne")
    store.imports.keep(read_pasted(pasted), "Pasted text")
    return "", FIRST


def _add_sample_facts(store: Store) -> None:
    add_samples(store)


def _draw_largest(store: Store) -> float:
    return float(store.settings.get(LARGEST, MAX_BYTES / 1e6))


def _set_largest(store: Store, megabytes: float | None) -> None:
    if megabytes and megabytes != _draw_largest(store):
        store.settings.set(LARGEST, max(1.0, megabytes))


def _draw_going(store: Store) -> str:
    jobs = [job for job in store.jobs.open_jobs() if job.kind == "import"]
    seen = store.settings.get(_SEEN_TROUBLE, 0)
    return import_jobs(jobs, store.jobs.troubled("import", seen))


def _draw_columns(store: Store) -> str:
    return column_dialogs(store.uploads.all())


def _draw_history(store: Store) -> str:
    return import_history(store.imports.all())


def _shown(store: Store, now: dict[str, Any]) -> Import | None:
    """The import that a tab looks at: one that was asked for, else the newest not dismissed."""
    imports = store.imports.all()
    for brought in imports:
        if brought.id == now.get("import"):
            return brought
    newest = imports[0] if imports else None
    if newest is None or newest.id <= store.settings.get(_SEEN_IMPORT, 0):
        return None
    return newest


def _draw_report(store: Store, looking: str) -> str:
    now = json.loads(looking)
    brought = _shown(store, now)
    if brought is None:
        return ""
    severity, kind = now.get("severity", ""), now.get("kind", "")
    offset, conflicts = now.get("offset", 0), store.imports.conflicts
    return import_report(
        ReportView(
            brought=brought,
            session=store.id,
            kinds=store.imports.kinds(brought.id),
            severity=severity,
            kind=kind,
            problems=store.imports.problems(brought.id, offset, PAGE_SIZE, severity, kind),
            offset=offset,
            conflicts=conflicts.open(brought.id, SHOWN_CONFLICTS),
            open_conflicts=conflicts.count(brought.id),
            open_against=conflicts.count_against(brought.id),
            taken=conflicts.taken(brought.id),
        )
    )
