"""The Edit tab: the settings of the next run, Start, and the run as it goes."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from workbench.errors import SettingsError
from workbench.methods import events
from workbench.methods.locft_settings import EditSettings
from workbench.page.edit.plan import plan_card
from workbench.page.edit.run_card import RunView, run_card
from workbench.page.kit.command import edit_command
from workbench.page.kit.form import Form, add_form
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.store import Store
from workbench.work.templates import render

__all__ = ["add_edit_tab"]

FACTS_FILE = "facts.csv"
ELSEWHERE = ("at",)  # is chosen on the Layers tab


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
                "show_run",
            )
            plan = live_html(name="plan")
            start = gr.Button("Start", variant="primary", elem_id="start")
            same = live_html(name="same-command")
            form = add_form(
                page,
                EditSettings,
                lambda store: store.settings.edit,
                _keep,
                automatic=_resolved,
                leave_out=ELSEWHERE,
                of=("settings", "facts"),
            )
        with gr.Column(scale=5, min_width=320):
            run = live_html(name="run")
    page.show(_draw_plan, [plan, same], of=("facts", "settings"))
    page.show(_draw_run, run, of=("runs", "jobs", "probes", PROGRESS))
    page.action(start.click, _start_with(form), form.inputs)
    page.action(run.act, _act_on_run, outputs=tabs)


def _keep(store: Store, settings: EditSettings) -> None:
    store.settings.set("edit", settings.as_dict())


def _start_with(form: Form[EditSettings]) -> Callable[..., None]:
    def start(store: Store, *values: Any) -> None:
        settings = form.read(values, store.settings.edit)
        _keep(store, settings)
        if not store.facts.count(enabled=True):
            raise SettingsError(
                "No fact is ticked. Tick at least one on the Facts tab, then start."
            )
        store.jobs.submit("edit", {"settings": settings.as_dict()})

    return start


def _resolved(store: Store) -> EditSettings | None:
    """The settings with what is automatic filled in; None while the model is unknown."""
    summary = store.settings.summary
    if summary is None:
        return None
    return store.settings.edit.resolved(summary.preset, max(1, store.facts.count(enabled=True)))


def _draw_plan(store: Store) -> tuple[str, str]:
    enabled = store.facts.count(enabled=True)
    line = plan_card(enabled, _resolved(store), store.estimate())
    same = edit_command(FACTS_FILE, store.settings.model, store.settings.edit)
    below = render("page/edit/command.html", line=same, session=store.id, file=FACTS_FILE)
    return line, below


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
