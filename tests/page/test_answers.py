"""Answers as they are drawn: marks, halves, growing text, and that all of it is only text."""

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape

from workbench.page.edit.missed import why_missed
from workbench.page.edit.pinned import pinned_table
from workbench.page.probe.answers import answer_card, marked
from workbench.store.probes import Answered, PinnedAnswer, ProbeRow
from workbench.store.runs import FactOutcome

TAGS = re.compile(r"</?(?!mark)[a-z][^>]*>")


def said(text: str) -> Answered:
    return Answered(text, ((text, 0.5),))


ASKED = ProbeRow(
    id=1,
    prompt="The capital of Australia is",
    chat=False,
    pinned=False,
    job=1,
    model="builtin",
    before_run=None,
    run=2,
    before=said("Canberra"),
    after=said("Melbourne"),
    partial={},
    fact=None,
    role="",
)


def test_only_the_words_that_differ_are_marked() -> None:
    assert marked("It is Canberra.", "It is Melbourne.") == "It is <mark>Melbourne</mark>."
    assert marked("same", "same") == "same"
    assert marked("Leonardo da Vinci", "Pablo Picasso") == "<mark>Pablo Picasso</mark>"


@settings(deadline=None)  # a template is read when it is first used
@given(st.text(), st.text())
def test_marking_shows_exactly_the_answer(before: str, after: str) -> None:
    assert re.sub("</?mark>", "", marked(before, after)) == escape(after)


@settings(deadline=None)  # a template is read when it is first used
@given(st.text(min_size=1))
def test_no_text_of_a_probe_becomes_markup(wild: str) -> None:
    for role in ("", "rephrase"):
        one = replace(ASKED, prompt=wild, before=said(wild), after=said(wild), role=role)
        plain = replace(ASKED, prompt="x", before=said("x"), role=role)
        card, other = answer_card((one,), (None, 2)), answer_card((plain,), (None, 2))
        assert len(TAGS.findall(card)) == len(TAGS.findall(other))


def test_the_halves_say_which_run_they_are() -> None:
    between = answer_card((replace(ASKED, before_run=1),), (1, 2))
    assert "before · run 1" in between and "after · run 2" in between
    back = answer_card((replace(ASKED, before_run=2, run=None),), (2, None))
    assert "before · run 2" in back and "after · base" in back


def test_a_card_says_how_the_model_answered() -> None:
    assert "raw prompt · greedy" in answer_card((ASKED,), (None, 2))
    how = "as shipped · sampled, seed 0 · temperature 0.7"
    own = replace(ASKED, before=replace(said("Canberra"), how=how))
    assert f"raw prompt · {how}" in answer_card((own,), (None, 2))
    assert "greedy" not in answer_card((own,), (None, 2))
    waiting = replace(ASKED, before=None, after=None)
    assert "greedy" not in answer_card((waiting,), (None, 2), "Waiting")
    assert how in pinned_table([PinnedAnswer(1, "?", 0, "Canberra", how)])


def test_an_answer_of_other_runs_than_those_shown_can_be_asked_again() -> None:
    now = answer_card((ASKED,), (None, 2))
    old = answer_card((ASKED,), (None, 3))
    assert 'class="btn small bare" data-do="again"' in now
    assert 'class="btn small" data-do="again"' in old


def test_an_answer_shows_as_it_grows() -> None:
    growing = replace(ASKED, before=None, after=None, partial={"before": "Canb"})
    card = answer_card((growing,), (None, 2), "Asking the model")
    assert "Canb …" in card and "after · run 2" in card
    assert "Asking the model" in answer_card(
        (replace(growing, partial={}),), (None, 2), "Asking the model"
    )


def test_a_fact_is_one_card_with_a_row_for_each_prompt() -> None:
    card = answer_card(
        (
            replace(ASKED, role="prompt"),
            replace(ASKED, role="rephrase", prompt="Australia's capital is"),
            replace(ASKED, role="locality", prompt="The capital of France is", after=said("Paris")),
        ),
        (None, 2),
    )
    assert card.count("<article") == 1 and card.count("<tr>") == 4
    assert "must stay" in card and "<mark>Melbourne</mark>" in card


def test_pinned_answers_show_only_their_changes() -> None:
    answers = [
        PinnedAnswer(1, "<b>?", epoch, text)
        for epoch, text in enumerate(["Canberra", "Canberra", "Perth", "Melbourne", "Melbourne"])
    ]
    table = pinned_table(answers)
    assert "&lt;b&gt;?" in table
    assert re.findall(r"quiet'>(\d+)<", table) == ["0", "2", "3"]
    assert "<mark>Melbourne</mark>" in table
    restless = [PinnedAnswer(1, "?", epoch, f"answer {epoch}") for epoch in range(40)]
    assert re.findall(r"quiet'>(\d+)<", pinned_table(restless)) == [
        "0",
        "35",
        "36",
        "37",
        "38",
        "39",
    ]


def test_a_missed_fact_says_why() -> None:
    def why(after: str | None) -> str:
        return why_missed(FactOutcome(1, "?", "New York", False, "Canberra", after))

    assert "likeliest" in why(None)
    assert why("new york!") == "Said rightly but for capitals, marks or what follows the answer."
    assert why("") == "Says nothing."
    assert why("New York City") == "Says it, and then goes on."
    assert why("Canberra") == "Still says what the base says."
    assert why("York") == "Says a part of it."
    assert why("Lima") == "Says something else."
