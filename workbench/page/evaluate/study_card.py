"""The studies on the Evaluate tab: the paper's experiments, one click each."""

import shlex
from typing import get_args

import gradio as gr

from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.report.pieces import study_table
from workbench.model.location import parse_locations
from workbench.page.evaluate.fields import harness_note
from workbench.page.kit.form import add_form
from workbench.page.kit.html import button, command, detail, heading, live_html, still_html, text
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.profile_html import job_bar
from workbench.search.study_settings import StudyKind, StudySettings
from workbench.store import Store
from workbench.store.studies import KeptStudy

__all__ = ["add_study_card"]

ELSEWHERE = ("kind",)  # has buttons of its own
LABELS = {
    "pipelines": "Pipelines",
    "scale": "Scale",
    "locations": "Locations",
}
WHAT = {
    "pipelines": "Depth-first and breadth-first, one fact at a time and in batches, and LocFT-BF "
    "at the recommended place.",
    "scale": "LocFT-BF on 10, 100, 1,000, … facts, up to all that are ticked.",
    "locations": "A full run at every matrix of every layer.",
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
            add_form(
                page,
                StudySettings,
                _settings,
                _keep,
                automatic=_resolved,
                leave_out=ELSEWHERE,
                of=("settings", "facts"),
            )
    page.show(_draw, study, of=("studies", "settings", "jobs", PROGRESS))
    page.action(study.act, _act)


def _settings(store: Store) -> StudySettings:
    return StudySettings.from_dict(store.settings.get("study", {}))


def _keep(store: Store, settings: StudySettings) -> None:
    store.settings.set("study", settings.as_dict())


def _resolved(store: Store) -> StudySettings | None:
    """The settings with what is automatic filled in; None while the model is unknown."""
    summary = store.settings.summary
    if summary is None:
        return None
    facts = max(1, store.facts.count(enabled=True))
    module = parse_locations(summary.preset.at)[0].module
    return _settings(store).resolved(facts, summary.preset.learning_rate, module, summary.layers)


def _draw(store: Store) -> str:
    settings = _settings(store)
    choices = "".join(
        f'<button type="button" data-do="kind" data-kind="{kind}" '
        f'aria-pressed="{"true" if kind == settings.kind else "false"}">{label}</button>'
        for kind, label in LABELS.items()
    )
    working = job_bar(store, "study")
    kept = store.studies.latest(settings.kind)
    words = "Study again" if kept is not None and kept.state == "done" else "Start the study"
    if kept is not None and kept.state in ("stopped", "interrupted"):
        words = "Go on"
    start = working or button(words, "study", "small primary")
    last = store.jobs.latest("study")
    wrong = ""
    if not working and last is not None and last.state == "failed":
        wrong = f'<p class="notice wrong" role="alert">{text(last.error)}</p>'
    options = [*settings.words(ELSEWHERE), *store.settings.model.words()]
    line = command(shlex.join(["workbench", "study", settings.kind, "facts.csv", *options]))
    return (
        f'<div class="stack"><div class="segments" role="group" aria-label="Which study">{choices}'
        f'</div><p class="quiet">{WHAT[settings.kind]}</p>{start}{wrong}'
        f"{_note(settings)}{line}{_found(kept)}</div>"
    )


def _note(settings: StudySettings) -> str:
    return harness_note(EvaluationSettings(capability=settings.capability))


def _found(kept: KeptStudy | None) -> str:
    if kept is None:
        return ""
    record = kept.record()
    if not record["rows"]:
        return f'<p class="quiet">{text(kept.asked)} Nothing is done yet.</p>'
    return f'<p class="quiet">{text(kept.asked)}</p>{study_table(record)}'


def _act(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    settings = _settings(store)
    if asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "kind" and asked["kind"] in get_args(StudyKind):
        _keep(store, StudySettings.from_dict(settings.as_dict() | {"kind": asked["kind"]}))
    elif asked["do"] == "study":
        store.jobs.submit("study", {"settings": settings.as_dict()})
