"""A network without its weights: whether it can be made, what of it fits, and fits its files.

It is made on no device, so nothing is taken however large its config says it is.
"""

from typing import cast

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from workbench.errors import MemoryShortage, ModelError
from workbench.model.layers import find_layers
from workbench.model.loading.config import ModelConfig
from workbench.model.loading.errors import explained
from workbench.model.loading.source import Source
from workbench.model.loading.tensors import Stored
from workbench.model.memory import free_main_memory, free_memory, readable_size
from workbench.model.outline import Outline
from workbench.model.placement import LayerSizes, Placement, place_layers, weights_budget

__all__ = ["does_not_fit", "empty_network", "misfit", "placed"]

MAIN_SHARE = 0.5
"""The share of free main memory that layers may take which are not on the device."""


def empty_network(source: Source, config: ModelConfig) -> PreTrainedModel:
    """The network without its weights, on no device.

    Raises:
        ModelError: the config is of no network that can be made.
    """
    with torch.device("meta"):
        try:
            network = AutoModelForCausalLM.from_config(
                config.config, trust_remote_code=source.trust_remote_code
            )
        except Exception as error:
            raise explained(source, error, config.written) from error
    return cast(PreTrainedModel, network)


def placed(
    source: Source,
    config: ModelConfig,
    empty: PreTrainedModel,
    stored: Stored | None,
    device: torch.device,
    dtype: torch.dtype,
    memory: int | None = None,
) -> tuple[Placement, str] | None:
    """Where each layer of a model will live that is not to be on its device as a whole.

    Args:
        source: where it comes from.
        config: its config.
        empty: its network.
        stored: what its files hold, where that is known: a network that is larger than they are
            is a mistake in the config.
        device: where it is to be.
        dtype: its dtype there.
        memory: bytes that the device may hold; None for what is free.

    Returns:
        The placement and the dotted path of the list of layers; None for a model that fits.

    Raises:
        MemoryShortage: not even one layer fits beside its embedding, or its files cannot be read
            layer by layer.
        ModelError: it would, because its config does not fit its files.
    """
    buffers = sum(b.numel() * b.element_size() for b in empty.buffers())
    total = sum(p.numel() for p in empty.parameters()) * dtype.itemsize + buffers
    free = free_memory(device)
    budget = weights_budget(memory, total, free, on_cpu=device.type == "cpu")
    if total <= budget:
        return None
    if stored is not None and (wrong := misfit(empty, stored)):
        raise does_not_fit(source, wrong)
    limit = f"{device} has {readable_size(free)} free"
    if memory is not None:
        limit = f"its weights may take {readable_size(budget)}"
    if source.gguf is not None:
        raise MemoryShortage(
            f"'{source.name}' needs {readable_size(total)} in "
            f"{str(dtype).removeprefix('torch.')}, but {limit}, and a GGUF file is not read layer "
            "by layer. Allow more memory, choose a smaller dtype or another device, or take the "
            "model's safetensors."
        )
    outline = Outline(source.name, empty.to(dtype), find_layers(empty, config.layers))
    sizes = outline.layer_sizes
    sizes = LayerSizes(sizes.layers, sizes.rest + buffers)
    spare = 0 if device.type == "cpu" else int(free_main_memory() * MAIN_SHARE)
    limit = limit[0].upper() + limit[1:]
    found = place_layers(source.name, sizes, str(device), budget, limit=limit, main_memory=spare)
    return found, outline.layers.name


def misfit(empty: PreTrainedModel, stored: Stored) -> str:
    """The first weight whose shape in the files is not the network's; empty when there is none."""
    for name, weight in empty.state_dict().items():
        found = stored.get(name)
        if found is not None and found.shape != tuple(weight.shape):
            wanted = " x ".join(map(str, weight.shape))
            return f"{name} is {' x '.join(map(str, found.shape))} there and {wanted} by the config"
    return ""


def does_not_fit(source: Source, wrong: str) -> ModelError:
    return ModelError(
        f"The config.json of '{source.name}' does not fit its weight files: {wrong}. Fetch or "
        "save the model again, with the config that belongs to it."
    )
