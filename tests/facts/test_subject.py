"""What a prompt is about, found where nobody said it."""

from hypothesis import given
from hypothesis import strategies as st

from workbench.facts import Fact
from workbench.facts.subject import find_subjects, with_subjects

WORDS = st.sampled_from(["The", "capital", "of", "New", "York's", '"Unix"', "is", "1999", "?", "à"])
PROMPTS = st.lists(st.lists(WORDS, min_size=1, max_size=9).map(" ".join), max_size=6)


def test_it_is_the_name_that_other_prompts_change() -> None:
    assert find_subjects(
        [
            "The capital of New Zealand is",
            "The capital of Chad is",
            "Who is the author of The Name of the Rose?",
            "Emmanuelle Devos's profession is",
            "Danielle Darrieux's mother tongue is",
            "What title is held by Elizabeth Ann Seton?",
            "water boils at",
        ]
    ) == [
        "New Zealand",
        "Chad",
        "The Name of the Rose",
        "Emmanuelle Devos",
        "Danielle Darrieux",
        "Elizabeth Ann Seton",
        "",
    ]


def test_what_somebody_said_stays_unless_the_prompt_lacks_it() -> None:
    facts = [
        Fact("The river through Paris is", "Rhine", subject="river"),
        Fact("The capital of Chad is", "Lima", subject="Tchad"),
    ]
    assert [fact.subject for fact in with_subjects(facts)] == ["river", "Chad"]


@given(PROMPTS)
def test_a_subject_is_always_a_part_of_its_prompt(prompts: list[str]) -> None:
    found = find_subjects(prompts)
    assert len(found) == len(prompts)
    assert all(subject in prompt for subject, prompt in zip(found, prompts, strict=True))
