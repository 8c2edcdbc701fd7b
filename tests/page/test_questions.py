"""The two questions of an edit: what is ticked by itself, and what a tick sets."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.summary import SUMMARY
from workbench.errors import SettingsError
from workbench.facts.forms import FORMS
from workbench.methods.locft_settings import EditSettings
from workbench.methods.recipes import RECIPES
from workbench.page.edit.choices import (
    KEPT,
    choose_recipe,
    is_the_recipes,
    tick_form,
    tick_kept,
    ticked_forms,
    ticked_kept,
)
from workbench.page.edit.questions import FORM_WORDS, KEPT_WORDS, RECIPE_WORDS, answered, questions

HOLDS, PUBLISHED = EditSettings(recipe="holds"), EditSettings(recipe="published")
STARTS = st.sampled_from([HOLDS, PUBLISHED])
TICKS = st.lists(st.sampled_from([*FORMS, *KEPT]), max_size=8)


def resolve(asked: EditSettings) -> EditSettings:
    """As it is for a model with a chat template and a hundred facts."""
    return asked.resolved(replace(SUMMARY.preset, chat=True), 100)


def turned(asked: EditSettings, name: str) -> EditSettings:
    """The settings after a click on an answer."""
    whole = resolve(asked)
    if name in FORMS:
        return tick_form(asked, resolve, name, name not in ticked_forms(whole))
    (kind,) = (kind for kind in KEPT if kind == name)
    return tick_kept(asked, resolve, kind, kind not in ticked_kept(whole))


def boxes(shown: str) -> dict[str, str]:
    """What is said of each box, by its name."""
    found = re.findall(r'<input type="checkbox" data-do="\w+" data-name="(\w+)"([^>]*)>', shown)
    return dict(found)


@settings(deadline=None)  # a template is read when it is first used
@given(STARTS, TICKS)
def test_each_click_turns_its_own_answer_and_no_other(
    start: EditSettings, names: list[str]
) -> None:
    now = start
    for name in names:
        before = {*ticked_forms(resolve(now)), *ticked_kept(resolve(now))}
        if before & set(FORMS) == {name}:
            with pytest.raises(SettingsError, match="one form at least"):
                turned(now, name)
            continue
        now = turned(now, name)
        assert {*ticked_forms(resolve(now)), *ticked_kept(resolve(now))} == before ^ {name}
        shown = boxes(questions(now, resolve(now), True))
        assert {name for name, told in shown.items() if "checked" in told} == before ^ {name}
    assert choose_recipe(now, start.recipe) == start


@pytest.mark.parametrize("name", [*FORMS, *KEPT])
def test_what_is_turned_twice_is_the_recipes_again(name: str) -> None:
    for start in (HOLDS, PUBLISHED):
        if {*ticked_forms(resolve(start))} == {name}:
            continue
        once = turned(start, name)
        assert once.words() != start.words() and not is_the_recipes(once)
        assert turned(once, name) == start


def test_shares_that_were_typed_stay_when_another_form_is_ticked() -> None:
    typed = EditSettings(recipe="holds", forms=("raw:3", "question:5"))
    assert turned(typed, "chat").forms == ("raw:3", "question:5", "chat")
    assert turned(typed, "raw").forms == ("question:5",)


def test_what_is_kept_where_the_recipe_keeps_nothing_has_a_weight() -> None:
    asked = turned(PUBLISHED, "text")
    assert asked.kept == ("text",) and asked.keep == resolve(HOLDS).keep
    weighed = turned(EditSettings(recipe="published", keep=0.3, kept=("text",)), "neighbours")
    assert (weighed.keep, weighed.kept) == (0.3, ("neighbours", "text"))


def test_a_model_without_a_chat_template_is_not_asked_in_a_chat() -> None:
    shown = questions(HOLDS, HOLDS.resolved(SUMMARY.preset, 100), False)
    told = boxes(shown)
    assert "disabled" in told["chat"] and "disabled" in told["chats"]
    assert "checked" not in told["chat"] + told["chats"] and "checked" in told["question"]
    assert shown.count("This model has no chat template.") == 2
    # What is ticked and cannot be done can be taken back.
    wrong = EditSettings(recipe="holds", forms=("raw", "chat"))
    told = boxes(questions(wrong, wrong.resolved(SUMMARY.preset, 100), False))
    assert "disabled" not in told["chat"]


def test_nothing_can_be_ticked_before_the_model_is_known() -> None:
    shown = questions(HOLDS, None, False)
    assert all("disabled" in told for told in boxes(shown).values())
    assert "known once the model is loaded" in shown and "no chat template" not in shown


def test_the_last_form_stays_ticked_and_every_answer_has_its_words() -> None:
    assert "disabled" in boxes(questions(PUBLISHED, resolve(PUBLISHED), True))["raw"]
    assert set(FORM_WORDS) == set(FORMS) and set(KEPT_WORDS) == set(KEPT)
    assert set(RECIPE_WORDS) == set(RECIPES)


def test_what_facts_say_must_stay_is_offered_where_a_fact_says_something() -> None:
    assert "yours" not in boxes(questions(HOLDS, resolve(HOLDS), True, keeping=False))
    whole = HOLDS.resolved(replace(SUMMARY.preset, chat=True), 100)
    assert ticked_kept(whole.for_facts(True)) == KEPT
    assert ticked_kept(whole.for_facts(False)) == tuple(name for name in KEPT if name != "yours")


def test_a_recipe_can_be_chosen_before_the_model_is_there_and_a_box_cannot() -> None:
    chosen = answered(PUBLISHED, None, {"do": "recipe", "recipe": "holds"})
    assert chosen == HOLDS
    with pytest.raises(SettingsError, match="The model is being loaded"):
        answered(PUBLISHED, None, {"do": "form", "name": "chat", "value": True})
