"""What the built-in model is trained on, and what is kept from it."""

import random
import re
from itertools import islice

import pytest

from workbench.builtin.corpus import Document, epoch_documents
from workbench.builtin.phrasing import render, split_phrasings
from workbench.builtin.skills import SKILLS, Skill, draw_question
from workbench.builtin.tables import read_phrasings, read_world
from workbench.builtin.words import OPPOSITES, PLURALS


@pytest.fixture(scope="module")
def epoch() -> list[Document]:
    return list(epoch_documents(seed=3, epoch=5))


def test_an_epoch_is_the_same_for_the_same_seed(epoch: list[Document]) -> None:
    assert list(epoch_documents(seed=3, epoch=5)) == epoch
    assert list(epoch_documents(seed=4, epoch=5)) != epoch
    assert list(epoch_documents(seed=3, epoch=6)) != epoch


def test_an_epoch_states_every_fact(epoch: list[Document]) -> None:
    for fact, document in zip(read_world(), islice(epoch, len(read_world())), strict=True):
        (turn,) = document
        assert turn.answer == fact.object
        assert fact.subject.lower() in turn.prompt.lower()


def test_late_skills_are_drawn_as_often_as_asked() -> None:
    def look_ups(late: float) -> float:
        # Look-ups are the only documents in which several questions follow one another.
        documents = list(epoch_documents(3, 5, late))
        return sum(len(document) > 1 for document in documents) / len(documents)

    assert look_ups(0) == 0
    assert 0.10 < look_ups(1) < 0.25
    assert 0.35 < look_ups(8) < 0.55


def test_prompts_end_without_a_space(epoch: list[Document]) -> None:
    assert all(text == text.strip() for document in epoch for turn in document for text in turn)


def test_held_out_phrasings_never_appear_in_training(epoch: list[Document]) -> None:
    prompts = [turn.prompt for document in epoch for turn in document]
    asked = {_without_question_format(prompt.split(". ")[-1]) for prompt in prompts}
    stated = {part for prompt in prompts for part in prompt.replace(". ", ".\n").split("\n")}
    held_out = [
        (render(phrasing, fact.subject), fact.object)
        for fact in read_world()
        for split in [split_phrasings(fact, read_phrasings()[fact.relation])]
        for phrasing in split.held_out.clozes + split.held_out.questions
    ]
    assert len(held_out) > 2000
    assert [prompt for prompt, _ in held_out if prompt in asked] == []
    assert [prompt for prompt, answer in held_out if f"{prompt} {answer}." in stated] == []


def _without_question_format(prompt: str) -> str:
    for before, after in (("Question: ", " Answer:"), ("Q: ", " A:")):
        if prompt.startswith(before):
            return prompt.removeprefix(before).removesuffix(after)
    return prompt


def test_a_trained_and_a_held_out_phrasing_are_never_the_same() -> None:
    for fact in read_world():
        every = read_phrasings()[fact.relation]
        split = split_phrasings(fact, every)
        assert every.clozes[0] in split.trained.clozes
        assert sorted(split.trained.clozes + split.held_out.clozes) == sorted(every.clozes)
        assert sorted(split.trained.questions + split.held_out.questions) == sorted(every.questions)


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.name)
def test_held_out_questions_of_a_skill_are_never_trained_on(skill: Skill) -> None:
    rng = random.Random(1)
    trained = {draw_question(skill, rng, held_out=False).key for _ in range(2000)}
    held_out = {draw_question(skill, rng, held_out=True).key for _ in range(100)}
    assert not trained & held_out


@pytest.mark.parametrize("pairs", [OPPOSITES, PLURALS])
def test_a_word_has_one_opposite_and_one_plural(pairs: list[tuple[str, str]]) -> None:
    words = [word for pair in pairs for word in set(pair)]
    assert sorted({word for word in words if words.count(word) > 1}) == []


def test_a_look_up_is_answered_by_what_its_prompt_tells() -> None:
    skill = next(skill for skill in SKILLS if skill.name == "look-up in context")
    rng = random.Random(2)
    for _ in range(300):
        question = draw_question(skill, rng, held_out=False)
        assert question.answer in question.prompt
        assert question.then
        for later in question.then:
            assert later.answer in question.prompt


def test_additions_are_right() -> None:
    skill = next(skill for skill in SKILLS if skill.name == "addition")
    rng = random.Random(2)
    for _ in range(300):
        question = draw_question(skill, rng, held_out=False)
        numbers = [int(n) for n in re.findall(r"\d+", question.prompt)]
        assert sum(numbers) == int(question.answer)
