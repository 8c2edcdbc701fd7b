"""The sidebar: which session, which model, what runs now, which run is shown as "after".

Its parts stand in the page's order, which is the keyboard's. In narrow windows it is a bar with
what runs now, and unfolds. Drawn from the store; knows nothing about the tabs.
"""

from collections.abc import Callable, Sequence
from typing import get_args

import gradio as gr
from markupsafe import Markup

from workbench.page.kit.html import detail, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.runs.order import run_words
from workbench.page.sidebar.model_card import add_model_card
from workbench.page.sidebar.session_card import add_session_card
from workbench.store import Store
from workbench.store.jobs import Job, JobKind
from workbench.store.requests import LoadRequest
from workbench.store.status import WorkerStatus
from workbench.work.templates import render

__all__ = ["add_sidebar", "now_card"]

SHOWN_JOBS = 4


def add_sidebar(page: Page) -> None:
    """Builds the sidebar inside the current column."""
    still_html(render("page/sidebar/brand.html"), "brand.js", name="brand")
    add_session_card(page)
    add_model_card(page)
    now = live_html(name="now")
    shown = live_html(name="shown-card")
    switch = render("page/sidebar/theme_switch.html")
    still_html(switch, "theme_switch.js", name="theme-switch")

    page.show(_draw_now(page), now, of=("jobs", PROGRESS))
    page.show(_draw_shown, shown, of=("runs", "settings"))
    page.action(now.act, _act_on_job)
    page.action(shown.act, _choose_shown)


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


def _draw_shown(store: Store) -> Markup:
    done = [
        (str(run.id), run_words(run, store.settings.run_names))
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
