"""The stress on the Evaluate tab: does the run that is shown hold where nobody trained it?

A judge is named on the command line alone: a session that came from elsewhere must not make a click
load a model or send anything.
"""

import gradio as gr
from markupsafe import Markup

from workbench.actions import command_line
from workbench.errors import RecordError, SessionError
from workbench.measure.report.stress import stress_table
from workbench.measure.stress_result import StressTable
from workbench.measure.stress_settings import JUDGE, StressSettings
from workbench.page.kit.action_form import add_action_form
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.profile_html import open_job
from workbench.page.kit.times import takes
from workbench.store import Store
from workbench.store.jobs import Job
from workbench.store.requests import StressRequest
from workbench.store.stresses import KeptStress
from workbench.work.records import from_data
from workbench.work.templates import render

__all__ = ["add_stress_card"]


def add_stress_card(page: Page) -> None:
    """Builds the card inside the current column."""
    with gr.Column(elem_classes="card"):
        still_html(
            heading(
                "Does it hold?",
                "The facts as nobody trained them: freely, as true or false, in reverse, two hops "
                "on, and once more after fine-tuning on other text.",
            )
        )
        stress = live_html(name="stress")
        with gr.Accordion("Settings of the stress", open=False, elem_classes="plain"):
            add_action_form(page, "stress", leave_out=JUDGE)
    page.show(_draw, stress, of=("settings", "facts", "jobs", "runs", PROGRESS))
    page.action(stress.act, _act)


def _settings(store: Store) -> StressSettings:
    """Those of the session, with nobody as a judge."""
    found: StressSettings = store.settings.of("stress")
    return StressSettings.from_dict(found.as_dict() | dict.fromkeys(JUDGE, ""))


def _draw(store: Store) -> Markup:
    run, last = store.settings.shown_run, store.jobs.latest("stress")
    job, going = store.jobs.latest_done("stress", run), open_job(store, "stress")
    table = _table(job)
    return render(
        "page/evaluate/stress.html",
        job=going,
        label=f"Stress {'the base alone' if run is None else f'run {run}'}",
        error=last.error if last is not None and last.state == "failed" else "",
        time="" if going is not None else takes(store, StressRequest(run, _settings(store))),
        line=command_line(
            "stress",
            _settings(store),
            model=store.settings.model,
            patch="" if run is None else str(store.runs.patch_folder(run)),
        ),
        report=f"stresses/{store.id}/{job.id}"
        if job is not None and table is not None and KeptStress.is_whole(job)
        else "",
        table=Markup() if table is None else stress_table(table),
        sentences=() if table is None else table.sentences,
    )


def _table(job: Job | None) -> StressTable | None:
    """What a stress found; None where there is none that can be read."""
    try:
        return None if job is None else from_data(StressTable, job.result.get("stress"))
    except RecordError:
        return None


def _act(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    if asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "stress":
        run = store.settings.shown_run
        if run is None and not store.facts.count(enabled=True):
            raise SessionError("No fact is ticked. Tick at least one on the Facts tab.")
        store.jobs.ask_for(StressRequest(run, _settings(store)))
