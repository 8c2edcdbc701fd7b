"""Facts that differ only to a computer are one fact, or contradict each other."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.facts import parse_facts
from workbench.facts.same import answer_key, prompt_key

DIFFER = {
    "Unicode form": (
        "The café of Málaga is",
        unicodedata.normalize("NFD", "The café of Málaga is"),
    ),
    "a zero-width space": ("The capital of Peru is", "The capital\u200b of Peru is"),
    "a byte order mark": ("The capital of Peru is", "\ufeffThe capital of Peru is"),
    "a soft hyphen": ("The capital of Peru is", "The capi\u00adtal of Peru is"),
    "full width": ("日本の首都はABC", "日本の首都はＡＢＣ"),
    "half-width kana": ("ガラスの材料は", "ｶﾞﾗｽの材料は"),
    "case": ("The capital of Peru is", "the Capital of PERU is"),
    "sharp s": ("Die Straße heißt", "Die STRASSE heisst"),
    "a full stop": ("Name the capital of Peru", "Name the capital of Peru."),
    "a question mark": ("秘鲁的首都是哪里", "秘鲁的首都是哪里？"),
    "blanks": ("The capital of Peru is", " The  capital of\u3000Peru is \u00a0"),
}


@pytest.mark.parametrize("how", sorted(DIFFER))
def test_prompts_that_look_the_same_are_one_fact_or_a_conflict(how: str) -> None:
    one, other = DIFFER[how]
    both = parse_facts(f"prompt,answer\n{one},Lima\n{other},Lima\n")
    assert (both.rows, len(both), both.merged, both.rejected) == (2, 1, 1, 0)
    assert both[0].prompt == one.strip() and [p.kind for p in both.problems] == ["merged"]
    against = parse_facts(f"prompt,answer\n{one},Lima\n{other},Quito\n")
    assert (against.rows, len(against), against.rejected) == (2, 1, 1)
    assert [p.kind for p in against.problems] == ["conflict"]
    assert [row for row, _ in against.conflicts[0].rows] == [2, 3]


@pytest.mark.parametrize("how", sorted(DIFFER))
def test_answers_that_look_the_same_are_no_conflict(how: str) -> None:
    one, other = DIFFER[how]
    found = parse_facts(f"prompt,answer\nThe word is,{one}\nThe word is,{other}\n")
    assert (len(found), found.merged, found.rejected) == (1, 1, 0)


def test_of_doubles_in_other_characters_the_row_that_stays_is_quoted() -> None:
    found = parse_facts(
        "prompt,answer\nThe capital of Peru is,Quito\nthe CAPITAL of peru is:,quito\n"
    )
    assert "other characters: 'The capital of Peru is', 'Quito'" in found.problems[0].what
    conflict = parse_facts(
        "prompt,answer\nThe capital of Peru is,Quito\nTHE capital of Peru is,X\n"
    )
    assert "Row 2 answers 'The capital of Peru is' with 'Quito'" in conflict.problems[0].what


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The square of x² is", "The square of x2 is"),
        ("The capital of Peru is", "The capital of Per is"),
        ("Is it C?", "Is it C#?"),
        ("Die Bären", "Die Baren"),
        ("?", "!"),
        ("はは", "ばば"),
    ],
)
def test_prompts_that_mean_something_else_stay_two_facts(one: str, other: str) -> None:
    found = parse_facts(f"prompt,answer\n{one},A b\n{other},C d\n")
    assert (len(found), found.merged, found.rejected) == (2, 0, 0)


_HIDDEN = st.sampled_from(["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad"])


@given(text=st.text(min_size=1, max_size=12), hidden=_HIDDEN, place=st.integers(0, 12))
def test_no_unseen_difference_makes_another_key(text: str, hidden: str, place: int) -> None:
    for written in (unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)):
        assert prompt_key(written) == prompt_key(text)
        assert answer_key(written) == answer_key(text)
    assert prompt_key(f"{text[:place]}{hidden}{text[place:]}") == prompt_key(text)
    assert prompt_key(f"  {text} ") == prompt_key(text)


@given(text=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12))
def test_full_width_is_the_same_as_ascii(text: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in text)
    assert prompt_key(wide) == prompt_key(text) and answer_key(wide) == answer_key(text)
