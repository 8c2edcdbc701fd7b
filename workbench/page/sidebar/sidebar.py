"""The sidebar: which session, which model, what runs now, which run is shown as "after".

Its parts stand in the page's order, which is the keyboard's. In narrow windows it is a bar with
what runs now, and unfolds. Drawn from the store; knows nothing about the tabs.
"""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import gradio as gr
from markupsafe import Markup

from workbench.model.choice import ModelChoice
from workbench.page.kit.form import Form, add_fields
from workbench.page.kit.html import detail, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.sidebar.foreign_model import add_foreign_model
from workbench.page.sidebar.session_card import add_session_card
from workbench.store import Store
from workbench.store.jobs import Job, JobKind
from workbench.store.requests import LoadRequest
from workbench.store.status import WorkerStatus
from workbench.work.templates import render
from workbench.work.words import size

__all__ = ["add_sidebar", "now_card"]

SHOWN_JOBS = 4


def add_sidebar(page: Page) -> None:
    """Builds the sidebar inside the current column."""
    still_html(render("page/sidebar/brand.html"), "brand.js", name="brand")
    add_session_card(page)
    model = live_html(name="model-card")
    add_foreign_model(page)
    _add_model_picker(page)
    now = live_html(name="now")
    shown = live_html(name="shown-card")
    switch = render("page/sidebar/theme_switch.html")
    still_html(switch, "theme_switch.js", name="theme-switch")

    page.show(_draw_now(page), now, of=("jobs", PROGRESS))
    page.show(_draw_model(page), model, of=("settings", "jobs", PROGRESS))
    page.show(_draw_shown, shown, of=("runs", "settings"))
    page.action(now.act, _act_on_job)
    page.action(shown.act, _choose_shown)


def _add_model_picker(page: Page) -> None:
    with gr.Accordion(
        "Use another model", open=False, elem_classes="plain", elem_id="model-picker"
    ):
        form = add_fields(ModelChoice, classes=None)
        load = gr.Button("Load", size="sm")
    name, trust = (form.field(of) for of in ("name", "trust_remote_code"))
    for event in (load.click, name.submit):
        # Trust is in one model's authors: for the next model it is asked for anew.
        page.action(event, _choose_with(form), form.inputs, trust)


def _choose_with(form: Form[ModelChoice]) -> Callable[..., bool]:
    def choose_model(store: Store, *values: Any) -> bool:
        store.settings.choose_model(form.read(values, ModelChoice()))
        store.jobs.ask_for(LoadRequest())
        return False

    return choose_model


def _act_on_job(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    if asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "reload":
        store.jobs.ask_for(LoadRequest())
    elif asked["do"] == "dismiss":
        store.settings.set("dismissed_job", int(asked["job"]))


def _choose_shown(store: Store, event: gr.EventData) -> None:
    value = detail(event)["value"]
    store.settings.set("shown_run", int(value) if value else None)


def _draw_model(page: Page) -> Callable[[Store], Markup]:
    def draw_model(store: Store) -> Markup:
        settings = store.settings
        # What an imported session says of its model is not known here before it is loaded.
        summary = settings.summary if settings.model_is_confirmed else None
        choice = settings.model
        title = "built-in" if choice.name == "builtin" else choice.name
        if summary is None:
            why = _why_no_summary(page, store)
            return render("page/sidebar/model.html", title=title, summary=None, why=why)
        family = summary.architecture.removesuffix("ForCausalLM")
        states = "kept, exact" if summary.states_kept else "not kept"
        rows = (
            ("layers", f"{summary.layers} × {family}"),
            ("device", f"{summary.device} · {summary.dtype}"),
            ("memory", size(summary.memory_bytes)),
            ("states", states),
        )
        return render("page/sidebar/model.html", title=title, summary=summary, rows=rows)

    return draw_model


def _why_no_summary(page: Page, store: Store) -> str:
    if not store.settings.model_is_confirmed:
        return "Not loaded."
    last = store.jobs.latest("load")
    if last is not None and last.state == "failed":
        return "Could not be loaded."
    status = WorkerStatus.read(page.library.root)
    starting = status is None or status.state == "starting"
    return "The worker is starting." if starting else "Being loaded."


def _draw_shown(store: Store) -> Markup:
    done = [
        (str(run.id), f"{run.name} · {', '.join(run.at)}")
        for run in store.runs.all()
        if run.state == "done" and run.model == store.settings.model.name
    ]
    runs = [("", "base, unedited"), *done]
    chosen = str(store.settings.shown_run or "")
    return render("page/sidebar/shown.html", runs=runs, chosen=chosen)


def _draw_now(page: Page) -> Callable[[Store], Markup]:
    def draw_now(store: Store) -> Markup:
        jobs = store.jobs.open_jobs()
        if jobs:
            return now_card(jobs[:SHOWN_JOBS])
        status = WorkerStatus.read(page.library.root)
        if status is not None and status.state == "busy" and status.session != store.id:
            return now_card(idle="Working for another session.")
        last = store.jobs.latest(*get_args(JobKind))
        dismissed = store.settings.get("dismissed_job", 0)
        if last is None or last.id == dismissed or last.state in ("done", "cancelled"):
            return now_card(idle="Nothing is running.")
        return now_card(troubled=last)

    return draw_now


def now_card(jobs: Sequence[Job] = (), idle: str = "", troubled: Job | None = None) -> Markup:
    """What runs now.

    Args:
        jobs: those that go on or wait.
        idle: what is said when there is none.
        troubled: the last one, when it did not end well and nobody has dismissed it.
    """
    return render("page/sidebar/now.html", jobs=jobs, idle=idle, troubled=troubled)
