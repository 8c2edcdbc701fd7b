"""The two plain questions above the settings of an edit, and the recipe that answers them.

Drawn for every method whose settings have forms and what must stay.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from workbench.errors import SettingsError
from workbench.facts.forms import FORMS
from workbench.methods.base import Method
from workbench.methods.locft_settings import EditSettings
from workbench.methods.recipes import RECIPES
from workbench.page.edit.choices import (
    KEPT,
    Resolve,
    choose_recipe,
    is_the_recipes,
    tick_form,
    tick_kept,
    ticked_forms,
    ticked_kept,
)
from workbench.page.edit.next_run import resolver
from workbench.page.kit.html import detail, live_html
from workbench.page.kit.page import Page
from workbench.store import Store
from workbench.work.templates import render

__all__ = ["FORM_WORDS", "KEPT_WORDS", "QUESTIONS", "add_questions", "answered", "questions"]

QUESTIONS = ("recipe", "kept")
"""The settings that have their place here alone."""

FORM_WORDS = {
    "raw": ("as a sentence to go on with", "The prompt as it stands, which the model completes."),
    "question": ("as a question", "The prompt behind “Question:”, answered behind “Answer:”."),
    "chat": (
        "in a chat",
        "Somebody says it to the model, through its chat template, with and without a system "
        "prompt.",
    ),
    "rephrase": (
        "in other words",
        "A fact's own wordings; else as people say common things otherwise, and now and then with "
        "words left out or moved.",
    ),
    "prefix": (
        "in the middle of a text",
        "Behind a sentence about something else, which the model wrote itself.",
    ),
}
KEPT_WORDS = {
    "neighbours": (
        "other subjects in the same sentences",
        "What it says when a fact's prompt is about somebody or something else.",
    ),
    "text": ("plain text", "How texts of many kinds go on."),
    "chats": ("how it opens a chat", "What it answers when somebody begins to talk with it."),
    "yours": ("prompts of your own", "What facts hold under “What is trained to stay”."),
}
RECIPE_WORDS = {"holds": "Facts that hold", "published": "As published"}
IN_CHATS = ("chat", "chats")
NO_CHAT = "This model has no chat template."
ONE_FORM = "A fact is trained in one form at least."


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer to a question.

    Args:
        name: in the settings.
        label: in plain words.
        sentence: what it means, or why it cannot be ticked.
        ticked: whether it is taken.
        free: whether it can be changed.
    """

    name: str
    label: str
    sentence: str
    ticked: bool
    free: bool


def questions(
    settings: EditSettings, resolved: EditSettings | None, chat: bool, keeping: bool = True
) -> Markup:
    """Both questions with their answers.

    Args:
        settings: of the next run.
        resolved: with what is automatic filled in; None while the model is unknown.
        chat: whether the model has a chat template.
        keeping: whether a fact has prompts of its own that must stay.
    """
    whole = resolved or settings
    forms, kept = ticked_forms(whole), ticked_kept(whole)
    known = resolved is not None
    return render(
        "page/edit/questions.html",
        recipe=whole.recipe,
        recipes=[(name, RECIPE_WORDS.get(name, name)) for name in RECIPES],
        meaning=RECIPES[whole.recipe].sentence if whole.recipe in RECIPES else "",
        known=known,
        changed=not is_the_recipes(settings),
        forms=[
            _answer(name, FORM_WORDS, name in forms, known, chat, alone=[*forms] == [name])
            for name in FORMS
        ],
        kept=[
            _answer(name, KEPT_WORDS, name in kept, known, chat)
            for name in KEPT
            if keeping or name != "yours"
        ],
    )


def _answer(
    name: str,
    words: dict[str, tuple[str, str]],
    ticked: bool,
    known: bool,
    chat: bool,
    alone: bool = False,
) -> _Answer:
    label, sentence = words.get(name, (name, ""))
    impossible = known and not chat and name in IN_CHATS
    if impossible:
        sentence = NO_CHAT
    elif alone:
        sentence = f"{sentence} {ONE_FORM}"
    # What cannot be done and is ticked can be taken back.
    return _Answer(
        name, label, sentence, ticked, known and (ticked or not impossible) and not alone
    )


def add_questions(page: Page, method: Method) -> None:
    """Builds the questions inside the current column.

    Args:
        page: the page.
        method: whose settings they are.
    """

    def draw_questions(store: Store) -> Markup:
        settings, summary = store.settings.of("edit", method.key), store.settings.summary
        resolve = resolver(store)
        resolved = None if resolve is None else resolve(settings)
        chat = bool(summary and summary.chat)
        return questions(settings, resolved, chat, store.facts.keeping())

    def answer_question(store: Store, event: gr.EventData) -> None:
        asked, resolve = detail(event), resolver(store)
        store.settings.change("edit", lambda kept: answered(kept, resolve, asked), method.key)

    place = live_html(name="questions")
    page.show(draw_questions, place, of=("settings", "facts"))
    page.action(place.act, answer_question)


def answered(
    settings: EditSettings, resolve: Resolve | None, asked: dict[str, Any]
) -> EditSettings:
    """The settings after a click.

    Args:
        settings: as they are.
        resolve: fills in what is automatic; None while the model is unknown.
        asked: what was clicked.

    Raises:
        SettingsError: there is no such answer, or what is ticked now is not known yet.
    """
    do, name, on = str(asked.get("do")), str(asked.get("name", "")), bool(asked.get("value"))
    for recipe in RECIPES:
        if (do, asked.get("recipe")) == ("recipe", recipe):
            usual = choose_recipe(settings, "automatic")
            is_usual = resolve is not None and resolve(usual).recipe == recipe
            return usual if is_usual else choose_recipe(settings, recipe)
    if resolve is None:
        raise SettingsError("The model is being loaded. Choose again once it is there.")
    for form in FORMS:
        if (do, name) == ("form", form):
            return tick_form(settings, resolve, form, on)
    for kind in KEPT:
        if (do, name) == ("kept", kind):
            return tick_kept(settings, resolve, kind, on)
    raise SettingsError("There is no such answer to the questions.")
