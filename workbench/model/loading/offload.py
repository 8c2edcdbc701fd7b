"""A network of which some layers are left on disk, as transformers leaves them there.

Transformers finds each weight in the checkpoint's files, under whatever name, and writes anew only
those that it keeps otherwise than the files do. That is taken over; what accelerate does to bring
such weights in is taken off again. Knows nothing about when a layer is needed.
"""

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import finalize

import torch
from accelerate.hooks import remove_hook_from_submodules
from torch import nn
from transformers import PreTrainedModel

from workbench.errors import ModelError
from workbench.model.layer_store import LayerStore, OnDisk
from workbench.model.layers import LayerList
from workbench.model.placement import Placement
from workbench.model.stream import LayerStream, stand_in

__all__ = ["Where", "layer_store", "left_on_disk", "streamed"]


@dataclass(frozen=True, slots=True)
class Where:
    """Where the parts of a network are to be.

    Args:
        placement: where each layer lives.
        layers: dotted path of the list of layers.
        folder: takes the weights that the files keep otherwise than the network does.
    """

    placement: Placement
    layers: str
    folder: Path

    @classmethod
    def of(cls, placement: Placement, layers: str) -> "Where":
        """With a folder of its own, which goes with the process at the latest."""
        folder = Path(tempfile.mkdtemp(prefix="workbench-layers-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return cls(placement, layers, folder)

    def options(self, network: nn.Module) -> dict[str, Any]:
        """What ``from_pretrained`` is called with.

        Args:
            network: without its weights.
        """
        found: dict[str, str] = {}
        owner, path = network, ""
        for step in self.layers.split("."):
            # All that stands beside the list on the way down to it; accelerate would move a module
            # that holds it as a whole.
            beside = [name for name, _ in owner.named_children() if name != step]
            beside += [name for name, _ in owner.named_parameters(recurse=False)]
            beside += [name for name, _ in owner.named_buffers(recurse=False)]
            found |= {f"{path}{name}": self.placement.device for name in beside}
            owner, path = owner.get_submodule(step), f"{path}{step}."
        for layer, where in enumerate(self.placement.layers):
            found[f"{path}{layer}"] = self.placement.device if where == "device" else "disk"
        return {"device_map": found, "offload_folder": str(self.folder)}


def streamed(network: PreTrainedModel, where: Where) -> tuple[LayerList, LayerStream]:
    """The layers of a network that was loaded so, and what brings in those that were left.

    Raises:
        ModelError: of a weight it is not known where it lies.
    """
    modules = network.get_submodule(where.layers)
    assert isinstance(modules, nn.ModuleList)
    layers = LayerList(where.layers, modules)
    store = layer_store(network, layers, where.placement, left_on_disk(network))
    stream = LayerStream(layers, where.placement, store)
    finalize(stream, shutil.rmtree, where.folder, ignore_errors=True)
    return layers, stream


def left_on_disk(network: PreTrainedModel) -> dict[str, OnDisk]:
    """Where the weights lie that were left on disk, by their names in the network.

    What brings them in is taken off the network.
    """
    index: dict[str, Mapping[str, Any]] = {}
    for module in network.modules():
        for hook in _hooks(module):
            weights = getattr(hook, "weights_map", None)
            whole = getattr(weights, "dataset", weights)
            index |= getattr(whole, "index", None) or {}
    remove_hook_from_submodules(network)
    for name in ("hf_device_map", "to", "cuda", "npu", "xpu", "mlu", "sdaa", "musa"):
        network.__dict__.pop(name, None)
    return {
        name: OnDisk(str(place["safetensors_file"]), str(place.get("weight_name", name)))
        for name, place in index.items()
    }


def _hooks(module: nn.Module) -> Iterator[Any]:
    hook = getattr(module, "_hf_hook", None)
    if hook is not None:
        yield from getattr(hook, "hooks", (hook,))


def layer_store(
    network: nn.Module, layers: LayerList, placement: Placement, places: Mapping[str, OnDisk]
) -> LayerStore:
    """What reads the layers that are not on the device, which get stand-ins for their weights.

    Args:
        network: whose parameters in these layers are on no device.
        layers: its layers.
        placement: which ones are not on the device.
        places: where their weights lie.

    Raises:
        ModelError: of a weight it is not known where it lies.
    """
    device = torch.device(placement.device)
    dtypes: dict[str, torch.dtype] = {}
    stand_ins: dict[int, nn.Parameter] = {}
    for layer in placement.streamed:
        for name, parameter in list(layers[layer].named_parameters()):
            full = f"{layers.name}.{layer}.{name}"
            if full not in places:
                raise ModelError(
                    f"It is not known in which file {full} lies, so that this model cannot be read "
                    "layer by layer. Choose a device that holds it as a whole."
                )
            dtypes[full] = parameter.dtype
            if id(parameter) not in stand_ins:
                stand_ins[id(parameter)] = nn.Parameter(stand_in(parameter, device), False)
            owner = network.get_submodule(full.rpartition(".")[0])
            setattr(owner, full.rpartition(".")[2], stand_ins[id(parameter)])
    store = LayerStore({name: places[name] for name in dtypes}, dtypes, device)
    in_memory = [n for n, where in enumerate(placement.layers) if where == "memory"]
    for layer in in_memory:
        prefix = f"{layers.name}.{layer}."
        store.keep_in_memory(name for name in dtypes if name.startswith(prefix))
    return store
