"""The Evaluate tab: did it work, where, what did it break, and was the paper right."""

from typing import Any, cast

import gradio as gr

from workbench.actions import command_line
from workbench.errors import SessionError
from workbench.page.evaluate.fields import (
    add_evaluation_fields,
    evaluation_settings,
    harness_note,
)
from workbench.page.evaluate.results import failures_card, further_cards, measures_card
from workbench.page.evaluate.ripple_card import add_ripple_card
from workbench.page.evaluate.stress_card import add_stress_card
from workbench.page.evaluate.study_card import add_study_card
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.profile_html import open_job
from workbench.page.kit.times import takes
from workbench.store import Store
from workbench.store.evaluations import KeptEvaluation, Show
from workbench.store.requests import EvaluateRequest
from workbench.work.templates import render

__all__ = ["add_evaluate_tab"]

PAGE_SIZE = 25
OTHERS = 12  # of the newest other runs tell what is usual


def add_evaluate_tab(page: Page, tabs: gr.Tabs) -> None:
    """Builds the tab's inside.

    Args:
        page: the page.
        tabs: the tabs, to lead on to another one.
    """
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=3, min_width=320):
            shown = live_html(name="evaluation")
            with gr.Column(elem_classes="card questions-card"):
                which = gr.Textbox("failed 0", visible="hidden", container=False)
                words = gr.Textbox(
                    label="Search questions",
                    show_label=False,
                    placeholder="Search in questions and answers",
                    container=False,
                    elem_id="question-search",
                    elem_classes="single",
                )
                questions = live_html(name="questions")
            further = live_html(name="evaluation-further")
            add_ripple_card(page, tabs)
        with gr.Column(scale=2, min_width=300):
            with gr.Column(elem_classes="card"):
                still_html(
                    heading(
                        "What shall be measured?",
                        "Of the run shown as after, on its facts; of the base alone where none is "
                        "shown. Every run is evaluated once at its end.",
                    )
                )
                start = live_html(name="evaluate-start")
                add_evaluation_fields(page)
            add_stress_card(page)
            add_study_card(page)
    page.show(_draw_start, start, of=("evaluations", "settings", "facts", "jobs", "runs", PROGRESS))
    page.show(_draw_results, shown, of=("evaluations", "settings", "runs"))
    page.show(_draw_further, further, of=("evaluations", "settings", "runs"))
    page.show(
        _draw_questions, questions, of=("evaluations", "settings", "runs"), inputs=[which, words]
    )
    page.action(start.act, _act)
    page.action(shown.act, _act_on_results, [which], [which, tabs])
    page.action(questions.act, _act_on_questions, [which], [which, tabs])


def _latest(store: Store) -> KeptEvaluation | None:
    return store.evaluations.latest(store.settings.shown_run)


def _draw_start(store: Store) -> str:
    run, settings = store.settings.shown_run, evaluation_settings(store)
    job, last = open_job(store, "evaluate"), store.jobs.latest("evaluate")
    patch = "" if run is None else str(store.runs.patch_folder(run))
    return render(
        "page/evaluate/evaluation.html",
        job=job,
        label=f"Evaluate {'the base alone' if run is None else f'run {run}'}",
        error=last.error if last is not None and last.state == "failed" else "",
        note=harness_note(settings),
        time="" if job is not None else takes(store, EvaluateRequest(run, settings)),
        line=command_line("evaluate", settings, model=store.settings.model, patch=patch),
    )


def _act(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    if asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "evaluate":
        run = store.settings.shown_run
        if run is None and not store.facts.count(enabled=True):
            raise SessionError("No fact is ticked. Tick at least one on the Facts tab.")
        store.jobs.ask_for(EvaluateRequest(run, evaluation_settings(store)))


def _draw_results(store: Store) -> str:
    kept = _latest(store)
    if kept is None:
        return render("page/evaluate/none.html", run=store.settings.shown_run)
    links = render("page/evaluate/links.html", address=f"reports/{store.id}/{kept.id}")
    others = store.evaluations.of_others(kept.model, kept.run, OTHERS)
    return measures_card(kept, links, others if kept.run is not None else ())


def _draw_further(store: Store) -> str:
    kept = _latest(store)
    return "" if kept is None else further_cards(kept)


def _act_on_results(store: Store, which: str, event: gr.EventData) -> tuple[str, Any]:
    asked = detail(event)
    if asked["do"] == "show":
        return f"{asked['show']} 0", gr.skip()
    return which, gr.Tabs(selected="edit")


def _draw_questions(store: Store, which: str, words: str) -> str:
    kept = _latest(store)
    if kept is None:
        return render("page/evaluate/no_questions.html")
    kind, _, start = which.partition(" ")
    show, words = cast(Show, kind), (words or "").strip()
    counts = store.evaluations.counts(kept.id)
    rows, total = store.evaluations.rows(kept.id, show, words, int(start), PAGE_SIZE)
    offset = int(start)
    if not rows and offset:
        offset = 0
        rows, total = store.evaluations.rows(kept.id, show, words, 0, PAGE_SIZE)
    edited = kept.run is not None
    return failures_card(rows, counts, show, words, offset, total, PAGE_SIZE, edited)


def _act_on_questions(store: Store, which: str, event: gr.EventData) -> tuple[str, Any]:
    asked = detail(event)
    if asked["do"] == "ask":
        store.ask_about(int(asked["fact"]))
        return which, gr.Tabs(selected="probe")
    if asked["do"] == "show":
        return f"{asked['show']} 0", gr.skip()
    return f"{which.split()[0]} {asked['offset']}", gr.skip()
