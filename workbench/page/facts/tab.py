"""The Facts tab: type, paste or upload facts; find, tick, change, ask and delete them.

What a tab of the browser looks at (search, filter, page, unfolded fact) is held by components of
its own, everything else by the session.
"""

from typing import Any

import gradio as gr

from workbench.facts import Fact
from workbench.facts.overlaps import told_overlaps
from workbench.page.facts.actions import Looking, act_on_facts, copy_into, kept_looks
from workbench.page.facts.asked import add_asked_note
from workbench.page.facts.importing import add_importing
from workbench.page.facts.many import add_many
from workbench.page.facts.paste import read_questions
from workbench.page.facts.rephrased import add_rephrased
from workbench.page.facts.row import Past
from workbench.page.facts.table import OF_A_RUN, PAGE_SIZE, TableView, facts_table
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import QUIET, Page
from workbench.page.kit.times import takes
from workbench.store import Library, Store
from workbench.store.found import found_facts
from workbench.store.requests import FillRequest
from workbench.store.runs import FactOutcome
from workbench.work.templates import render

__all__ = ["add_facts_tab"]

TYPED = "typed"


def add_facts_tab(page: Page, tabs: gr.Tabs) -> None:
    """Builds the tab's inside.

    Args:
        page: the page.
        tabs: the tabs, to lead on to another one.
    """
    columns = live_html(name="import-columns")
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=5, min_width=320, elem_classes="card"):
            still_html(
                heading(
                    "What should the model say from now on?",
                    "A run compiles every ticked fact. Click a prompt or an answer to change it.",
                )
            )
            search = gr.Textbox(
                label="Search facts",
                show_label=False,
                placeholder="Search prompts, answers, subjects",
                container=False,
                elem_classes="single",
                elem_id="search",
            )
            show, offset, opened = (_hidden(start) for start in ("all", "0", "0"))
            asked = live_html(name="asked-note")
            add_rephrased(page)
            table = live_html(name="facts-table")
            add_many(page, [search, show])
        with gr.Column(scale=3, min_width=300):
            _add_typing(page)
            add_importing(page, columns)
    looking: list[Any] = [search, show, offset, opened]
    tab = _Table(page.library)
    page.show(tab.draw, table, of=("facts", "runs", "settings"), inputs=looking)
    search.change(_first_page, outputs=offset, **QUIET)
    page.action(table.act, tab.act, inputs=looking, outputs=[*looking, tabs])
    add_asked_note(page, asked, show)


def _hidden(value: str) -> gr.Textbox:
    return gr.Textbox(value, visible="hidden", container=False)


def _add_typing(page: Page) -> None:
    with gr.Column(elem_classes="card"):
        still_html(heading("Add a fact"))
        prompt = gr.Textbox(label="Prompt", placeholder="The capital of Australia is")
        answer = gr.Textbox(label="New answer", placeholder="Melbourne")
        with gr.Accordion("More about it", open=False, elem_classes="plain"):
            subject = gr.Textbox(label="Subject", placeholder="Australia")
            old = gr.Textbox(label="Old answer", placeholder="Canberra")
            rephrases = gr.Textbox(
                label="Other ways to ask, one a line",
                info="Never trained on; they measure generalization.",
                lines=2,
            )
            locality = gr.Textbox(
                label="What must stay, one prompt a line",
                info="Compared before and after; an answer may follow a =>.",
                lines=2,
            )
            wordings = gr.Textbox(
                label="Other words to train on, one a line",
                info="Trained on where the run trains other words.",
                lines=2,
            )
            kept = gr.Textbox(
                label="What is trained to stay, one prompt a line",
                info="Never measured; an answer may follow a =>.",
                lines=2,
            )
        add = gr.Button("Add fact", variant="primary")
        said = live_html(name="typed-note")
    fields: list[Any] = [prompt, answer, subject, old, rephrases, locality, wordings, kept]
    for event in (add.click, answer.submit):
        page.action(event, _add_typed, fields, [*fields, said])


