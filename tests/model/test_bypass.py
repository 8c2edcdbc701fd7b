"""Starting at layer k is the full forward, to the last bit, for every architecture."""

import pytest
import torch

from tests.conftest import ARCHITECTURES, tiny_network
from workbench.model.bypass import bypass, capture, head_only_where, returned_items
from workbench.model.layers import LayerList, find_layers


def padded_inputs(side: str) -> dict[str, torch.Tensor]:
    ids = (torch.arange(30).view(3, 10) * 11 + 5) % 250
    mask = torch.ones_like(ids)
    for row, padding in enumerate((0, 3, 5)):
        mask[row, :padding] = 0
    if side == "right":
        mask = mask.flip(1)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    return {"input_ids": ids, "attention_mask": mask, "position_ids": positions}


def logits_and_gradient(
    network: torch.nn.Module, layers: LayerList, layer: int, inputs: dict[str, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    weights = layers.weights_at(layers.locations()[-1].location)
    weight = next(iter(weights.values()))
    network.requires_grad_(False)
    weight.requires_grad_(True)
    logits = network(**inputs, use_cache=False).logits
    real = inputs["attention_mask"].bool()
    logits[real].logsumexp(-1).sum().backward()
    gradient = weight.grad
    assert gradient is not None
    weight.grad = None
    return logits[real].detach(), gradient


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_logits_and_gradients_are_equal_to_the_bit(name: str, side: str) -> None:
    network = tiny_network(name)
    layers = find_layers(network, 4)
    inputs = padded_inputs(side)
    returns = returned_items(layers, lambda: network(**inputs, use_cache=False))
    full, full_gradient = logits_and_gradient(network, layers, 3, inputs)
    for layer in (1, 2, 3):
        with torch.no_grad():
            states = capture(layers, layer, lambda: network(**inputs, use_cache=False))
        with bypass(layers, layer, returns) as feed:
            feed.states = states
            again, gradient = logits_and_gradient(network, layers, layer, inputs)
        assert torch.equal(again, full)
        assert torch.equal(gradient, full_gradient)


def test_the_model_is_its_old_self_after_a_block_even_after_an_error() -> None:
    network = tiny_network("Llama")
    layers = find_layers(network, 4)
    ids = torch.arange(8).view(1, 8)
    before = network(ids, use_cache=False).logits
    with pytest.raises(RuntimeError, match="stop"), bypass(layers, 2, 0):
        raise RuntimeError("stop")
    assert torch.equal(network(ids, use_cache=False).logits, before)
    assert all("forward" not in layer.__dict__ for layer in layers.modules)


def test_a_forward_that_another_library_put_on_a_layer_comes_back() -> None:
    network = tiny_network("Llama")
    layers = find_layers(network, 4)
    own = layers[0].forward
    layers[0].forward = own
    with bypass(layers, 2, 0):
        assert layers[0].forward is not own
    assert layers[0].__dict__["forward"] is own


def test_logits_are_computed_only_at_the_places_asked_for() -> None:
    network = tiny_network("Gemma 2")
    ids = torch.arange(16).view(2, 8)
    places = torch.zeros(2, 8, dtype=torch.bool)
    places[0, 3] = places[1, 5] = places[1, 7] = True
    full = network(ids, use_cache=False).logits
    with head_only_where(network.get_output_embeddings(), places):
        some = network(ids, use_cache=False).logits
    assert some.shape == (3, full.shape[-1])
    assert torch.allclose(some, full[places], atol=1e-6)
