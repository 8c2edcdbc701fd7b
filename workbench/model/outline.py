"""A network and its layers: how large it is, which weights it has, where to tune it first.

All that is asked here is asked of shapes and names, so that a network without its weights, on no
device, answers as well as one that is in memory. Knows nothing about tokens.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from workbench.model.experts import expert_part, expert_total, split_part
from workbench.model.layers import LayerList, LocationInfo
from workbench.model.location import Location
from workbench.model.placement import LayerSizes
from workbench.model.places import Places
from workbench.model.presets import (
    ModelShape,
    Preset,
    early_layers,
    find_preset,
    late_layers,
    layers_around,
)

__all__ = ["Outline"]


@dataclass
class Outline:
    """A decoder's network, with its weights or without them.

    Args:
        name: ``builtin``, a hub id, or a folder.
        network: the Hugging Face model.
        layers: its decoder layers.
    """

    name: str
    network: PreTrainedModel
    layers: LayerList

    @property
    def device(self) -> torch.device:
        """Where the model works: where its embedding is, wherever each of its layers lives."""
        device: torch.device = self.network.get_input_embeddings().weight.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the model's layers."""
        return next(self.layers.modules.parameters()).dtype

    @property
    def layer_count(self) -> int:
        """How many decoder layers there are."""
        return len(self.layers)

    @property
    def parameters(self) -> int:
        """How many weights the model has, tied ones counted once."""
        return sum(p.numel() for p in self.network.parameters())

    @property
    def memory_bytes(self) -> int:
        """Bytes that the model's weights take."""
        return sum(p.numel() * p.element_size() for p in self.network.parameters())

    @property
    def layer_sizes(self) -> LayerSizes:
        """What its layers and all else take; what layers share counts in the first of them."""
        each, seen = [], set[int]()
        for module in self.layers.modules:
            own = {id(p): p for p in module.parameters() if id(p) not in seen}
            seen |= set(own)
            each.append(sum(p.numel() * p.element_size() for p in own.values()))
        return LayerSizes(tuple(each), self.memory_bytes - sum(each))

    @property
    def text_config(self) -> Any:
        """The part of its config that is about text."""
        return self.network.config.get_text_config()

    @property
    def shape(self) -> ModelShape:
        """What tells this model apart from others."""
        config, embedding = self.text_config, self.network.get_input_embeddings()
        width, tokens = embedding.weight.shape[-1], embedding.weight.shape[0]
        return ModelShape(
            str(self.network.config.model_type),
            self.layer_count,
            int(getattr(config, "hidden_size", width)),
            int(getattr(config, "vocab_size", tokens)),
        )

    @property
    def preset(self) -> Preset:
        """The best-founded start for this model."""
        found = find_preset(self.name, self.shape, self.layers.places())
        early, late = early_layers(self.layer_count), late_layers(self.layer_count)
        return replace(found, around=self._around(found.at), early=early, late=late)

    def _around(self, at: tuple[str, ...]) -> tuple[str, ...]:
        """A matrix with the same one in the layers after it."""
        first = Location.parse(at[0])
        having = self.places.having(first.module)
        if len(at) > 1 or not first.module or first.layer not in having:
            return ()
        return tuple(
            str(replace(first, layer=layer)) for layer in layers_around(first.layer, having)
        )

    @property
    def places(self) -> Places:
        """Which matrices and experts there are in which layers."""
        return Places(self.layer_count, self.layers.places(), self.layers.stacks())

    def locations(self) -> list[LocationInfo]:
        """Every weight that can be tuned, layer by layer."""
        return self.layers.locations()

    def weights_at(self, locations: tuple[Location, ...]) -> dict[str, torch.Tensor]:
        """The weights that tuning at these locations changes, by full name.

        One of several stacked experts is a view into their tensor (see `tensor`).

        Raises:
            LocationError: a location is not in this model.
        """
        found: dict[str, torch.Tensor] = {}
        for location in locations:
            found |= self.layers.weights_at(location)
        return found

    def parameter_of(self, name: str) -> nn.Parameter:
        """The parameter that holds a tensor: itself, or the stack that an expert's part is in.

        Raises:
            AttributeError: there is none.
        """
        parameter: nn.Parameter = self.network.get_parameter(split_part(name)[0])
        return parameter

    def part(self, name: str, whole: torch.Tensor) -> torch.Tensor:
        """What a name means of its parameter, or of another tensor of that shape, as a view.

        Raises:
            IndexError: there is no such expert.
        """
        stack, expert = split_part(name)
        if expert is None:
            return whole
        owner = self.network.get_submodule(stack.rpartition(".")[0])
        if expert >= expert_total(owner):
            raise IndexError(name)
        return expert_part(owner, whole, expert)

    def tensor(self, name: str) -> torch.Tensor:
        """The values of a parameter, or, as a view, of one expert's part of a stacked one.

        Args:
            name: such as ``model.layers.3.mlp.experts.down_proj[7]``.

        Raises:
            AttributeError, IndexError: there is none.
        """
        return self.part(name, self.parameter_of(name).detach())

    def find_tensor(self, name: str) -> torch.Tensor | None:
        """As `tensor`; None where there is none of that name."""
        try:
            return self.tensor(name)
        except (AttributeError, IndexError):
            return None
