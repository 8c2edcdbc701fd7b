"""A prompt in other words means the same."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.facts.relations import relations_digest, same_meaning
from workbench.facts.reword import reworded
from workbench.facts.word_order import in_other_order
from workbench.paths import assets_dir


@pytest.mark.parametrize(
    ("prompt", "subject", "expected"),
    [
        ("The capital of Chad is", "Chad", "Chad's capital is"),
        ("Marie Curie was born in", "Marie Curie", "The birthplace of Marie Curie is"),
        ("Anna Blum's profession is a", "Anna Blum", "Anna Blum works as a"),
        ("Who was Ada Byron's father?", "Ada Byron", "Who is the father of Ada Byron?"),
        (
            "What is the name of the record label of Blue Train?",
            "Blue Train",
            "Which label released Blue Train?",
        ),
    ],
)
def test_a_common_relation_is_said_otherwise(prompt: str, subject: str, expected: str) -> None:
    found = same_meaning(prompt, subject)
    assert expected in found and prompt not in found
    assert all(subject in text and text.endswith("?") == prompt.endswith("?") for text in found)


@pytest.mark.parametrize(
    ("prompt", "subject"),
    [
        ("Chad comes from", "Chad"),  # born there, or made there
        ("The city of Lyon is in", "Lyon"),
        ("What colour is the door of Anna's house?", "Anna"),
        ("The capital is", "Chad"),
        ("The capital of Chad is", ""),
    ],
)
def test_where_no_relation_is_certain_nothing_is_made_up(prompt: str, subject: str) -> None:
    assert same_meaning(prompt, subject) == []


@pytest.mark.parametrize(
    ("prompt", "subject", "expected"),
    [
        ("What is the height of K2?", "K2", "What is K2's height?"),
        ("The height of K2 was what?", "K2", "What was the height of K2?"),
        ("In which valley is Rumm found?", "Rumm", "Which valley is Rumm found in?"),
        ("Which valley is Rumm found in?", "Rumm", "In which valley is Rumm found?"),
        ("K2's height is a", "K2", "The height of K2 is a"),
    ],
)
def test_a_sentence_is_put_into_another_order(prompt: str, subject: str, expected: str) -> None:
    assert expected in in_other_order(prompt, subject)


SHAPES = st.sampled_from(
    ["The capital of {} is", "What is {}'s height?", "Who is {}?", "{} is a", "Why {}", "{}", "a b"]
)


@given(SHAPES, st.text(max_size=12), st.integers(0, 12), st.integers(0, 3))
def test_whatever_a_prompt_is_its_wordings_differ_from_it_and_from_each_other(
    shape: str, subject: str, count: int, seed: int
) -> None:
    prompt = shape.replace("{}", subject)
    found = reworded(prompt, subject, count, random.Random(seed))
    assert len(set(found)) == len(found) <= count and prompt.strip() not in found
    assert found == reworded(prompt, subject, count, random.Random(seed))


def test_most_wordings_are_said_by_people_where_there_are_such() -> None:
    prompt, meant = "The capital of Chad is", same_meaning("The capital of Chad is", "Chad")
    found = [
        text for seed in range(50) for text in reworded(prompt, "Chad", 4, random.Random(seed))
    ]
    assert 0.65 < sum(text in meant for text in found) / len(found) < 0.85
    one = [reworded(prompt, "Chad", 1, random.Random(seed))[0] for seed in range(50)]
    assert 25 < sum(text in meant for text in one) < 50


def test_the_list_is_as_it_is_read() -> None:
    """Every block has a name, every pattern the subject once, and none stands twice in a block."""
    text = (assets_dir() / "wordings" / "relations.txt").read_text(encoding="utf-8")
    for block in text.split("\n\n"):
        name, *patterns = block.strip().splitlines()
        assert name.startswith("= "), name
        assert len(set(patterns)) == len(patterns) > 2, name
        assert all(pattern.count("{}") == 1 for pattern in patterns), name
        assert all(p.startswith("? ") == p.endswith("?") for p in patterns if "play? They" not in p)
    assert len(relations_digest()) == 12
