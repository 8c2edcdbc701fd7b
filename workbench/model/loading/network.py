"""A network without its weights: whether it can be made, fits in memory, and fits its files.

It is made on no device, so nothing is taken however large its config says it is.
"""

from typing import cast

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from workbench.errors import MemoryShortage, ModelError
from workbench.model.loading.config import ModelConfig
from workbench.model.loading.errors import explained
from workbench.model.loading.source import Source
from workbench.model.loading.tensors import Stored
from workbench.model.memory import free_memory, readable_size

__all__ = ["does_not_fit", "empty_network", "misfit", "require_memory"]


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


def require_memory(
    source: Source,
    empty: PreTrainedModel,
    stored: Stored | None,
    device: torch.device,
    dtype: torch.dtype,
) -> None:
    """Refuses a model that does not fit.

    Args:
        source: where it comes from.
        empty: its network.
        stored: what its files hold, where that is known: a network that is larger than they are
            is a mistake in the config.
        device: where it is to be.
        dtype: its dtype there.

    Raises:
        MemoryShortage: it needs more than is free.
        ModelError: it would, because its config does not fit its files.
    """
    needed = sum(p.numel() for p in empty.parameters()) * dtype.itemsize
    needed += sum(b.numel() * b.element_size() for b in empty.buffers())
    free = free_memory(device)
    if needed <= free:
        return
    if stored is not None and (wrong := misfit(empty, stored)):
        raise does_not_fit(source, wrong)
    raise MemoryShortage(
        f"'{source.name}' needs {readable_size(needed)} in {str(dtype).removeprefix('torch.')},"
        f" but {device} has {readable_size(free)} free. Choose a smaller model, a smaller "
        "dtype, or another device."
    )


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
