"""The studies on the Evaluate tab: the paper's experiments, one click each."""

from dataclasses import replace
from typing import get_args

import gradio as gr
from markupsafe import Markup

from workbench.actions import command_line
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.report.study import study_table
from workbench.model.location import parse_locations
from workbench.page.evaluate.fields import harness_note
from workbench.page.kit.action_form import add_action_form
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.profile_html import open_job
from workbench.page.kit.times import takes
from workbench.search.study_settings import StudyKind, StudySettings
from workbench.store import Store
from workbench.store.requests import StudyRequest
from workbench.store.studies import KeptStudy
from workbench.work.templates import render

__all__ = ["add_study_card"]

ELSEWHERE = ("kind",)  # has buttons of its own
GO_ON = "Go on"
LABELS = {
    "pipelines": "Pipelines",
    "scale": "Scale",
    "locations": "Locations",
    "methods": "Methods",
}
WHAT = {
    "pipelines": "Depth-first and breadth-first, one fact at a time and in batches, and LocFT-BF "
    "at the recommended place.",
    "scale": "LocFT-BF on 10, 100, 1,000, … facts, up to all that are ticked.",
    "locations": "A full run at every matrix of every layer.",
    "methods": "Every method on the same facts, one by one, in batches and all at once, each at "
    "its own best setting.",
}


def add_study_card(page: Page) -> None:
    """Builds the card inside the current column."""
    with gr.Column(elem_classes="card"):
        still_html(
            heading(
                "Was the paper right?",
                "Controlled experiments on the ticked facts: the same passes over each fact for "
                "every arm, and each at its own best learning rate.",
            )
        )
        study = live_html(name="study")
        with gr.Accordion("Settings of the study", open=False, elem_classes="plain"):
            add_action_form(
                page,
                "study",
                automatic=_resolved,
                leave_out=ELSEWHERE,
                of=("settings", "facts"),
            )
    page.show(_draw, study, of=("studies", "settings", "facts", "jobs", PROGRESS))
    page.action(study.act, _act)


def _settings(store: Store) -> StudySettings:
    found: StudySettings = store.settings.of("study")
    return found


def _resolved(store: Store) -> StudySettings | None:
    """The settings with what is automatic filled in; None while the model is unknown."""
    summary = store.settings.summary
    if summary is None:
        return None
    facts = max(1, store.facts.count(enabled=True))
    module = parse_locations(summary.preset.at)[0].module
    return _settings(store).resolved(facts, summary.preset.learning_rate, module, summary.where)


def _draw(store: Store) -> Markup:
    settings = _settings(store)
    kept, last = store.studies.latest(settings.kind), store.jobs.latest("study")
    job, label = open_job(store, "study"), _start_words(kept)
    return render(
        "page/evaluate/study.html",
        kinds=LABELS.items(),
        kind=settings.kind,
        what=WHAT[settings.kind],
        job=job,
        label=label,
        error=last.error if last is not None and last.state == "failed" else "",
        note=harness_note(EvaluationSettings(capability=settings.capability)),
        time="" if job is not None or label == GO_ON else takes(store, StudyRequest(settings)),
        line=command_line("study", settings, model=store.settings.model),
        asked="" if kept is None else kept.asked,
        found=_found(kept),
    )


def _start_words(kept: KeptStudy | None) -> str:
    words = {"done": "Study again", "stopped": GO_ON, "interrupted": GO_ON}
    return "Start the study" if kept is None else words.get(kept.state, "Start the study")


def _found(kept: KeptStudy | None) -> Markup:
    """The table of a study's arms; empty while none is done."""
    record = {} if kept is None else kept.record()
    return study_table(record) if record.get("rows") else Markup()


def _act(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    settings = _settings(store)
    if asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "kind" and asked["kind"] in get_args(StudyKind):
        store.settings.keep("study", replace(settings, kind=asked["kind"]))
    elif asked["do"] == "study":
        store.jobs.ask_for(StudyRequest(settings))
