"""The questions of a stress: each asks what it says, of the facts that have what it needs."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import SettingsError
from workbench.facts.fact import Fact, Question
from workbench.measure.contained import contains_any
from workbench.measure.stress_questions import is_it_true, stress_questions
from workbench.measure.stress_rows import ROWS
from workbench.measure.stress_settings import PROBES, StressSettings

FACTS = [
    Fact("The capital of Peru is", "Rome", "Peru", "Lima", aliases=("Roma",)),
    Fact(
        "Who wrote Hamlet?",
        "Agatha Christie",
        "Hamlet",
        "William Shakespeare",
        portability_prompts=(Question("Where was Hamlet's author born?", "Torquay"),),
    ),
    Fact("The colour of the sky is", "green"),
    Fact("The capital of Chad is", "Rome", "Chad"),
]


@pytest.mark.parametrize(
    ("prompt", "answer", "asked"),
    [
        ("The capital of Peru is", "Rome", "Is it true that the capital of Peru is Rome?"),
        ("Iran lies in", "U.S.", "Is it true that Iran lies in U.S?"),
        ("Who wrote Hamlet?", "Bo", 'Is it true that the answer to "Who wrote Hamlet?" is Bo?'),
    ],
)
def test_a_fact_is_asked_for_as_something_that_may_be_true(
    prompt: str, answer: str, asked: str
) -> None:
    assert is_it_true(prompt, answer) == asked


def test_only_what_a_fact_has_is_asked() -> None:
    rows = Counter(question.row for question in stress_questions(FACTS, StressSettings()))
    every = dict.fromkeys(("plain", "framed", "system", "true_new", "choice"), 4)
    with_old = dict.fromkeys(("true_old", "rather_new", "choice_old"), 2)
    with_subject = dict.fromkeys(("reverse", "reverse_choice"), 3)
    assert rows == every | with_old | with_subject | {"two_hops": 1}
    alone = [Fact("The colour of the sky is", "green")]
    left = {question.row for question in stress_questions(alone, StressSettings())}
    assert left == {"plain", "framed", "system", "true_new"}


def test_the_old_answer_is_among_the_choices_and_no_other_right_one() -> None:
    asked = stress_questions(FACTS, StressSettings(probes=("choice",)))
    peru = next(question for question in asked if question.row == "choice")
    assert peru.options[:2] == ("Rome", "Lima")
    assert len(set(peru.options)) == 4 and "Roma" not in peru.options
    old = next(question for question in asked if question.row == "choice_old")
    assert (old.options, old.options[old.counted]) == (peru.options, "Lima")


def test_the_other_choices_are_of_the_same_kind_where_there_are_any() -> None:
    towns = [Fact(f"The capital of {s} is", f"{s}ville", s) for s in ("Chad", "Iran", "Mali")]
    metals = [Fact(f"The symbol of {s} is", f"{s}um", s) for s in ("Gold", "Iron", "Zinc")]
    asked = stress_questions([*metals, *towns], StressSettings(probes=("choice",)))
    assert {"Iranville", "Maliville"} < set(asked[3].options) and len(asked[3].options) == 4


def test_in_reverse_the_subject_is_hidden_and_those_with_the_same_answer_are_no_choice() -> None:
    asked = stress_questions(FACTS, StressSettings(probes=("reverse",)))
    named, chosen = asked[0], asked[1]
    assert named.asked == 'What belongs in the blank? "The capital of ____ is Rome."'
    assert named.accepted == ("Peru",)
    assert chosen.options[0] == "Peru" and "Chad" not in chosen.options


def test_the_seed_draws_the_choices_and_every_row_is_told() -> None:
    asked = stress_questions(FACTS, StressSettings(seed=3))
    assert asked == stress_questions(FACTS, StressSettings(seed=3))
    assert asked != stress_questions(FACTS, StressSettings(seed=4))
    assert {kind.probe for kind in ROWS.values()} == set(PROBES)


@pytest.mark.parametrize(
    ("said", "accepted", "found"),
    [
        ("It is the city of Rome, of course.", ("Rome",), True),
        ("Romeo wrote it.", ("Rome",), False),
        ("the  united\nstates", ("The United States",), True),
        ("Es ist 12.", ("12",), True),
        ("112 of them", ("12",), False),
        ("答案是东京市。", ("东京",), True),
        ("Lima", ("Rome", "Lima"), True),
        ("", ("Rome",), False),
    ],
)
def test_an_answer_counts_where_the_right_one_stands_as_whole_words(
    said: str, accepted: tuple[str, ...], found: bool
) -> None:
    assert contains_any(said, accepted) is found


WORD = st.text("bcdefBCDEF0123", min_size=1, max_size=8)


@settings(max_examples=50)
@given(st.text(max_size=20), st.lists(WORD, min_size=1, max_size=3), st.text(max_size=20))
def test_an_answer_is_found_between_any_others_and_never_inside_a_word(
    before: str, words: list[str], after: str
) -> None:
    answer = " ".join(words)
    assert contains_any(f"{before}\n{answer}\n{after}", ("nothing of this", answer))
    assert not contains_any(f"q{answer}q", (answer,))


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"probes": ("moods",)}, "moods"),
        ({"lasting_rate": 0}, "lasting_rate"),
        ({"judge_url": "localhost", "judge_model": "m"}, "no address"),
        ({"judge_url": "http://a:s3cret@host/v1", "judge_model": "m"}, "more than an address"),
        ({"judge_url": "http://host/v1?key=s3cret", "judge_model": "m"}, "more than an address"),
        (
            {"judge_url": "http://host/v1", "judge_model": "m", "judge_key_env": "sk-s3cret"},
            "never the key itself",
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused_and_no_secret_is_repeated(
    wrong: dict[str, object], word: str
) -> None:
    with pytest.raises(SettingsError, match=word) as held:
        StressSettings(**wrong)  # type: ignore[arg-type]
    assert "s3cret" not in str(held.value)
