"""The studies on the Evaluate tab: the paper's experiments, one click each."""

import shlex
from typing import Any, get_args

import gradio as gr

from workbench.errors import SettingsError
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.report.pieces import study_table
from workbench.page.evaluate.fields import harness_note
from workbench.page.kit.html import button, command, detail, heading, live_html, still_html, text
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.profile_html import job_bar
from workbench.search.study_settings import StudyKind, StudySettings
from workbench.store import Store
from workbench.store.studies import KeptStudy

__all__ = ["add_study_card"]

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
            help_of = StudySettings.help()
            passes = gr.Textbox(
                label="Passes", info=help_of["passes"], elem_classes="setting short"
            )
            tasks = gr.Textbox(
                label="Capability of the arms",
                info=help_of["capability"],
                placeholder="none",
                elem_classes="setting short",
            )
    page.show(_draw, study, of=("studies", "settings", "jobs", PROGRESS))
    page.show(_draw_fields, [passes, tasks], of=("settings",))
    for field in (passes, tasks):
        page.action(field.blur, _keep, [passes, tasks])
    page.action(study.act, _act)


def _settings(store: Store) -> StudySettings:
    return StudySettings.from_dict(store.settings.get("study", {}))


def _draw_fields(store: Store) -> list[Any]:
    settings = _settings(store)
    return [
        gr.Textbox(value=str(settings.passes)),
        gr.Textbox(value=", ".join(settings.capability)),
    ]


def _keep(store: Store, passes: str | None, tasks: str | None) -> None:
    entered = (passes or "").strip() or str(StudySettings().passes)
    if not entered.isdecimal():
        raise SettingsError(f"Passes is '{entered}'; write a whole number.")
    names = [name.strip() for name in (tasks or "").split(",") if name.strip()]
    data = _settings(store).as_dict() | {"passes": int(entered), "capability": names}
    store.settings.set("study", StudySettings.from_dict(data).as_dict())


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
    options = [word for name in settings.capability for word in ("--capability", name)]
    if settings.passes != StudySettings().passes:
        options += ["--passes", str(settings.passes)]
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
        data = settings.as_dict() | {"kind": asked["kind"]}
        store.settings.set("study", StudySettings.from_dict(data).as_dict())
    elif asked["do"] == "study":
        store.jobs.submit("study", {"settings": settings.as_dict()})
