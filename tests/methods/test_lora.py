"""LoRA: its first step beside a direct computation, its rank, and what it says without peft."""

import sys
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from workbench.errors import LocationError, SettingsError
from workbench.facts.fact import Fact
from workbench.methods.base import METHODS
from workbench.methods.edit import edit
from workbench.methods.lora import LoraWeights
from workbench.methods.lora_settings import LoraSettings
from workbench.model.language_model import LanguageModel
from workbench.model.location import parse_locations
from workbench.model.tokens import tokenize_facts

AT = "2.mlp.down_proj"
NAME = f"model.layers.{AT}.weight"


def test_a_step_is_adams_on_the_factors_and_the_change_has_their_rank(
    model: LanguageModel, facts: list[Fact]
) -> None:
    settings = LoraSettings(at=(AT,), learning_rate=1e-2, rank=2, alpha=4, batch_size=7, epochs=1)
    first = LoraWeights(settings, model, parse_locations(AT), 1e-2).factors
    a, b = (first[f"{side} {NAME}"].detach().clone().requires_grad_() for side in "AB")
    base = model.tensor(NAME)
    weight = model.network.get_parameter(NAME)
    losses = []
    for text in tokenize_facts(model.tokenizer, facts, None):
        merged = torch.func.functional_call(
            model.network, {NAME: base + 2 * b @ a}, (torch.tensor([text.inputs]),)
        )
        said = merged.logits[0, len(text.prompt) - 1 :]
        losses.append(functional.cross_entropy(said, torch.tensor(text.target)))
    torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
    torch.optim.Adam([a, b], lr=1e-2).step()
    patch = edit(model, facts, settings, method="lora").patch
    change = patch.tensors[NAME] - weight
    assert torch.allclose(change, 2 * (b @ a).detach(), atol=1e-5)
    assert int(torch.linalg.matrix_rank(change, atol=1e-6, rtol=0.0)) == 2
    plan = METHODS["lora"].start(model, facts, settings).plan()
    assert plan.weights == 2 * (32 + 64)


def test_matrices_that_have_their_inputs_first_are_changed_too(
    make_model: Callable[..., LanguageModel], facts: list[Fact]
) -> None:
    old = make_model("GPT-2")
    settings = LoraSettings(at=("2.mlp.c_proj",), learning_rate=1e-2, epochs=2)
    result = edit(old, facts, settings, method="lora")
    assert result.losses[1] < result.losses[0]
    assert edit(old, facts, method="ultraedit").patch.weights


def test_without_peft_it_says_which_extra_is_missing(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(SettingsError, match=r"locft-workbench\[lora\]"):
        METHODS["lora"].start(model, facts)


def test_where_there_is_no_matrix_it_says_so(model: LanguageModel, facts: list[Fact]) -> None:
    with pytest.raises(LocationError, match="no plain matrix"):
        METHODS["lora"].start(model, facts, LoraSettings(at=("2.input_layernorm",)))
