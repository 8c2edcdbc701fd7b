"""The Probe tab: any prompt before and after, talks, the inside, a run's facts."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from markupsafe import Markup

from workbench.page.kit.action_form import add_action_form
from workbench.page.kit.form import Form
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.probe.answers import Sides, answer_card
from workbench.page.probe.inside import add_inside
from workbench.page.probe.outcomes import outcomes_card
from workbench.page.probe.talk import add_talk
from workbench.page.runs.order import run_words
from workbench.store import Store
from workbench.store.probes import ProbeRow
from workbench.work.settings import SettingsRecord
from workbench.work.templates import render

__all__ = ["add_probe_tab"]

# Which part of the tab is shown; the stylesheet hides the others.
VIEWS = {"prompts": "Prompts", "talk": "Conversation", "inside": "Inside"}
SHOWN_CARDS = 8
PAGE_SIZE = 25


def add_probe_tab(page: Page) -> None:
    """Builds the tab's inside."""
    views = live_html(name="probe-view")
    page.show(_draw_views, views, of=("settings",))
    page.action(views.act, _choose_view)
    with gr.Column(elem_classes=["probe-part", "part-talk"]):
        add_talk(page)
    with gr.Column(elem_classes=["probe-part", "part-inside"]):
        add_inside(page)
    _add_prompts(page)


def _draw_views(store: Store) -> Markup:
    chosen = store.settings.get("probe_view", "prompts")
    return render("page/probe/views.html", views=VIEWS.items(), view=chosen)


def _choose_view(store: Store, event: gr.EventData) -> None:
    store.settings.set("probe_view", str(detail(event)["view"]))


def _add_prompts(page: Page) -> None:
    """Single prompts before and after, and what became of a run's facts."""
    with gr.Row(elem_classes=["columns", "probe-part", "part-prompts"]):
        with gr.Column(scale=1, min_width=320):
            with gr.Column(elem_classes="card"):
                still_html(
                    heading(
                        "What does it say?",
                        "The model goes on from what you type. Pinned prompts are asked again at "
                        "every epoch of a run.",
                    )
                )
                sides = live_html(name="sides")
                prompt, ask = _add_question()
                form = add_action_form(page, "probe")
            shown = gr.Textbox(str(SHOWN_CARDS), visible="hidden", container=False)
            cards = live_html(name="answers")
        with gr.Column(scale=1, min_width=320, elem_classes="card"):
            which = gr.Textbox("0 all", visible="hidden", container=False)
            table = live_html(name="fact-answers")
    page.show(_draw_sides, sides, of=("runs", "settings", "probes"))
    page.show(_draw_cards, cards, of=("probes", "jobs", "settings", PROGRESS), inputs=[shown])
    page.show(_draw_table, table, of=("runs", "settings"), inputs=[which])
    for event in (ask.click, prompt.submit):
        page.action(event, _ask_with(form), [prompt, *form.inputs], prompt)
    page.action(sides.act, _choose_side)
    page.action(cards.act, _act_on_card, [shown], shown)
    page.action(table.act, _act_on_table, [which], which)


def _add_question() -> tuple[gr.Textbox, gr.Button]:
    with gr.Row(elem_classes="tight"):
        prompt = gr.Textbox(
            label="Prompt",
            show_label=False,
            placeholder="The capital of Australia is",
            container=False,
            scale=6,
            elem_id="prompt",
            elem_classes="single",
        )
        ask = gr.Button("Ask", variant="primary", elem_classes="fit", elem_id="ask")
    return prompt, ask


def _ask_with(form: Form[SettingsRecord]) -> Callable[..., str]:
    def ask(store: Store, prompt: str, *values: Any) -> str:
        settings: Any = form.read(values, store.settings.of("probe"))
        store.settings.keep("probe", settings)
        store.ask(prompt, settings.chat)
        return ""

    return ask


def _sides(store: Store) -> Sides:
    return store.settings.before_run, store.settings.shown_run


def _draw_sides(store: Store) -> str:
    done = [
        (str(run.id), run_words(run, store.settings.run_names))
        for run in store.runs.all()
        if run.state == "done" and run.model == store.settings.model.name
    ]
    sides = zip(("before", "after"), (str(run or "") for run in _sides(store)), strict=True)
    runs = [("", "base, unedited"), *done]
    return render("page/probe/sides.html", sides=list(sides), runs=runs, **_wait(store))


def _wait(store: Store) -> dict[str, Any]:
    """About how long an answer takes where layers are read for every token of it."""
    settings, summary = store.settings, store.settings.summary
    tokens = settings.of("probe").max_new_tokens
    models = 1 if _sides(store) == (None, None) else 2
    wait = summary.answer_seconds(tokens, models) if summary is not None else 0.0
    return {"wait": wait, "tokens": tokens, "pinned": len(store.probes.pinned())}


def _choose_side(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    name = {"before": "before_run", "after": "shown_run"}[asked["do"]]
    store.settings.set(name, int(asked["value"]) if asked["value"] else None)


def _draw_cards(store: Store, shown: str) -> str:
    newest = store.probes.recent(int(shown))
    seen = {card[0].id for card in newest}
    cards = [*newest, *((probe,) for probe in store.probes.pinned() if probe.id not in seen)]
    now = _sides(store)
    return render(
        "page/probe/cards.html",
        cards=[answer_card(card, now, _waiting(store, card[0])) for card in cards],
        more=bool(cards) and store.probes.count() > len(newest),
    )


def _waiting(store: Store, probe: ProbeRow) -> str:
    """Why a probe has no answers yet."""
    if probe.before is not None or probe.job is None:
        return ""
    job = store.jobs.get(probe.job)
    words = {
        "queued": "Waiting for its turn: " + _running(store),
        "running": job.line or "Asking the model",
        "failed": job.error,
    }
    return words.get(job.state, f"This question was {job.state}. Ask it again.")


def _running(store: Store) -> str:
    jobs = store.jobs.open_jobs()
    running = jobs[0] if jobs and jobs[0].state == "running" else None
    return f"the {running.kind} job is running." if running else "the worker is starting."


def _act_on_card(store: Store, shown: str, event: gr.EventData) -> str:
    asked = detail(event)
    if asked["do"] == "older":
        return str(int(shown) + SHOWN_CARDS)
    probe = store.probes.get(int(asked["probe"]))
    if probe is None:
        return shown
    together = [row.id for row in store.probes.beside(probe)]
    if asked["do"] == "pin":
        store.probes.pin(probe.id, not probe.pinned)
    elif asked["do"] == "again":
        store.ask_again(together)
    elif asked["do"] == "remove":
        store.probes.delete(together)
    return shown


def _draw_table(store: Store, which: str) -> str:
    offset, kind = which.split()
    shown = store.settings.shown_run
    if shown is None:
        return render("page/probe/no_outcomes.html")
    run, missed = store.runs.get(shown), kind == "missed"
    learned, known = store.runs.learned(shown)
    total = known - learned if missed else run.facts
    start = int(offset) if int(offset) < total else 0
    rows = store.runs.outcomes(shown, start, PAGE_SIZE, missed=missed)
    return outcomes_card(run, rows, (learned, known), missed, start, total, PAGE_SIZE)


def _act_on_table(store: Store, which: str, event: gr.EventData) -> str:
    asked = detail(event)
    if asked["do"] == "ask":
        store.ask_about(int(asked["fact"]))
        return which
    if asked["do"] == "kind":
        return f"0 {asked['kind']}"
    return f"{asked['offset']} {which.split()[1]}"
