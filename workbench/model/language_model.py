"""A base model in memory, ready for editing.

Invariants: the base never changes; other weights are swapped in for the length of a block and
taken out again. All weights are frozen, and the model stays in eval mode, because hidden states
are kept and dropout would make them wrong. Knows nothing about where models come from.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from transformers import PreTrainedTokenizerBase

from workbench.errors import ModelError
from workbench.model.answering import Answering
from workbench.model.context import Context
from workbench.model.experts import split_part
from workbench.model.hashing import tensor_hash
from workbench.model.outline import Outline
from workbench.model.placement import Placement, everything_on
from workbench.model.presets import Preset
from workbench.model.shipped import Shipped
from workbench.model.stream import LayerStream
from workbench.model.summary import ModelSummary

__all__ = ["LanguageModel"]


@dataclass
class LanguageModel(Outline):
    """A base model in memory, its tokenizer, and what editing needs to know of it.

    Args:
        name: ``builtin``, a hub id, or a folder.
        network: the Hugging Face model, frozen, in eval mode.
        layers: its decoder layers.
        tokenizer: its tokenizer, unchanged.
        shipped: the settings that came with it, as they were.
        returns: how many items a layer returns; 0 for a bare tensor.
        fallback: why hidden states cannot be kept; empty when they can.
        origin: what its weights were made from, such as a GGUF file's type; empty when they were
            read as they are kept.
        notices: what people must know of how it was read from its files.
        answering: what may be used when it answers.
        stream: what brings in the layers that do not stay on the device; None where all stay.
        pass_seconds: what a pass takes then; 0 where all stay.
        context: what stands before prompts just now, see `with_weights`; None for nothing.
    """

    tokenizer: PreTrainedTokenizerBase
    shipped: Shipped = field(default_factory=Shipped)
    returns: int = 0
    fallback: str = ""
    origin: str = ""
    notices: tuple[str, ...] = ()
    answering: Answering = field(default_factory=Answering)
    stream: LayerStream | None = None
    pass_seconds: float = 0.0
    context: Context | None = field(default=None, repr=False)
    _hashes: dict[str, str] = field(default_factory=dict, repr=False)
    _swapped: bool = field(default=False, repr=False)
    _standing: Mapping[str, torch.Tensor] = field(default_factory=dict, repr=False)
    _set_aside: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)
    _base_hashes: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether the weights are in memory; an export that failed may have taken them out."""
        return all(parameter.numel() for parameter in self.network.parameters())

    @property
    def states_kept(self) -> bool:
        """Whether the hidden states below a tuned layer can be kept (checked when loading)."""
        return not self.fallback

    @property
    def longest(self) -> int | None:
        """Most tokens that the model reads, or None when its config does not say."""
        value = getattr(self.text_config, "max_position_embeddings", None)
        return int(value) if isinstance(value, int) and value > 0 else None

    @property
    def preset(self) -> Preset:
        """The best-founded start for this model."""
        chat = bool(getattr(self.tokenizer, "chat_template", None))
        return replace(super().preset, chat=chat)

    @property
    def placement(self) -> Placement:
        """Where each layer lives."""
        if self.stream is not None:
            return self.stream.placement
        return everything_on(str(self.device), self.layer_sizes)

    @property
    def held_bytes(self) -> int:
        """Bytes of weights that are on the device just now; stand-ins take none."""
        storages = (weight.untyped_storage() for weight in self.network.parameters())
        return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())

    def tensor(self, name: str) -> torch.Tensor:
        """The values of a parameter, read from its file where its layer is not on the device.

        Args:
            name: see `Outline.tensor`.

        Raises:
            AttributeError, IndexError: there is none.
        """
        stack = split_part(name)[0]
        if self.stream is not None and self.stream.is_absent(stack):
            return self.part(name, self.stream.tensor(stack))
        return super().tensor(name)

    def base_hash(self, name: str) -> str:
        """The hash of one of the base's tensors; computed once, since the base never changes."""
        if name not in self._hashes:
            if self._swapped:
                raise RuntimeError("hashes of the base are taken while no other weights are in it")
            self._hashes[name] = tensor_hash(self.tensor(name))
        return self._hashes[name]

    @contextmanager
    def with_weights(
        self, weights: Mapping[str, torch.Tensor], context: Context | None = None
    ) -> Iterator[None]:
        """The model with other values for some of its tensors, or with facts before its prompts.

        Whole tensors are swapped in without copying; an expert's part is written into the tensor
        that it shares with the others.

        Invariant: after the block the base is what it was, to the bit: its own values were only
        set aside.

        Args:
            weights: new tensors by full name (see `tensor`), of their shape, dtype, device.
            context: what stands before whatever the model reads.

        Raises:
            ModelError: other weights are in the model already.
        """
        if self._swapped:
            raise ModelError(
                "Another patch is applied to this model. Leave its 'with' block first."
            )
        self._swapped, self.context = True, context
        try:
            with self._swapping(weights):
                yield
        finally:
            self._swapped, self.context = False, None

    @contextmanager
    def standing_on(self, weights: Mapping[str, torch.Tensor]) -> Iterator[None]:
        """The model as an edit left it, in the place of the base: others are swapped in on top.

        Invariant: after the block the base is what it was, to the bit; hashes taken in it are those
        of what stands there.

        Args:
            weights: as for `with_weights`.

        Raises:
            ModelError: other weights are in the model already.
        """
        if self._swapped or self._standing:
            raise ModelError(
                "Another patch is applied to this model. Leave its 'with' block first."
            )
        with self._swapping(weights) as aside:
            self._standing, self._set_aside = dict(weights), aside
            changed, self._base_hashes = self._stacks_standing, self._hashes
            self._hashes = {
                name: one
                for name, one in self._hashes.items()
                if split_part(name)[0] not in changed
            }
            try:
                yield
            finally:
                self._standing, self._set_aside = {}, {}
                self._hashes = self._base_hashes

    @contextmanager
    def unedited(self) -> Iterator[None]:
        """The base itself, inside of `standing_on`; elsewhere nothing changes."""
        if not self._standing:
            yield
            return
        standing, aside, hashes = self._standing, self._set_aside, self._hashes
        self._standing, self._hashes = {}, self._base_hashes
        with self._swapping(aside):
            try:
                yield
            finally:
                self._standing, self._hashes = standing, hashes

    @property
    def edition(self) -> dict[str, str]:
        """Hashes of what stands in the base's place, by name; empty where the base is itself."""
        return {name: self.base_hash(name) for name in sorted(self._standing)}

    @property
    def _stacks_standing(self) -> set[str]:
        """The tensors, whole or in part, that stand in the base's place."""
        return {split_part(name)[0] for name in self._standing}

    @contextmanager
    def _swapping(self, weights: Mapping[str, torch.Tensor]) -> Iterator[dict[str, torch.Tensor]]:
        """The block in which other values stand; gives those that are set aside."""
        whole, parts = self._whole_and_parts(weights)
        base = {name: self.network.get_parameter(name).data for name in whole}
        own = {name: self.tensor(name).clone() for name in parts}
        try:
            self._put(whole, parts)
            yield base | own
        finally:
            # An export that failed may have taken the weights out of memory.
            if self.is_whole:
                self._put(base, own)
                if self.stream is not None:
                    self.stream.settle(base.keys() - self._stacks_standing)

    def _whole_and_parts(
        self, weights: Mapping[str, torch.Tensor]
    ) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Tensors that are put in place of others, and parts that are written into one.

        A part of a stack that is not on the device is written into a copy, which is put in place.
        """
        whole: dict[str, torch.Tensor] = {}
        parts: dict[str, torch.Tensor] = {}
        for name, tensor in weights.items():
            stack, expert = split_part(name)
            if expert is None:
                whole[name] = tensor
            elif self.stream is None or not self.stream.has(stack):
                parts[name] = tensor
            else:
                if stack not in whole:
                    standing = stack in self._stacks_standing
                    now = self.network.get_parameter(stack).detach().clone
                    whole[stack] = now() if standing else self.stream.tensor(stack)
                self.part(name, whole[stack]).copy_(tensor)
        return whole, parts

    @torch.no_grad()
    def _put(self, whole: Mapping[str, torch.Tensor], parts: Mapping[str, torch.Tensor]) -> None:
        for name, tensor in whole.items():
            self.network.get_parameter(name).data = tensor
        for name, tensor in parts.items():
            self.tensor(name).copy_(tensor)

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
            placement=self.placement.told(),
            pass_seconds=self.pass_seconds,
        )
