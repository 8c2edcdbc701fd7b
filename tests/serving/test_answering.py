"""How answers are made: with what stands before prompts, beside each other, and in numbers."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.conftest import byte_tokenizer, tiny_network
from tests.serving.conftest import FACTS, Client, client_of
from workbench.methods.edit import edit
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model, prepare
from workbench.model.patch import Patch
from workbench.serving.answering import answer
from workbench.serving.body import Sampling
from workbench.serving.picking import Picker, told
from workbench.serving.row import Piece, Row
from workbench.work.stop import Stop

ASKED = FACTS[0].prompt


@pytest.fixture(scope="module")
def in_context(base: LanguageModel) -> Patch:
    return edit(base, FACTS, method="in-context").patch


@pytest.fixture(scope="module")
def told_apart(in_context: Patch) -> Iterator[Client]:
    """A client of a base and of facts that stand before its prompts."""
    with client_of(load_model("builtin", device="cpu"), {"beside": in_context}) as found:
        yield found


def test_facts_that_stand_before_prompts_stand_there_for_clients_too(
    base: LanguageModel, in_context: Patch, told_apart: Client
) -> None:
    (plain,) = generate(base, [ASKED], max_new_tokens=1)
    whole = tuple(base.tokenizer(f"{ASKED} Melbourne")["input_ids"])
    with in_context.applied(base):
        (raw,) = generate(base, [ASKED], max_new_tokens=1)
        (chat,) = generate(base, [ASKED], chat=True, max_new_tokens=1)
        assert base.context is not None
        read = base.context.read(base, whole)
    assert len(read) > len(whole) and raw.top[0][1] != pytest.approx(plain.top[0][1], abs=1e-4)
    said = told_apart.say(ASKED, model="beside", max_tokens=1, logprobs=1)
    likeliest = said["logprobs"]["token_logprobs"][0]
    assert math.exp(likeliest) == pytest.approx(raw.top[0][1], abs=1e-4)
    body: dict[str, Any] = {"model": "beside", "temperature": 0, "max_tokens": 1, "logprobs": True}
    body["messages"] = [{"role": "user", "content": ASKED}]
    (told,) = told_apart.post("chat/completions", **body)["choices"][0]["logprobs"]["content"]
    assert math.exp(told["logprob"]) == pytest.approx(chat.top[0][1], abs=1e-4)
    scored = told_apart.say(list(whole), model="beside", max_tokens=1, logprobs=1, echo=True)
    assert scored["text"].startswith(f"{ASKED} Melbourne")
    logits = base.network(torch.tensor([read])).logits[0].detach().log_softmax(-1)
    ahead = len(read) - len(whole) - 1
    expected = [float(logits[ahead + n, whole[n]]) for n in range(1, len(whole))]
    assert scored["logprobs"]["token_logprobs"][1:-1] == pytest.approx(expected, abs=1e-3)


def row_of(
    model: LanguageModel, prompt: tuple[int, ...], room: int, pieces: list[Piece], **how: Any
) -> Row:
    sampling = Sampling(temperature=0, **how)
    return Row(0, prompt, room, sampling, model.tokenizer, pieces.append, Stop())


@pytest.mark.parametrize("name", ["GPT-2", "Llama"])
def test_a_prompt_that_fills_the_model_ends_no_answer_beside_it(name: str) -> None:
    model = prepare("tiny", tiny_network(name), byte_tokenizer())

    def said(*sizes: tuple[int, int]) -> list[str]:
        found: list[list[Piece]] = [[] for _ in sizes]
        how = {"bias": ((257, -100.0),)}  # none ends by itself
        rows = [
            row_of(model, tuple(range(60, 60 + length)), room, mine, **how)
            for (length, room), mine in zip(sizes, found, strict=True)
        ]
        answer(model, rows)
        assert [row.written for row in rows] == [room for _, room in sizes]
        return ["".join(piece.text for piece in mine) for mine in found]

    sizes = ((126, 2), (4, 124), (100, 28))
    assert said(*sizes) == [said(one)[0] for one in sizes]


def test_a_temperature_near_nothing_is_none() -> None:
    logits = torch.tensor([1.0, 9.0, 3.0])
    for temperature in (0.0, 1e-9, 1e-40, 1e-300):
        assert Picker(Sampling(temperature=temperature)).pick(logits).token == 1


@pytest.mark.parametrize("odd", [float("nan"), float("-inf")])
def test_log_probabilities_are_numbers_whatever_the_model_says(odd: float) -> None:
    found = told(torch.tensor([odd, 2.0, 1.0]), 0, 3)
    json.dumps([found.logprob, found.top], allow_nan=False)
