"""A conversation on the Probe tab that the base and up to three runs answer side by side."""

import gradio as gr
from markupsafe import Markup

from workbench.errors import SessionError
from workbench.facts import Fact
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.probe.talking import talk_setup, transcript
from workbench.store import Store
from workbench.store.runs import Run
from workbench.store.talks import BASE, Talk
from workbench.work.templates import render
from workbench.work.words import one_line

__all__ = ["add_talk"]

SOURCE = "conversation"


def add_talk(page: Page) -> None:
    """Builds the card inside the current column."""
    with gr.Column(elem_classes="card"):
        still_html(
            heading(
                "How does it talk?",
                "The base and up to three runs answer the same conversation; words that the base "
                "does not have there are marked. What an answer should be becomes a fact, or what "
                "must stay.",
            )
        )
        setup = live_html(name="talk-setup")
        note = live_html(name="talk-note")
        said = live_html(name="transcript")
        with gr.Row(elem_classes="tight"):
            words = gr.Textbox(
                label="Say something",
                show_label=False,
                placeholder="What is the capital of Australia?",
                container=False,
                scale=6,
                elem_id="say",
                elem_classes="single",
            )
            send = gr.Button("Send", variant="primary", elem_classes="fit", elem_id="send")
    noted = gr.Textbox("", visible="hidden", container=False)
    page.show(_draw_setup, setup, of=("talks", "runs", "settings"))
    page.show(_draw_transcript, said, of=("talks", "jobs", PROGRESS))
    page.show(_draw_note, note, of=("settings",), inputs=[noted])
    for event in (send.click, words.submit):
        page.action(event, _say, [words], words)
    page.action(setup.act, _act_on_setup)
    page.action(said.act, _act_on_answer, outputs=noted)


def _runs(store: Store) -> list[Run]:
    """The finished runs on the session's model, newest first."""
    model = store.settings.model.name
    return [run for run in store.runs.all() if run.state == "done" and run.model == model]


def _now(store: Store) -> Talk | None:
    return store.talks.latest(store.settings.model.name)


def _begun(store: Store) -> Talk:
    """The conversation that goes on, else a new one with the run shown as after."""
    found = _now(store)
    if found is not None:
        return found
    shown = store.settings.shown_run
    known = [run.id for run in _runs(store)]
    runs = [run for run in known if run == shown] or known[:1]
    return store.talks.begin(store.settings.model.name, chat=_has_chat(store), runs=runs)


def _has_chat(store: Store) -> bool:
    summary = store.settings.summary
    return summary is not None and summary.chat


def _draw_setup(store: Store) -> Markup:
    talk = _now(store)
    begun = talk is not None and bool(store.talks.turns(talk.id))
    return talk_setup(talk, _runs(store), _has_chat(store), begun, store.settings.run_names)


def _draw_transcript(store: Store) -> Markup:
    talk = _now(store)
    turns = [] if talk is None else store.talks.turns(talk.id)
    jobs = {turn.job for turn in turns}
    waiting = ""
    for number in jobs - {None}:
        job = store.jobs.get(int(number or 0))
        if job.state == "queued":
            waiting = "waiting for its turn"
        elif not job.is_open and job.state != "done":
            waiting = job.error or f"{job.state}: say something to go on"
    return transcript(talk, turns, waiting)


def _draw_note(store: Store, noted: str) -> Markup:
    return render("page/probe/talk_note.html", sentence=noted) if noted else Markup()


def _say(store: Store, words: str) -> str:
    store.say(_begun(store).id, words)
    return ""


def _act_on_setup(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    talk = _begun(store)
    if asked["do"] == "side":
        run = int(asked["run"])
        runs = [other for other in talk.runs if other != run]
        store.talks.set_runs(talk.id, sorted(runs if run in talk.runs else [*runs, run]))
        if store.talks.turns(talk.id):
            store.answer_talk(talk.id)
        return
    chat = asked["form"] == "chat" if asked["do"] == "form" else talk.chat
    system = str(asked["value"]) if asked["do"] == "system" else talk.system
    said = [] if asked["do"] == "new" else [turn.said for turn in store.talks.turns(talk.id)]
    fresh = store.talks.begin(talk.model, chat=chat, system=system, runs=talk.runs)
    for words in said:
        store.talks.say(fresh.id, words)
    if said:
        store.answer_talk(fresh.id)


def _act_on_answer(store: Store, event: gr.EventData) -> str:
    """Makes a fact of an answer, or lets it stay; says so in a sentence."""
    asked = detail(event)
    turn = store.talks.turn(int(asked["turn"]))
    if "value" in asked:
        answer = str(asked["value"]).strip()
    else:
        found = turn.answers.get(str(asked["side"]))
        answer = "" if found is None else found.text.strip()
    if asked["do"] == "keep":
        beside = store.keep_answer(turn.said, answer)
        return f"“{_short(turn.said)}” is kept as “{_short(answer)}”, beside “{_short(beside)}”."
    if not answer:
        raise SessionError("A fact needs an answer. Write what it should say.")
    base = turn.answers.get(BASE)
    old = "" if base is None or base.text.strip() == answer else base.text
    store.facts.put(Fact(turn.said, answer, ground_truth=old), SOURCE)
    return f"A fact now: “{_short(turn.said)}” should be answered “{_short(answer)}”."


def _short(text: str) -> str:
    return one_line(text, 60)
