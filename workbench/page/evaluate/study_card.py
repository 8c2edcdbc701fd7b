"""The studies on the Evaluate tab: the paper's experiments, one click each."""

import shlex
from typing import Any, get_args

import gradio as gr
from markupsafe import Markup

from workbench.errors import SettingsError
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.report.pieces import study_table
from workbench.page.evaluate.fields import harness_note
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.profile_html import open_job
from workbench.search.study_settings import StudyKind, StudySettings
from workbench.store import Store
from workbench.store.studies import KeptStudy
from workbench.work.templates import render

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


def _draw(store: Store) -> Markup:
    settings = _settings(store)
    kept, last = store.studies.latest(settings.kind), store.jobs.latest("study")
    return render(
        "page/evaluate/study.html",
        kinds=LABELS.items(),
        kind=settings.kind,
        what=WHAT[settings.kind],
        job=open_job(store, "study"),
        label=_start_words(kept),
        error=last.error if last is not None and last.state == "failed" else "",
        note=harness_note(EvaluationSettings(capability=settings.capability)),
        line=_command(settings),
        asked="" if kept is None else kept.asked,
        found=_found(kept),
    )


def _start_words(kept: KeptStudy | None) -> str:
    words = {"done": "Study again", "stopped": "Go on", "interrupted": "Go on"}
    return "Start the study" if kept is None else words.get(kept.state, "Start the study")


def _command(settings: StudySettings) -> str:
    options = [word for name in settings.capability for word in ("--capability", name)]
    if settings.passes != StudySettings().passes:
        options += ["--passes", str(settings.passes)]
    return shlex.join(["workbench", "study", settings.kind, "facts.csv", *options])


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
        data = settings.as_dict() | {"kind": asked["kind"]}
        store.settings.set("study", StudySettings.from_dict(data).as_dict())
    elif asked["do"] == "study":
        store.jobs.submit("study", {"settings": settings.as_dict()})
