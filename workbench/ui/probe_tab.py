"""The Probe tab: any prompt before and after, and the answers to a run's facts."""

import gradio as gr

from workbench.session import Store
from workbench.ui.answers_html import probe_card
from workbench.ui.edit_html import outcome_table
from workbench.ui.html import button, detail, heading, live_html, still_html
from workbench.ui.page import PROGRESS, Page
from workbench.ui.words import count

__all__ = ["add_probe_tab"]

SHOWN_PROBES = 8
PAGE_SIZE = 25


def add_probe_tab(page: Page) -> None:
    """Builds the tab's inside."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=1, min_width=320):
            with gr.Column(elem_classes="card"):
                still_html(
                    heading(
                        "What does it say?",
                        "The base answers on the left, the run shown as after on the right.",
                    )
                )
                with gr.Row(elem_classes="tight"):
                    prompt = gr.Textbox(
                        show_label=False,
                        placeholder="The capital of Australia is",
                        container=False,
                        scale=6,
                        elem_id="prompt",
                        elem_classes="single",
                    )
                    ask = gr.Button("Ask", variant="primary", elem_classes="fit", elem_id="ask")
                chat = gr.Checkbox(label="Through the chat template", container=False)
            cards = live_html(name="answers")
        with gr.Column(scale=1, min_width=320, elem_classes="card"):
            offset = gr.Textbox("0", visible="hidden", container=False)
            table = live_html(name="fact-answers")
    page.show(_draw_cards, cards, of=("probes", "jobs", PROGRESS))
    page.show(_draw_table, table, of=("runs", "settings"), inputs=[offset])
    for event in (ask.click, prompt.submit):
        page.action(event, _ask, [prompt, chat], prompt)
    page.action(cards.act, _act_on_card)
    page.action(table.act, _act_on_table, outputs=offset)


def _ask(store: Store, prompt: str, chat: bool) -> str:
    store.ask(prompt, chat)
    return ""


def _draw_cards(store: Store) -> str:
    newest = store.probes.recent(SHOWN_PROBES)
    pinned = store.probes.pinned()
    shown = newest + [probe for probe in pinned if probe not in newest]
    if not shown:
        return (
            '<div class="empty">Nothing asked yet. Type the beginning of a sentence above; the '
            "model goes on from there.</div>"
        )
    waiting = {}
    for probe in shown:
        if probe.before is None and probe.job is not None:
            job = store.jobs.get(probe.job)
            words = {
                "queued": "Waiting for its turn: " + _running(store),
                "running": job.line or "Asking the model",
                "failed": job.error,
            }
            waiting[probe.id] = words.get(job.state, f"This question was {job.state}.")
    return "".join(probe_card(probe, waiting.get(probe.id, "")) for probe in shown)


def _running(store: Store) -> str:
    jobs = store.jobs.open_jobs()
    running = jobs[0] if jobs and jobs[0].state == "running" else None
    return f"the {running.kind} job is running." if running else "the worker is starting."


def _act_on_card(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    probe = store.probes.get(int(asked["probe"]))
    if probe is None:
        return
    if asked["do"] == "pin":
        store.probes.pin(probe.id, not probe.pinned)
    elif asked["do"] == "remove":
        store.probes.delete(probe.id)


def _draw_table(store: Store, offset: str) -> str:
    title = "What became of the facts?"
    shown = store.settings.shown_run
    if shown is None:
        return heading(title) + (
            '<div class="empty">No run is shown as after. Start one on the Edit tab.</div>'
        )
    run = store.runs.get(shown)
    start = int(offset) if int(offset) < run.facts else 0
    outcomes = store.runs.outcomes(shown, start, PAGE_SIZE)
    learned, known = store.runs.learned(shown)
    summary = f"Run {run.id}: {learned:,} of {count(known, 'fact')} learned, strictly."
    back = button("Back", "page", "small", offset=max(0, start - PAGE_SIZE)) if start else ""
    onward = ""
    if start + PAGE_SIZE < run.facts:
        onward = button("Next", "page", "small", offset=start + PAGE_SIZE)
    where = f'<span class="mono quiet">{start + 1}–{start + len(outcomes)} of {run.facts:,}</span>'
    return (
        f"{heading(title, summary)}{outcome_table(outcomes)}"
        f'<div class="foot">{where}<span class="pair">{back}{onward}</span></div>'
    )


def _act_on_table(store: Store, event: gr.EventData) -> str:
    return str(detail(event)["offset"])
