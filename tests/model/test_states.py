"""Hidden states: kept once, the same however they are reached and wherever they lie."""

from collections.abc import Callable

import pytest
import torch

from tests.conftest import ARCHITECTURES
from workbench.facts.fact import Fact
from workbench.model.language_model import LanguageModel
from workbench.model.states import advance, check_states
from workbench.model.tokens import TokenTable, tokenize_facts


@pytest.fixture
def texts(model: LanguageModel, facts: list[Fact]) -> TokenTable:
    varied = [*facts, Fact("A much longer prompt than the others have, for", "padding")]
    return TokenTable(tokenize_facts(model.tokenizer, varied, None), model.device)


def test_states_are_those_of_each_text_alone(model: LanguageModel, texts: TokenTable) -> None:
    kept = advance(model, texts, None, 2)
    for row in range(len(texts)):
        ids = torch.tensor([texts.texts[row].inputs])
        alone = model.network(ids, output_hidden_states=True, use_cache=False).hidden_states[2]
        ours = kept.flat[kept.starts[row] : kept.starts[row + 1]]
        assert torch.allclose(ours, alone[0], atol=1e-5)


def test_going_on_from_a_layer_is_going_from_the_start(
    model: LanguageModel, texts: TokenTable
) -> None:
    direct = advance(model, texts, None, 3)
    in_steps = advance(model, texts, advance(model, texts, None, 1), 3)
    assert torch.allclose(direct.flat, in_steps.flat, atol=1e-6)
    assert in_steps.layer == 3


def test_beyond_the_memory_limit_states_lie_on_disk_and_are_the_same(
    model: LanguageModel, texts: TokenTable
) -> None:
    in_memory = advance(model, texts, None, 2)
    on_disk = advance(model, texts, None, 2, memory_limit=1)
    assert (in_memory.on_disk, on_disk.on_disk) == (False, True)
    assert torch.equal(in_memory.flat, on_disk.flat)
    rows = [4, 0, 7]
    assert torch.equal(
        in_memory.padded(rows, model.device)[2, :9], on_disk.padded(rows, model.device)[2, :9]
    )


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_every_architecture_is_found_fit_when_it_is_loaded(
    make_model: Callable[..., LanguageModel], name: str
) -> None:
    model = make_model(name)
    assert model.states_kept, model.fallback
    assert model.returns == (2 if name == "GPT-J" else model.returns)


def test_a_model_that_cannot_start_in_the_middle_falls_back_and_says_why(
    model: LanguageModel,
) -> None:
    notes: list[torch.Tensor] = []
    first, last = model.layers[0], model.layers[3]
    plain_first, plain_last = first.forward, last.forward

    def noting(hidden_states: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
        notes.append(hidden_states.mean())
        states: torch.Tensor = plain_first(hidden_states, *args, **kwargs)
        return states

    def reading(hidden_states: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
        moved = hidden_states + sum(notes, torch.tensor(5.0))
        states: torch.Tensor = plain_last(moved, *args, **kwargs)
        return states

    model.network.register_forward_pre_hook(lambda *_: notes.clear())
    first.forward, last.forward = noting, reading
    returns, reason = check_states(model)
    assert "changes the logits" in reason
    assert returns == 0
