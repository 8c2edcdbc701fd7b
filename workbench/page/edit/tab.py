"""The Edit tab: the settings of the next run, Start, and the run as it goes."""

from collections.abc import Callable, Iterable
from typing import Any

import gradio as gr

from workbench.actions import command_line
from workbench.errors import SettingsError
from workbench.methods import events
from workbench.methods.base import LOCFT_BF, METHODS, Method
from workbench.methods.locft_settings import EditSettings
from workbench.page.edit.effect import effects
from workbench.page.edit.next_run import next_settings
from workbench.page.edit.plan import plan_card
from workbench.page.edit.processes import add_processes, processes_of, shared_command
from workbench.page.edit.questions import QUESTIONS, add_questions
from workbench.page.edit.run_card import RunView, run_card
from workbench.page.edit.start_from import add_start_from, start_from
from workbench.page.kit.action_form import add_action_form
from workbench.page.kit.form import Form
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.search.capacity import Capacity, capacity_of
from workbench.store import Store
from workbench.store.requests import edit_request
from workbench.work.settings import SettingsRecord, settings_of
from workbench.work.templates import render

__all__ = ["add_edit_tab"]

ELSEWHERE = ("at",)  # is chosen on the Layers tab, for LocFT-BF
FILES = ("text",)  # lie where the workbench runs, not where the page is looked at
SHARES = ("forms", "keep", "other_subjects")  # what the questions are answered with, in numbers
_SETTINGS = ("settings",)


def add_edit_tab(page: Page, tabs: gr.Tabs) -> None:
    """Builds the tab's inside.

    Args:
        page: the page.
        tabs: the tabs, to lead on to another one.
    """
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            still_html(
                heading("How should it be tuned?", "What stays empty is chosen for you."),
                "show_run.js",
            )
            plan = live_html(name="plan")
            add_start_from(page)
            add_processes(page)
            start = gr.Button("Start", variant="primary", elem_id="start")
            same = live_html(name="same-command")
            forms = _add_methods(page)
        with gr.Column(scale=5, min_width=320):
            run = live_html(name="run")
    page.show(_draw_plan, [plan, same], of=("facts", "settings", "runs", "studies"))
    page.show(_draw_run, run, of=("runs", "jobs", "probes", PROGRESS))
    fields = [field for parts in forms.values() for form in parts for field in form.inputs]
    page.action(start.click, _start_with(forms), fields)
    page.action(plan.act, _lead_on, outputs=tabs)
    page.action(run.act, _act_on_run, outputs=tabs)


def _add_methods(page: Page) -> dict[str, list[Form[SettingsRecord]]]:
    """Builds the choice of the method, where there is one, and the forms of each by its key."""
    if len(METHODS) > 1:
        chosen = gr.Radio(
            [(method.name, method.key) for method in METHODS.values()],
            label="Method",
            info="How the facts are edited in.",
            elem_id="method",
            elem_classes="setting",
        )
        page.show(lambda store: gr.update(value=store.settings.method.key), chosen, of=_SETTINGS)
        page.action(chosen.input, _choose_method, [chosen])
    return {key: _add_forms(page, method) for key, method in METHODS.items()}


def _choose_method(store: Store, key: str) -> None:
    store.settings.choose_method(key)


def _add_forms(page: Page, method: Method) -> list[Form[SettingsRecord]]:
    """Builds the forms of a method, which are there while the method is chosen."""

    def is_chosen(store: Store) -> Any:
        return gr.update(visible=store.settings.method.key == method.key)

    names = [found.name for found in settings_of(method.settings)]
    forms = []
    with gr.Column(visible=method is LOCFT_BF) as place:
        if len(METHODS) > 1:
            still_html(render("page/edit/method.html", method=method))
        apart = list(FILES)
        if issubclass(method.settings, EditSettings):
            add_questions(page, method)
            with gr.Accordion("How often each, and how much", open=False, elem_classes="plain"):
                others = [name for name in names if name not in SHARES]
                forms.append(_add_form(page, method, others))
            apart += [*ELSEWHERE, *QUESTIONS, *SHARES]
        forms.append(_add_form(page, method, apart))
    if len(METHODS) > 1:
        page.show(is_chosen, place, of=_SETTINGS)
    return forms


