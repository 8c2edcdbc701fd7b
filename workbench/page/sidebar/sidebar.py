"""The sidebar: which session, which model, what runs now, which run is shown as "after".

Its parts stand in the page's order, which is the keyboard's. In narrow windows it is a bar with
what runs now, and unfolds. Drawn from the store; knows nothing about the tabs.
"""

from collections.abc import Callable
from typing import Any, get_args

import gradio as gr

from workbench.model.choice import ModelChoice
from workbench.page.kit.form import Form, add_fields
from workbench.page.kit.html import button, detail, live_html, options, still_html, text
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.theme import THEME_SWITCH, THEME_SWITCH_SCRIPT
from workbench.page.sidebar.session_card import add_session_card
from workbench.store import Store
from workbench.store.jobs import Job, JobKind
from workbench.store.status import WorkerStatus
from workbench.work.words import quantity, size

__all__ = ["add_sidebar"]

BRAND = (
    '<a class="skip" href="#tabs">Skip to the work</a><div class="brand">LocFT <b>Workbench</b>'
    '<button type="button" class="btn small help" data-help aria-label="Help and keys">?</button>'
    '<button type="button" class="btn small fold" aria-expanded="false" aria-controls="sidebar">'
    "Menu</button></div>"
)
BRAND_SCRIPT = """
const fold = element.querySelector('.fold');
const sidebar = () => document.querySelector('#sidebar');
const unfold = open => {
  sidebar().classList.toggle('open', open);
  fold.setAttribute('aria-expanded', sidebar().classList.contains('open'));
};
element.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault();
  document.querySelector('#tabs [role=tab][aria-selected=true]').focus();
});
fold.addEventListener('click', () => unfold());
document.addEventListener('keydown', event => {
  if (event.key !== 'Escape' || !fold.checkVisibility() || !sidebar().contains(event.target))
    return;
  unfold(false);
  fold.focus();
});
"""


def add_sidebar(page: Page) -> None:
    """Builds the sidebar inside the current column."""
    still_html(BRAND, BRAND_SCRIPT, name="brand")
    add_session_card(page)
    model = live_html(name="model-card")
    _add_model_picker(page)
    now = live_html(name="now")
    shown = live_html(name="shown-card")
    still_html(THEME_SWITCH, THEME_SWITCH_SCRIPT, name="theme-switch")

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
        store.jobs.submit("load")
        return False

    return choose_model


def _act_on_job(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    if asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "reload":
        store.jobs.submit("load")
    elif asked["do"] == "dismiss":
        store.settings.set("dismissed_job", int(asked["job"]))


def _choose_shown(store: Store, event: gr.EventData) -> None:
    value = detail(event)["value"]
    store.settings.set("shown_run", int(value) if value else None)


def _draw_model(page: Page) -> Callable[[Store], str]:
    def draw_model(store: Store) -> str:
        choice, summary = store.settings.model, store.settings.summary
        title = "built-in" if choice.name == "builtin" else choice.name
        if summary is None:
            return (
                f'<div class="label">Model</div><div class="model-name">{text(title)}</div>'
                f'<p class="quiet">{text(_why_no_summary(page, store))}</p>'
            )
        family = summary.architecture.removesuffix("ForCausalLM")
        states = "kept, exact" if summary.states_kept else "not kept"
        rows = (
            ("layers", f"{summary.layers} × {family}"),
            ("device", f"{summary.device} · {summary.dtype}"),
            ("memory", size(summary.memory_bytes)),
            ("states", states),
        )
        cells = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in rows)
        why = f'<p class="quiet">{text(summary.fallback)}</p>' if summary.fallback else ""
        return (
            '<div class="label">Model</div>'
            f'<div class="model-name">{text(title)} · {quantity(summary.parameters)}</div>'
            f'<dl class="facts-of-model">{cells}</dl>{why}'
        )

    return draw_model


def _why_no_summary(page: Page, store: Store) -> str:
    last = store.jobs.latest("load")
    if last is not None and last.state == "failed":
        return "Could not be loaded."
    status = WorkerStatus.read(page.library.root)
    starting = status is None or status.state == "starting"
    return "The worker is starting." if starting else "Being loaded."


def _draw_shown(store: Store) -> str:
    done = [
        (str(run.id), f"{run.name} · {', '.join(run.settings.at)}")
        for run in store.runs.all()
        if run.state == "done" and run.model == store.settings.model.name
    ]
    chosen = str(store.settings.shown_run or "")
    choices = options([("", "base, unedited"), *done], chosen)
    return (
        '<label class="label" for="shown-run">Showing as after</label>'
        f'<select id="shown-run" data-do="show">{choices}</select>'
    )


def _draw_now(page: Page) -> Callable[[Store], str]:
    def draw_now(store: Store) -> str:
        jobs = store.jobs.open_jobs()
        if jobs:
            return '<div class="label">Now</div>' + "".join(_open_job(job) for job in jobs[:4])
        status = WorkerStatus.read(page.library.root)
        if status is not None and status.state == "busy" and status.session != store.id:
            return _idle("Working for another session.")
        last = store.jobs.latest(*get_args(JobKind))
        dismissed = store.settings.get("dismissed_job", 0)
        if last is None or last.id == dismissed or last.state in ("done", "cancelled"):
            return _idle("Nothing is running.")
        return '<div class="label">Now</div>' + _troubled_job(last)

    return draw_now


def _idle(sentence: str) -> str:
    return f'<div class="label">Now</div><p class="quiet">{text(sentence)}</p>'


def _open_job(job: Job) -> str:
    if job.state == "queued":
        line, bar = "waiting for its turn", ""
    else:
        share = "" if job.progress is None else f' style="width:{100 * job.progress:.1f}%"'
        bar = f'<div class="bar{"" if share else " unknown"}"><i{share}></i></div>'
        line = "stopping" if job.cancel_asked else job.line
    return (
        f'<div class="job"><b>{text(job.kind.capitalize())}</b>{bar}'
        f'<p class="mono quiet">{text(line)}</p>'
        f"{button('Cancel', 'cancel', 'small', job=job.id)}</div>"
    )


def _troubled_job(job: Job) -> str:
    again = button("Try again", "reload", "small") if job.kind == "load" else ""
    word = "was interrupted" if job.state == "interrupted" else "failed"
    return (
        f'<div class="job wrong" role="alert"><b>{text(job.kind.capitalize())} {word}</b>'
        f"<p>{text(job.error)}</p>"
        f'<div class="pair">{again}{button("Dismiss", "dismiss", "small", job=job.id)}</div></div>'
    )
