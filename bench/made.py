"""A model larger than its device whose weights are made as they are needed, from a seed each.

Nothing is fetched and nothing lies on a disk: where only time and memory are measured, any numbers
do. A layer that is read twice has the same weights.
"""

import zlib
from collections.abc import Iterable

import torch
from transformers import AutoModelForCausalLM

from bench.subjects import SHAPES, word_tokenizer
from workbench.model.language_model import LanguageModel
from workbench.model.layer_store import LayerStore, OnDisk
from workbench.model.layers import find_layers
from workbench.model.loading.offload import layer_store
from workbench.model.outline import Outline
from workbench.model.placement import Placement
from workbench.model.states import check_states
from workbench.model.stream import LayerStream

__all__ = ["made_model"]

SPREAD = 0.02  # standard deviation of a weight


class _MadeStore(LayerStore):
    """Makes weights where others are read from files."""

    def __init__(self, like: LayerStore, shapes: dict[str, torch.Size]) -> None:
        super().__init__(like._places, like._dtypes, like._device)
        self._shapes = shapes

    def _from_files(self, names: Iterable[str]) -> dict[str, torch.Tensor]:
        return {
            name: _numbers(name, self._shapes[name], self._dtypes[name], self._device)
            for name in names
        }


def _numbers(
    name: str, shape: torch.Size, dtype: torch.dtype, device: torch.device
) -> torch.Tensor:
    if len(shape) == 1:
        return torch.ones(shape, dtype=dtype, device=device)
    chance = torch.Generator(device).manual_seed(zlib.crc32(name.encode()))
    return torch.empty(shape, dtype=dtype, device=device).normal_(0, SPREAD, generator=chance)


@torch.no_grad()
def made_model(shape: str, device: torch.device, stays_from: int) -> LanguageModel:
    """A model of a shape, in bfloat16.

    Args:
        shape: one of `SHAPES`.
        device: where it works.
        stays_from: the first layer that stays there; those below are made as they are needed.
    """
    config = SHAPES[shape]
    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).eval()
    network.requires_grad_(False)
    found = find_layers(network, config.num_hidden_layers)
    where = ["disk" if n < stays_from else "device" for n in range(len(found))]
    sizes = Outline(shape, network, found).layer_sizes
    placement = Placement(tuple(where), str(device), sizes, ahead=True)  # type: ignore[arg-type]
    names = dict(network.named_parameters())
    shapes = {name: weight.shape for name, weight in names.items()}
    places = {name: OnDisk("", name) for name in names}
    store = _MadeStore(layer_store(network, found, placement, places), shapes)
    for name, weight in names.items():
        owner, attribute = network.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2]
        if getattr(owner, attribute).device.type == "meta":
            made = _numbers(name, weight.shape, weight.dtype, device)
            setattr(owner, attribute, torch.nn.Parameter(made, requires_grad=False))
    rotary = network.model.rotary_emb
    with device:
        network.model.rotary_emb = type(rotary)(config)
    stream = LayerStream(found, placement, store)
    model = LanguageModel(shape, network, found, word_tokenizer(config.vocab_size), stream=stream)
    model.returns, model.fallback = check_states(model)
    return model
