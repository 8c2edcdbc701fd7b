"""The Edit tab: the settings of the next run, Start, and the run as it goes."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from workbench.actions import command_line
from workbench.errors import SettingsError
from workbench.methods import events
from workbench.methods.base import LOCFT_BF, METHODS, Method
from workbench.methods.method_settings import MethodSettings
from workbench.page.edit.plan import plan_card
from workbench.page.edit.run_card import RunView, run_card
from workbench.page.kit.action_form import add_action_form
from workbench.page.kit.form import Form
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.store import Store
from workbench.store.requests import edit_request
from workbench.work.settings import SettingsRecord
from workbench.work.templates import render

__all__ = ["add_edit_tab"]

ELSEWHERE = ("at",)  # is chosen on the Layers tab
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
            start = gr.Button("Start", variant="primary", elem_id="start")
            same = live_html(name="same-command")
            forms = _add_methods(page)
        with gr.Column(scale=5, min_width=320):
            run = live_html(name="run")
    page.show(_draw_plan, [plan, same], of=("facts", "settings"))
    page.show(_draw_run, run, of=("runs", "jobs", "probes", PROGRESS))
    fields = [field for form in forms for field in form.inputs]
    page.action(start.click, _start_with(forms), fields)
    page.action(run.act, _act_on_run, outputs=tabs)


def _add_methods(page: Page) -> list[Form[SettingsRecord]]:
    """Builds the choice of the method, where there is one, and the form of each method."""
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
    return [_add_form(page, method) for method in METHODS.values()]


def _choose_method(store: Store, key: str) -> None:
    store.settings.choose_method(key)


def _add_form(page: Page, method: Method) -> Form[SettingsRecord]:
    """Builds the form of a method, which is there while the method is chosen."""

    def is_chosen(store: Store) -> Any:
        return gr.update(visible=store.settings.method.key == method.key)

    with gr.Column(visible=method is LOCFT_BF) as place:
        if len(METHODS) > 1:
            still_html(render("page/edit/method.html", method=method))
        form = add_action_form(
            page,
            "edit",
            method=method.key,
            automatic=lambda store: _resolved(store, method),
            leave_out=ELSEWHERE,
            of=("settings", "facts"),
        )
    if len(METHODS) > 1:
        page.show(is_chosen, place, of=_SETTINGS)
    return form


def _start_with(forms: list[Form[SettingsRecord]]) -> Callable[..., None]:
    def start(store: Store, *values: Any) -> None:
        method, given = store.settings.method.key, iter(values)
        for key, form in zip(METHODS, forms, strict=True):
            entered = [next(given) for _ in form.inputs]
            if key == method:
                settings = form.read(entered, store.settings.of("edit", method))
                store.settings.keep("edit", settings, method)
        if not store.facts.count(enabled=True):
            raise SettingsError(
                "No fact is ticked. Tick at least one on the Facts tab, then start."
            )
        store.jobs.ask_for(edit_request(store.settings.of("edit", method), method))

    return start


def _resolved(store: Store, method: Method) -> MethodSettings | None:
    """The settings with what is automatic filled in; None while the model is unknown."""
    summary = store.settings.summary
    if summary is None:
        return None
    settings: MethodSettings = store.settings.of("edit", method.key)
    return settings.resolved(summary.preset, max(1, store.facts.count(enabled=True)))


def _draw_plan(store: Store) -> tuple[str, str]:
    method = store.settings.method
    enabled = store.facts.count(enabled=True)
    line = plan_card(enabled, method, _resolved(store, method), store.estimate())
    same = command_line(
        "edit",
        store.settings.of("edit", method.key),
        model=store.settings.model,
        method=method.key,
        more=("--out", "patch"),
    )
    return line, render("page/command.html", line=same, session=store.id)


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
        )
    )


def _act_on_run(store: Store, event: gr.EventData) -> Any:
    asked = detail(event)
    if asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "resume":
        store.resume(int(asked["run"]))
    elif asked["do"] == "answers":
        return gr.Tabs(selected="probe")
    return gr.skip()
