"""The tables of the built-in model's world are complete and say one thing each."""

from collections import Counter

from workbench.builtin.phrasing import QUESTION_FORMATS, render
from workbench.builtin.tables import read_phrasings, read_world


def test_the_world_has_enough_facts_in_enough_relations() -> None:
    world = read_world()
    assert len(world) >= 2300
    assert len({fact.relation for fact in world}) >= 20


def test_each_subject_has_one_answer_in_each_relation() -> None:
    asked = Counter((fact.subject.lower(), fact.relation) for fact in read_world())
    assert [key for key, count in asked.items() if count > 1] == []


def test_subjects_and_answers_are_short_clean_and_without_full_stops() -> None:
    for fact in read_world():
        for text in (fact.subject, fact.object):
            assert text == text.strip(), fact
            assert 0 < len(text) <= 45, fact
            assert not set(text) & set('.?!"{}|\n'), fact


def test_every_relation_has_phrasings_and_every_phrasing_a_subject() -> None:
    phrasings = read_phrasings()
    assert {fact.relation for fact in read_world()} == set(phrasings)
    for relation, ways in phrasings.items():
        assert len(ways.clozes) >= 8, relation
        assert len(ways.questions) == 3, relation
        for text in ways.clozes + ways.questions:
            assert text.count("{s}") == 1, text
            assert text == text.strip(), text
        assert all(text.endswith("?") for text in ways.questions), relation


def test_no_prompt_has_two_answers() -> None:
    answers: dict[str, str] = {}
    for fact in read_world():
        ways = read_phrasings()[fact.relation]
        prompts = [render(text, fact.subject) for text in ways.clozes]
        prompts += [
            form.format(q=render(text, fact.subject))
            for text in ways.questions
            for form in QUESTION_FORMATS
        ]
        for prompt in prompts:
            assert answers.setdefault(prompt, fact.object) == fact.object, prompt
