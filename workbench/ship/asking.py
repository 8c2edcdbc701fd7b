"""The facts of an edit asked of something, and how many are right."""

from collections.abc import Generator, Sequence
from typing import get_args

from workbench.errors import SettingsError
from workbench.facts.fact import Fact
from workbench.facts.forms import AskedForm, parse_forms
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.ship.answers import Asks, Said, contains, is_strict

__all__ = ["asking_facts", "asking_others", "form_of", "longest_answer"]

OTHER_TOKENS = 12


def form_of(patch: Patch) -> AskedForm:
    """The form in which a patch's facts are asked: as their prompts stand, if it trained that."""
    told = patch.metadata.get("settings", {}).get("forms") or ()
    try:
        trained = {share.form for share in parse_forms(tuple(map(str, told)))}
    except SettingsError:  # of a method with forms of its own
        trained = set()
    asked: tuple[AskedForm, ...] = get_args(AskedForm)
    return next((form for form in asked if form in trained), "raw")


def longest_answer(model: LanguageModel, facts: Sequence[Fact]) -> int:
    """How many tokens an answer needs room for, with what ends it and a little more."""
    answers = model.tokenizer([fact.target_new for fact in facts], add_special_tokens=False)
    return max(len(ids) for ids in answers["input_ids"]) + 4


def asking_facts(
    asks: Asks, facts: Sequence[Fact], form: AskedForm, tokens: int
) -> Generator[int, None, list[bool]]:
    """Which facts hold by the strict protocol; yields how many are asked so far."""
    said: list[Said] = yield from asks.asking([fact.prompt for fact in facts], form, tokens)
    return [is_strict(fact, answer) for fact, answer in zip(facts, said, strict=True)]


def asking_others(asks: Asks, questions: Sequence[Fact]) -> Generator[int, None, int]:
    """How many of the other questions are answered right; yields how many are asked so far."""
    prompts = [question.prompt for question in questions]
    said: list[Said] = yield from asks.asking(prompts, "raw", OTHER_TOKENS)
    return sum(contains(question, answer) for question, answer in zip(questions, said, strict=True))
