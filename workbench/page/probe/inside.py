"""Inside the model, on the Probe tab: its layers and words at a prompt, and what is trained."""

from typing import Any, cast

import gradio as gr
from markupsafe import Markup

from workbench.errors import SessionError
from workbench.facts.forms import ASKED_FORMS, AskedForm
from workbench.model.inside_record import Inside, ShownText
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.probe.inside_html import FORM_NAMES, inside_card, tokens_card
from workbench.store import Store
from workbench.store.jobs import Job
from workbench.store.requests import FirstBatchRequest, LookRequest
from workbench.work.records import from_data
from workbench.work.templates import render
from workbench.work.words import count

__all__ = ["add_inside"]


def add_inside(page: Page) -> None:
    """Builds the cards inside the current column."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=1, min_width=320, elem_classes="card"):
            still_html(
                heading(
                    "What happens inside?",
                    "At a prompt, before and with the run shown as after. From a fact on Facts, "
                    "'Look inside' leads here.",
                )
            )
            with gr.Row(elem_classes="tight"):
                prompt = _field(
                    "Look at prompt", "The capital of Australia is", "inside-prompt", 5, 220
                )
                answer = _field("Answer", "Melbourne", "inside-answer", 2)
                look = gr.Button("Look", variant="primary", elem_classes="fit", elem_id="look")
            form = live_html(name="inside-form")
            seen = live_html(name="inside")
        with gr.Column(scale=1, min_width=320):
            with gr.Column(elem_classes="card"):
                still_html(
                    heading(
                        "What is trained, exactly?",
                        "The fact as tokens in each form; those in the loss are marked. A dot "
                        "stands for a blank.",
                    )
                )
                tokens = live_html(name="tokens")
            with gr.Column(elem_classes="card"):
                still_html(
                    heading("The first batch", "What the first step of the next run is trained on.")
                )
                batch = live_html(name="first-batch")
    of = ("jobs", "settings", PROGRESS)
    page.show(_draw_form, form, of=("settings",))
    page.show(_draw_seen, seen, of=of)
    page.show(_draw_tokens, tokens, of=of)
    page.show(_draw_batch, batch, of=of)
    for event in (look.click, prompt.submit, answer.submit):
        page.action(event, _look, [prompt, answer])
    page.action(form.act, _choose_form)
    page.action(batch.act, _show_batch)


def _field(label: str, placeholder: str, name: str, scale: int, min_width: int = 160) -> gr.Textbox:
    return gr.Textbox(
        label=label,
        show_label=False,
        placeholder=placeholder,
        container=False,
        scale=scale,
        min_width=min_width,
        elem_id=name,
        elem_classes="single",
    )


def _look(store: Store, prompt: str, answer: str) -> None:
    if not prompt.strip() or not answer.strip():
        raise SessionError("Write a prompt and an answer, whose way through the layers is shown.")
    store.look_inside(LookRequest(prompt.strip(), answer.strip(), form=_form(store)))


def _form(store: Store) -> AskedForm:
    kept = store.settings.get("look_form", "raw")
    return cast(AskedForm, kept if kept in ASKED_FORMS else "raw")


def _draw_form(store: Store) -> Markup:
    summary = store.settings.summary
    forms = [form for form in ASKED_FORMS if form != "chat" or summary is None or summary.chat]
    return render(
        "page/probe/inside_form.html",
        forms=[(form, FORM_NAMES[form]) for form in forms],
        form=_form(store),
    )


def _choose_form(store: Store, event: gr.EventData) -> None:
    """Keeps the form, and looks at the same prompt in it."""
    store.settings.set("look_form", str(detail(event)["form"]))
    job = _looked(store)
    if job is not None:
        seen = cast(LookRequest, job.request)
        store.look_inside(LookRequest(seen.prompt, seen.answer, seen.old, _form(store)))


def _looked(store: Store) -> Job | None:
    return store.jobs.of(store.settings.get("look_job"), LookRequest)


def _waiting(job: Job | None, empty: str) -> Markup:
    """What stands in place of what is not there yet."""
    sentence, wrong = empty, False
    if job is not None and job.is_open:
        sentence = job.line or "Waiting for its turn."
    elif job is not None:
        sentence, wrong = job.error or f"It was {job.state}. Look again.", bool(job.error)
    return render("page/probe/inside_waits.html", sentence=sentence, wrong=wrong)


def _seen(job: Job | None) -> Inside | None:
    return from_data(Inside, job.result) if job is not None and job.state == "done" else None


def _draw_seen(store: Store) -> Markup:
    job = _looked(store)
    inside = _seen(job)
    if inside is None:
        return _waiting(job, "Write a prompt and the answer that you wish for, and press Look.")
    asked = cast(LookRequest, cast(Job, job).request)
    return render(
        "page/probe/inside_at.html", asked=asked, form=FORM_NAMES[asked.form]
    ) + inside_card(inside)


def _draw_tokens(store: Store) -> Markup:
    job = _looked(store)
    inside = _seen(job)
    if inside is None:
        return _waiting(
            job, "Press Look above, and the tokens of that prompt stand here, in every form."
        )
    return tokens_card(inside.texts)


def _draw_batch(store: Store) -> Markup:
    job = store.jobs.of(store.settings.get("batch_job"), FirstBatchRequest)
    if job is None or job.state != "done":
        waits = _waiting(
            job,
            "Press Show the first batch: which of the ticked facts, in which form, token by token.",
        )
        return render("page/probe/batch_start.html", again=False, open=_open(job)) + waits
    found: Any = job.result
    texts = from_data(tuple[ShownText, ...], found["texts"])
    lead = f"{found['how']}: {count(len(texts), 'text')}, of {count(int(found['of']), 'fact')}."
    shown = tokens_card(texts, [str(prompt) for prompt in found["prompts"]], lead)
    return render("page/probe/batch_start.html", again=True, open=False) + shown


def _open(job: Job | None) -> bool:
    return job is not None and job.is_open


def _show_batch(store: Store) -> None:
    store.show_first_batch()
