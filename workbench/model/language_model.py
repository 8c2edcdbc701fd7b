"""A base model in memory, ready for editing.

Invariants: the base never changes; other weights are swapped in for the length of a block and
taken out again. All weights are frozen, and the model stays in eval mode, because hidden states
are kept and dropout would make them wrong. Knows nothing about where models come from.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from workbench.errors import ModelError
from workbench.model.answering import Answering
from workbench.model.experts import expert_part, expert_total, split_part
from workbench.model.hashing import tensor_hash
from workbench.model.layers import LayerList, LocationInfo
from workbench.model.location import Location
from workbench.model.places import Places
from workbench.model.presets import ModelShape, Preset, find_preset, layers_around
from workbench.model.shipped import Shipped
from workbench.model.summary import ModelSummary

__all__ = ["LanguageModel"]


@dataclass
class LanguageModel:
    """A base model in memory, its tokenizer, and what editing needs to know of it.

    Args:
        name: ``builtin``, a hub id, or a folder.
        network: the Hugging Face model, frozen, in eval mode.
        tokenizer: its tokenizer, unchanged.
        layers: its decoder layers.
        shipped: the settings that came with it, as they were.
        returns: how many items a layer returns; 0 for a bare tensor.
        fallback: why hidden states cannot be kept; empty when they can.
        origin: what its weights were made from, such as a GGUF file's type; empty when they were
            read as they are kept.
        notices: what people must know of how it was read from its files.
        answering: what may be used when it answers.
    """

    name: str
    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    layers: LayerList
    shipped: Shipped = field(default_factory=Shipped)
    returns: int = 0
    fallback: str = ""
    origin: str = ""
    notices: tuple[str, ...] = ()
    answering: Answering = field(default_factory=Answering)
    _hashes: dict[str, str] = field(default_factory=dict, repr=False)
    _swapped: bool = field(default=False, repr=False)

    @property
    def device(self) -> torch.device:
        """Where the model's layers are."""
        return next(self.layers.modules.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the model's layers."""
        return next(self.layers.modules.parameters()).dtype

    @property
    def is_whole(self) -> bool:
        """Whether the weights are in memory; an export that failed may have taken them out."""
        return all(parameter.numel() for parameter in self.network.parameters())

    @property
    def states_kept(self) -> bool:
        """Whether the hidden states below a tuned layer can be kept (checked when loading)."""
        return not self.fallback

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
    def longest(self) -> int | None:
        """Most tokens that the model reads, or None when its config does not say."""
        value = getattr(self._text_config, "max_position_embeddings", None)
        return int(value) if isinstance(value, int) and value > 0 else None

    @property
    def _text_config(self) -> Any:
        return self.network.config.get_text_config()

    @property
    def shape(self) -> ModelShape:
        """What tells this model apart from others."""
        config, embedding = self._text_config, self.network.get_input_embeddings()
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
        chat = bool(getattr(self.tokenizer, "chat_template", None))
        return replace(found, chat=chat, around=self._around(found.at))

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

    def base_hash(self, name: str) -> str:
        """The hash of one of the base's tensors; computed once, since the base never changes."""
        if name not in self._hashes:
            if self._swapped:
                raise RuntimeError("hashes of the base are taken while no other weights are in it")
            self._hashes[name] = tensor_hash(self.tensor(name))
        return self._hashes[name]

    @contextmanager
    def with_weights(self, weights: Mapping[str, torch.Tensor]) -> Iterator[None]:
        """The model with other values for some of its tensors.

        Whole tensors are swapped in without copying; an expert's part is written into the tensor
        that it shares with the others.

        Invariant: after the block the base is what it was, to the bit: its own values were only
        set aside.

        Args:
            weights: new tensors by full name (see `tensor`), of their shape, dtype, device.

        Raises:
            ModelError: other weights are in the model already.
        """
        if self._swapped:
            raise ModelError(
                "Another patch is applied to this model. Leave its 'with' block first."
            )
        parts = {name for name in weights if split_part(name)[1] is not None}
        base = {n: self.tensor(n).clone() if n in parts else self.tensor(n) for n in weights}
        self._swapped = True
        try:
            self._put(weights, parts)
            yield
        finally:
            # An export that failed may have taken the weights out of memory.
            if self.is_whole:
                self._put(base, parts)
            self._swapped = False

    @torch.no_grad()
    def _put(self, weights: Mapping[str, torch.Tensor], parts: set[str]) -> None:
        for name, tensor in weights.items():
            if name in parts:
                self.tensor(name).copy_(tensor)
            else:
                self.network.get_parameter(name).data = tensor

    def summary(self) -> ModelSummary:
        """What people want to know of the model."""
        return ModelSummary(
            name=self.name,
            architecture=type(self.network).__name__,
            layers=self.layer_count,
            hidden_size=self.shape.hidden_size,
            parameters=self.parameters,
            memory_bytes=self.memory_bytes,
            device=str(self.device),
            dtype=str(self.dtype).removeprefix("torch."),
            states_kept=self.states_kept,
            fallback=self.fallback,
            matrices=self.layers.matrices(),
            chat=bool(getattr(self.tokenizer, "chat_template", None)),
            preset=self.preset,
            origin=self.origin,
            notices=self.notices,
            answering=self.answering.fallback,
            places=self.places,
        )
