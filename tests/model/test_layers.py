"""Locations: found in any decoder, matched exactly."""

from collections.abc import Callable

import pytest
from torch import nn

from tests.conftest import tiny_network
from workbench.errors import LocationError, ModelError
from workbench.model.language_model import LanguageModel
from workbench.model.layers import find_layers
from workbench.model.location import Location


def many_layers(count: int) -> nn.Module:
    network = nn.Module()
    network.layers = nn.ModuleList(
        nn.ModuleDict({"down": nn.Linear(3, 2), "down_proj": nn.Linear(2, 2)}) for _ in range(count)
    )
    return network


def test_layer_2_is_not_layer_20_and_down_is_not_down_proj() -> None:
    layers = find_layers(many_layers(30), 30)
    assert list(layers.weights_at(Location(2, "down"))) == ["layers.2.down.weight"]


def test_a_matrix_is_tuned_without_its_bias_and_a_block_with_everything() -> None:
    layers = find_layers(tiny_network("GPT-2"), 4)
    assert list(layers.weights_at(Location(1, "mlp.c_proj"))) == [
        "transformer.h.1.mlp.c_proj.weight"
    ]
    assert set(layers.weights_at(Location(1, "mlp"))) == {
        f"transformer.h.1.mlp.{name}"
        for name in ("c_fc.weight", "c_fc.bias", "c_proj.weight", "c_proj.bias")
    }
    assert "transformer.h.1.ln_1.weight" in layers.weights_at(Location(1))


def test_stacked_experts_can_be_tuned_too() -> None:
    layers = find_layers(tiny_network("Qwen3-MoE"), 4)
    (expert,) = layers.weights_at(Location(0, "mlp.experts.down_proj")).values()
    assert expert.ndim == 3


def test_every_matrix_of_every_layer_is_listed_once(model: LanguageModel) -> None:
    listed = [str(info.location) for info in model.locations()]
    assert len(listed) == len(set(listed)) == 4 * 7
    assert listed[6] == "0.mlp.down_proj"
    assert model.locations()[6].weights == 32 * 64


@pytest.mark.parametrize(
    "location", [Location(4), Location(0, "mlp.down"), Location(0, "weight"), Location(0, "mlp.x")]
)
def test_a_location_that_is_not_there_is_refused(
    make_model: Callable[..., LanguageModel], location: Location
) -> None:
    with pytest.raises(LocationError, match=str(location)):
        make_model().weights_at((location,))


def test_a_model_without_layers_is_refused() -> None:
    with pytest.raises(ModelError, match="No list of decoder layers"):
        find_layers(nn.Linear(2, 2), None)
