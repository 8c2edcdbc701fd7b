"""Facts in other words, as the model writes them: what passes, what speaks against the others."""

from typing import Any

import pytest

from workbench import rephrase
from workbench.errors import SettingsError
from workbench.facts import Fact, Question
from workbench.methods import rephrasing as module
from workbench.methods.rephrase_settings import RephraseSettings
from workbench.methods.rephrased import Rephrased, passed
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model

FRANCE = Fact(
    "The capital of France is",
    "Lyon",
    subject="France",
    rephrase_prompts=("The capital city of France is",),
    locality_prompts=(Question("The currency of France is", "franc"),),
)
SPAIN = Fact("What is the capital of Spain?", "Seville", subject="Spain")


@pytest.fixture(scope="module")
def builtin() -> LanguageModel:
    return load_model("builtin", device="cpu")


def written_of(
    monkeypatch: pytest.MonkeyPatch, model: LanguageModel, facts: list[Fact], *ways: dict[str, str]
) -> list[Rephrased]:
    """What is found when the model writes, in each way, some words for a prompt."""

    def said(_: Any, shown: Any, way: int, prompts: list[str], stop: Any) -> list[str]:
        return [ways[way].get(prompt, prompt) for prompt in prompts]

    monkeypatch.setattr(module, "_said", said)
    return rephrase(model, facts, each=len(ways))


def test_only_what_is_answered_alike_and_measures_nothing_passes(
    monkeypatch: pytest.MonkeyPatch, builtin: LanguageModel
) -> None:
    prompt = FRANCE.prompt
    texts = [
        "France: the capital is",
        "The currency of France is",
        "The capital city of France is",
        "The capital of Italy is",
        "The city of Paris in France is",
    ]
    monkeypatch.setattr(module, "_answered", lambda _, asked, stop: list(map(answer, asked)))

    def answer(text: str) -> str:
        return {texts[0]: "Paris, the city", texts[3]: "Rome"}.get(text, "Paris")

    found: list[Rephrased] = []
    for text in texts:
        found += written_of(monkeypatch, builtin, [FRANCE], {prompt: text}, {prompt: text})
    against = [wording.against for each in found for wording in each.wordings]
    assert against == [
        "",
        "a fact is asked so already",
        "a fact is asked so already",
        "France is left out",
        "it says 'Paris' itself",
    ]
    assert passed(found) == 1


def test_the_base_answers_and_an_answer_that_differs_speaks_against_the_wording(
    monkeypatch: pytest.MonkeyPatch, builtin: LanguageModel
) -> None:
    ways = (
        {
            FRANCE.prompt: "The currency of France, in short, is",
            SPAIN.prompt: "Which city is Spain's capital?",
        },
        {FRANCE.prompt: FRANCE.prompt, SPAIN.prompt: "Which city is the capital of Spain?"},
    )
    france, spain = written_of(monkeypatch, builtin, [FRANCE, SPAIN], *ways)
    assert (france.fact, france.said, spain.said) == (0, "Paris", "Madrid")
    (other,) = france.wordings
    assert other.against == "it is answered otherwise" and other.said != "Paris"
    assert [wording.said for wording in spain.wordings][1] == "Madrid"
    assert [wording.against for wording in spain.wordings][1] == ""


@pytest.mark.parametrize(
    ("prompt", "said", "text", "again", "alike"),
    [
        ("Who wrote it?", "It was Mary Shelley.", "By whom is it?", "By Mary Shelley", True),
        ("Who wrote it?", "It was Mary Shelley.", "By whom is it?", "The author is Mary", True),
        ("When was it?", "In 1816.", "In which year was it?", "The year 1817.", False),
        ("He lives in", "a small town", "His home is", "a village", False),
        ("The play is by", "The", "The play's author is", "A", False),
    ],
)
def test_answers_are_compared_by_what_they_add_to_their_question(
    prompt: str, said: str, text: str, again: str, alike: bool
) -> None:
    assert module._agree(module._added(prompt, said), module._added(text, again)) is alike


def test_a_sentence_is_taken_out_of_what_is_put_around_it() -> None:
    said = '\n1. "The French capital is ___"\nIt means the same.'
    assert module._plain(said) == "The French capital is"
    assert module._plain("Which city is it?") == "Which city is it?"
    assert module._plain("**Its capital is**") == module._plain('"Its capital is".')
    assert module._plain("- “Its capital is ...”") == "Its capital is"


def test_more_wordings_than_there_are_ways_to_ask_are_refused() -> None:
    with pytest.raises(SettingsError, match="at most 4"):
        RephraseSettings(each=5)