def _first_page() -> str:
    return "0"


def _looking(store: Store, search: str, show: str, offset: str, opened: str) -> Looking:
    run = store.settings.shown_run
    # A filter by a run means nothing once no run is shown.
    known = show if run is not None or show not in OF_A_RUN else "all"
    return Looking(found_facts(search, known, run), int(offset), int(opened))


class _Table:
    """The table of facts: drawn, and acted on."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def draw(self, store: Store, search: str, show: str, offset: str, opened: str) -> str:
        now = _looking(store, search, show, offset, opened)
        overview = store.facts.overview(now.found)
        # What was deleted or filtered away may have taken the page along.
        last_page = max(0, overview.counts[now.found.show] - 1) // PAGE_SIZE * PAGE_SIZE
        start = min(now.offset, last_page)
        seen = store.settings.get("deletions_seen", 0.0)
        deletions = store.facts.deletions(seen)
        changes = store.versions.changes(max(seen, deletions[0].time if deletions else 0.0))
        return facts_table(
            TableView(
                rows=store.facts.page(start, PAGE_SIZE, now.found),
                offset=start,
                found=now.found,
                overview=overview,
                opened=now.opened,
                outcome=_outcome(store, now),
                deletions=[] if changes else deletions,
                change=changes[0] if changes else None,
                past=_past(store, now.opened),
                looks=kept_looks(store),
                others=[
                    (other.id, other.settings.name)
                    for other in self._library.sessions()
                    if other.id != store.id
                ],
                asking=_asking(store, overview.found_unanswered),
                session=store.id,
            )
        )

    def act(
        self,
        store: Store,
        search: str,
        show: str,
        offset: str,
        opened: str,
        event: gr.EventData,
    ) -> tuple[Any, str, str, str, Any]:
        now, asked = _looking(store, search, show, offset, opened), detail(event)
        tab = gr.skip()
        if asked["do"] == "inside":
            store.look_at(int(asked["id"]))
            then, tab = now, gr.Tabs(selected="probe")
        elif asked["do"] == "copy":
            copy_into(store, now.found, self._library.open(str(asked["value"])))
            then = now
        else:
            then = act_on_facts(store, now, asked)
        # What is being typed into the search is not taken back.
        searched = then.found.search if asked["do"] == "look" else gr.skip()
        return searched, then.found.show, str(then.offset), str(then.opened), tab


def _asking(store: Store, facts: int) -> str:
    return takes(store, FillRequest(tuple(range(facts)))) if facts else ""


def _past(store: Store, fact: int) -> Past:
    return Past(store.versions.of(fact), store.runs.outcomes_of(fact)) if fact else Past()


def _outcome(store: Store, now: Looking) -> FactOutcome | None:
    if not now.opened or now.found.run is None:
        return None
    return store.runs.outcome(now.found.run, now.opened)


def _add_typed(store: Store, *entered: str | None) -> list[str]:
    # What lies in a folded part of the page, which was never drawn, arrives as None.
    prompt, answer, subject, old, *lists = (value or "" for value in entered)
    rephrases, locality, wordings, kept = map(_lines, lists)
    fact = Fact(
        prompt=prompt,
        target_new=answer,
        subject=subject,
        ground_truth=old,
        rephrase_prompts=rephrases,
        locality_prompts=read_questions(locality),
        wordings=wordings,
        keep_prompts=read_questions(kept),
    )
    row, replaced = store.facts.put(fact, TYPED)
    if replaced == fact.target_new:
        note = f"{fact.prompt} {fact.target_new}: it was there already."
    elif replaced:
        note = f"{fact.prompt} {fact.target_new}: changed, it was {replaced}."
    else:
        note = f"{fact.prompt} {fact.target_new}: added."
    now = store.facts.get(row).fact
    doubts = list(told_overlaps(now, store.facts.beside(row)))
    return [""] * len(entered) + [render("page/facts/note.html", note=note, doubts=doubts)]


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())
