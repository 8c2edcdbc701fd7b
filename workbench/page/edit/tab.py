"""The Edit tab: the settings of the next run, Start, and the run as it goes."""

from typing import Any

import gradio as gr

from workbench.errors import SettingsError
from workbench.methods import events
from workbench.methods.locft_settings import EditSettings
from workbench.model.presets import Preset
from workbench.page.edit.plan import plan_card
from workbench.page.edit.run_card import RunView, run_card
from workbench.page.kit.command import edit_command
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.store import Store
from workbench.work.templates import render

__all__ = ["add_edit_tab"]

FACTS_FILE = "facts.csv"
NUMBERS = {
    "learning_rate": float,
    "batch_size": int,
    "epochs": int,
    "seed": int,
    "skip_loss": float,
    "stop_loss": float,
    "micro_batch_size": int,
}
LABELS = {
    "learning_rate": "Learning rate",
    "batch_size": "Batch size",
    "epochs": "Epochs",
    "pipeline": "Pipeline",
    "seed": "Seed",
    "skip_loss": "Skip loss",
    "stop_loss": "Stop loss",
    "micro_batch_size": "Micro-batch size",
}


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
            fields = _add_fields()
        with gr.Column(scale=5, min_width=320):
            run = live_html(name="run")
    names = list(fields)
    page.show(_draw_plan, [plan, same], of=("facts", "settings"))
    page.show(
        _draw_fields,
        [fields[name] for name in names],
        of=("settings",),
    )
    page.show(_draw_run, run, of=("runs", "jobs", "probes", PROGRESS))
    page.action(start.click, _start, list(fields.values()))
    for name in names:
        changed = fields[name].input if name == "pipeline" else fields[name].blur
        page.action(changed, _keep_fields, list(fields.values()))
    page.action(run.act, _act_on_run, outputs=tabs)


def _add_fields() -> dict[str, Any]:
    sentences = EditSettings.help()
    fields: dict[str, Any] = {}
    for name, label in LABELS.items():
        if name == "pipeline":
            fields[name] = gr.Radio(
                ["breadth-first", "depth-first"],
                label=label,
                info=sentences[name],
                elem_classes="setting",
            )
        else:
            fields[name] = gr.Textbox(
                label=label, info=sentences[name], elem_classes="setting short"
            )
    return fields


def _read_fields(store: Store, values: tuple[str | None, ...]) -> EditSettings:
    """The settings as they stand in the fields.

    Raises:
        SettingsError: one of them makes no sense.
    """
    data = store.settings.edit.as_dict()
    default = EditSettings().as_dict()
    for name, value in zip(LABELS, values, strict=True):
        entered = (value or "").strip()
        if not entered:
            data[name] = default[name]
        elif name == "pipeline":
            data[name] = entered
        else:
            try:
                data[name] = NUMBERS[name](entered)
            except ValueError:
                kind = "a number" if NUMBERS[name] is float else "a whole number"
                raise SettingsError(
                    f"{LABELS[name]} is '{entered}'; write {kind}, or leave it empty."
                ) from None
    return EditSettings.from_dict(data)


def _keep_fields(store: Store, *values: str | None) -> None:
    store.settings.set("edit", _read_fields(store, values).as_dict())


def _start(store: Store, *values: str | None) -> None:
    settings = _read_fields(store, values)
    store.settings.set("edit", settings.as_dict())
    if not store.facts.count(enabled=True):
        raise SettingsError("No fact is ticked. Tick at least one on the Facts tab, then start.")
    store.jobs.submit("edit", {"settings": settings.as_dict()})


def _resolved(store: Store) -> EditSettings | None:
    """The settings with what is automatic filled in; None while the model is unknown."""
    summary = store.settings.summary
    if summary is None:
        return None
    preset = Preset(
        name=summary["preset"]["name"],
        at=tuple(summary["preset"]["at"]),
        learning_rate=summary["preset"]["learning_rate"],
        source=summary["preset"]["source"],
        is_guess=summary["preset"]["is_guess"],
    )
    return store.settings.edit.resolved(preset, max(1, store.facts.count(enabled=True)))


def _draw_plan(store: Store) -> tuple[str, str]:
    enabled = store.facts.count(enabled=True)
    line = plan_card(enabled, _resolved(store), store.estimate())
    same = edit_command(FACTS_FILE, store.settings.model, store.settings.edit)
    below = render("page/edit/command.html", line=same, session=store.id, file=FACTS_FILE)
    return line, below


def _draw_fields(store: Store) -> list[Any]:
    settings, resolved = store.settings.edit, _resolved(store)
    drawn: list[Any] = []
    for name in LABELS:
        value = getattr(settings, name)
        if name == "pipeline":
            drawn.append(gr.Radio(value=value))
            continue
        automatic = None if resolved is None else getattr(resolved, name)
        shown = "" if value is None else str(value)
        drawn.append(
            gr.Textbox(
                value=shown, placeholder="automatic" if automatic is None else str(automatic)
            )
        )
    return drawn


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