def _add_form(page: Page, method: Method, leave_out: Iterable[str]) -> Form[SettingsRecord]:
    return add_action_form(
        page,
        "edit",
        method=method.key,
        automatic=lambda store: next_settings(store, method),
        leave_out=leave_out,
        of=("settings", "facts"),
    )


def _start_with(forms: dict[str, list[Form[SettingsRecord]]]) -> Callable[..., None]:
    def start(store: Store, *values: Any) -> None:
        method, given = store.settings.method.key, iter(values)
        settings = store.settings.of("edit", method)
        for key, parts in forms.items():
            for form in parts:
                entered = [next(given) for _ in form.inputs]
                if key == method:
                    settings = form.read(entered, settings)
        store.settings.keep("edit", settings, method)
        if not store.facts.count(enabled=True):
            raise SettingsError(
                "No fact is ticked. Tick at least one on the Facts tab, then start."
            )
        settings = store.settings.of("edit", method)
        store.jobs.ask_for(edit_request(settings, method, *start_from(store)))

    return start


def _capacity(store: Store) -> Capacity | None:
    """What the session's newest scale study says of its model."""
    kept = store.studies.latest("scale")
    if kept is None or kept.model != store.settings.model.name:
        return None
    return capacity_of(kept.result.rows())


def _draw_plan(store: Store) -> tuple[str, str]:
    method = store.settings.method
    enabled = store.facts.count(enabled=True)
    settings = next_settings(store, method)
    shared = processes_of(store)
    line = plan_card(enabled, method, settings, store.estimate(), _capacity(store), shared)
    same = command_line(
        "edit",
        store.settings.of("edit", method.key),
        model=store.settings.model,
        method=method.key,
        more=(*_onto(store), "--out", "patch"),
    )
    same = shared_command(same, shared)
    return line, render("page/command.html", line=same, session=store.id)


def _onto(store: Store) -> tuple[str, ...]:
    """What the command adds its facts to."""
    run, way = start_from(store)
    if run is None:
        return ()
    earlier = str(store.runs.folder(run) / "facts.jsonl")
    return "--onto", str(store.runs.patch_folder(run)), "--earlier", earlier, "--way", way


def _lead_on(store: Store, event: gr.EventData) -> Any:
    if detail(event)["do"] == "batch":
        store.show_first_batch()
        return gr.Tabs(selected="probe")
    return gr.Tabs(selected="facts")


def _draw_run(store: Store) -> str:
    jobs = [job for job in store.jobs.open_jobs() if job.kind == "edit"]
    waiting = sum(job.state == "queued" for job in jobs)
    job = jobs[0] if jobs else store.jobs.latest("edit")
    run = store.runs.newest()
    if jobs and (run is None or run.job != jobs[0].id):
        return run_card(RunView(job=job, waiting=waiting))
    if job is not None and job.state == "failed" and (run is None or run.job != job.id):
        return run_card(RunView(error=job.error))
    if run is None:
        return run_card(RunView())
    return run_card(
        RunView(
            job=job if job is not None and job.id == run.job else None,
            run=run,
            waiting=waiting,
            epochs=store.runs.events(run.id, events.EpochDone),
            plan=(store.runs.events(run.id, events.Started) or [None])[-1],
            outcomes=store.runs.outcomes(run.id, 0, 8),
            learned=store.runs.learned(run.id),
            missed=store.runs.outcomes(run.id, 0, 8, missed=True),
            pinned=store.probes.pinned_answers(run.id),
            effects=effects(store, run),
        )
    )


def _act_on_run(store: Store, event: gr.EventData) -> Any:
    asked = detail(event)
    if asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "resume":
        store.resume(int(asked["run"]))
    elif asked["do"] == "keep":
        store.keep_run(int(asked["run"]))
    elif asked["do"] == "answers":
        return gr.Tabs(selected="probe")
    return gr.skip()
