"""How a model may answer is found out when it is loaded, and what it cannot do is not used."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from workbench.errors import ModelError
from workbench.model.answer_check import check_answering
from workbench.model.answering import Answering
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.states import run
from workbench.model.tokens import prompt_tokens

PROMPTS = ["One", "Two by two", "Six", "A longer prompt than those"]


def plain_answer(model: LanguageModel, prompt: str, count: int) -> tuple[int, ...]:
    (ids,) = prompt_tokens(model.tokenizer, [prompt])
    text = list(ids)
    for _ in range(count):
        with torch.no_grad():
            text.append(int(run(model, torch.tensor([text]))[0, -1].argmax()))
    return tuple(text[len(ids) :])


def broken(model: LanguageModel, breaks: Callable[[dict[str, Any]], bool]) -> None:
    """Makes the model say something else whenever a pass is of a certain kind."""
    whole = model.network.forward

    def forward(*args: Any, **kwargs: Any) -> Any:
        output = whole(*args, **kwargs)
        if breaks(kwargs):
            output.logits = output.logits.flip(-1)
        return output

    model.network.forward = forward


def padded(passed: dict[str, Any]) -> bool:
    mask = passed.get("attention_mask")
    return mask is not None and not bool(mask.bool().all())


def cached(passed: dict[str, Any]) -> bool:
    return bool(passed.get("use_cache"))


@pytest.mark.parametrize(
    ("breaks", "pads", "caches", "words"),
    [
        (lambda passed: False, True, True, ""),
        (padded, False, True, "only prompts of one length at a time"),
        (cached, True, False, "without a cache"),
        (lambda passed: padded(passed) or cached(passed), False, False, "without a cache"),
    ],
    ids=["sound", "padding is read", "cache is wrong", "both"],
)
def test_what_gives_other_logits_than_a_plain_pass_is_not_used(
    model: LanguageModel,
    breaks: Callable[[dict[str, Any]], bool],
    pads: bool,
    caches: bool,
    words: str,
) -> None:
    expected = [plain_answer(model, prompt, 5) for prompt in PROMPTS]
    broken(model, breaks)
    model.answering = check_answering(model)
    assert (model.answering.pads, model.answering.caches) == (pads, caches)
    assert words in model.answering.fallback and bool(words) == bool(model.answering.fallback)
    answers = generate(model, PROMPTS, max_new_tokens=5)
    assert [answer.tokens for answer in answers] == expected
    assert model.summary().answering == model.answering.fallback


def test_a_cache_that_raises_is_done_without_and_its_words_are_kept(model: LanguageModel) -> None:
    def refuse(passed: dict[str, Any]) -> bool:
        if cached(passed):
            raise ValueError("this cache is not for me\nat all")
        return False

    broken(model, refuse)
    found = check_answering(model)
    assert found.caches is False
    assert found.fallback.endswith("without a cache (this cache is not for me)")


def test_a_model_that_cannot_answer_at_all_says_so_in_one_line(model: LanguageModel) -> None:
    def refuse(passed: dict[str, Any]) -> bool:
        if "attention_mask" in passed:
            raise ValueError("no masks, please")
        return False

    broken(model, refuse)
    model.answering = check_answering(model)
    with pytest.raises(ModelError, match=r"answers cannot be relied on \(no masks, please\)"):
        generate(model, PROMPTS)


def test_a_checkpoints_own_settings_do_not_look_like_a_fault(model: LanguageModel) -> None:
    model.network.generation_config.suppress_tokens = list(range(200))
    own = model.network.generation_config
    assert check_answering(model) == Answering()
    assert model.network.generation_config is own


def test_prompts_of_one_length_stand_together() -> None:
    lengths = [3, 5, 3, 4, 5]
    assert Answering().groups([0, 1, 2, 3, 4], lengths) == [[0, 1, 2, 3, 4]]
    assert Answering(pads=False).groups([4, 1, 0, 3, 2], lengths) == [[0, 2], [3], [4, 1]]
