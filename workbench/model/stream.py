"""Layers that are brought in for as long as they work, each read while the one before it works.

A layer that is not in memory has stand-ins in place of its weights: of the same shape, dtype and
device, one number large, and no number at all, so that nobody can use them unnoticed. When the
layer's forward is called, its weights are put in their place; afterwards the stand-ins are back.
A backward pass reads the layer again rather than keep it. Whoever has much for one layer to do
holds it (`here`) meanwhile.

Invariants: beside layers that stay, at most two are held, one where there is no room for two; other
weights that somebody has put in the place of stand-ins are left alone. Knows nothing about where
weights come from.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from weakref import finalize

import torch
from torch import nn

from workbench.model.layer_store import LayerStore
from workbench.model.layers import LayerList
from workbench.model.placement import Placement

__all__ = ["LayerStream", "stand_in"]

Weights = dict[str, torch.Tensor]


def stand_in(like: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of a shape and dtype that takes no memory and holds no number."""
    return torch.full((1,), float("nan"), dtype=like.dtype, device=device).expand(like.shape)


@dataclass(frozen=True, slots=True)
class _Saved:
    """A weight that a backward pass needs, to be read again: where it is, and which view of it."""

    layer: int
    name: str
    size: torch.Size
    stride: tuple[int, ...]
    offset: int


@dataclass
class _Meter:
    """What has been read so far, and how long that took."""

    bytes: int = 0
    seconds: float = 0.0
    reads: int = 0
    most_held: int = 0

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self.bytes / self.seconds if self.seconds else 0.0


@dataclass
class LayerStream:
    """The layers of a model that do not stay on its device.

    Args:
        layers: all layers; those that do not stay have stand-ins for weights.
        placement: which ones.
        store: what reads them.
        meter: what has been read.
        on_way: how far texts are that pass one layer after another, in words; empty while none do.
    """

    layers: LayerList
    placement: Placement
    store: LayerStore
    meter: _Meter = field(default_factory=_Meter)
    on_way: str = ""
    _names: dict[int, dict[str, nn.Parameter]] = field(default_factory=dict, repr=False)
    _stand_ins: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)
    _held: dict[int, Weights] = field(default_factory=dict, repr=False)
    _in_use: dict[int, int] = field(default_factory=dict, repr=False)
    _ahead: "tuple[int, Future[Weights]] | None" = field(default=None, repr=False)
    _after: dict[tuple[int, str], int] = field(default_factory=dict, repr=False)
    _last: tuple[int, str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._reader = ThreadPoolExecutor(1, "layer-reader")
        finalize(self, self._reader.shutdown, wait=False, cancel_futures=True)
        for layer in self.placement.streamed:
            module = self.layers[layer]
            prefix = f"{self.layers.name}.{layer}."
            self._names[layer] = {prefix + name: w for name, w in module.named_parameters()}
            for name, parameter in self._names[layer].items():
                self._stand_ins[name] = parameter.data
            module.forward = self._streaming(layer, module.forward)

    def __contains__(self, layer: int) -> bool:
        return layer in self._names

    def is_absent(self, name: str) -> bool:
        """Whether a weight, by its full name, has a stand-in in its place just now."""
        mine = self._stand_ins.get(name)
        return mine is not None and self._parameter(name).data_ptr() == mine.data_ptr()

    def has(self, name: str) -> bool:
        """Whether a weight, by its full name, belongs to a layer that does not stay."""
        return name in self._stand_ins

    def tensor(self, name: str) -> torch.Tensor:
        """The values that a weight has in the checkpoint, read now."""
        self.let_go()
        return self.store.read([name])[name]

    def settle(self, names: Iterable[str]) -> None:
        """Puts weights back in their places that others stood in: those at work, or stand-ins.

        Args:
            names: of weights; those of layers that stay are passed over.
        """
        for name in names:
            if name in self._stand_ins:
                layer = self._layer_of(name)
                held = self._held[layer] if layer in self._in_use else self._stand_ins
                self._names[layer][name].data = held[name]

    @contextmanager
    def here(self, layer: int) -> Iterator[None]:
        """A block in which a layer's weights are in their place; those that stay are anyway."""
        if layer not in self:
            yield
            return
        self._enter(layer)
        try:
            yield
        finally:
            self._leave(layer)

    def let_go(self) -> None:
        """Frees what is held of layers that are not at work."""
        self._give_up_reading()
        self._held = {layer: w for layer, w in self._held.items() if layer in self._in_use}

    def bytes_of(self, layer: int) -> int:
        """What a layer takes."""
        return self.placement.sizes.layers[layer]

    def _enter(self, layer: int) -> None:
        self._in_use[layer] = self._in_use.get(layer, 0) + 1
        if self._in_use[layer] > 1:
            return
        try:
            weights = self._fetch(layer, "forward")
        except BaseException:
            del self._in_use[layer]
            raise
        for name, parameter in self._names[layer].items():
            if parameter.data_ptr() == self._stand_ins[name].data_ptr():
                parameter.data = weights[name]

    def _leave(self, layer: int) -> None:
        self._in_use[layer] -= 1
        if self._in_use[layer]:
            return
        del self._in_use[layer]
        weights = self._held.get(layer, {})
        for name, parameter in self._names[layer].items():
            if name in weights and parameter.data_ptr() == weights[name].data_ptr():
                parameter.data = self._stand_ins[name]
        if not self.placement.ahead:
            self._held.pop(layer, None)

    def _streaming(self, layer: int, forward: Callable[..., Any]) -> Callable[..., Any]:
        """A layer's forward with its weights brought in."""

        @wraps(forward)
        def streamed(*args: Any, **kwargs: Any) -> Any:
            with self.here(layer):
                if not torch.is_grad_enabled():
                    return forward(*args, **kwargs)
                with torch.autograd.graph.saved_tensors_hooks(self._packer(layer), self._unpack):
                    return forward(*args, **kwargs)

        return streamed

    def _packer(self, layer: int) -> Callable[[torch.Tensor], Any]:
        """What a backward pass keeps of a tensor: of a weight of this layer only where it is."""
        own = {w.untyped_storage().data_ptr(): n for n, w in self._held[layer].items()}

        def pack(tensor: torch.Tensor) -> Any:
            name = own.get(tensor.untyped_storage().data_ptr())
            if name is None or tensor.dtype != self._stand_ins[name].dtype:
                return tensor
            return _Saved(layer, name, tensor.size(), tensor.stride(), int(tensor.storage_offset()))

        return pack

    def _unpack(self, kept: Any) -> torch.Tensor:
        if not isinstance(kept, _Saved):
            found: torch.Tensor = kept
            return found
        weight = self._fetch(kept.layer, "backward")[kept.name]
        return weight.as_strided(kept.size, kept.stride, kept.offset)

    def _fetch(self, layer: int, way: str) -> Weights:
        """A layer's weights; the one that will be wanted after it is read meanwhile."""
        if self._last is not None and self._last != (layer, way):
            self._after[self._last] = layer
        self._last = (layer, way)
        if layer not in self._held:
            self._free_for(layer)
            self._held[layer] = self._read_or_wait(layer)
        if self.placement.ahead:
            self._read_ahead(layer, way)
        self._note_held()
        return self._held[layer]

    def _free_for(self, layer: int) -> None:
        """Lets go of what is not at work, so that no more is held than there is room for."""
        for other in [other for other in self._held if other not in self._in_use]:
            del self._held[other]
        if self._ahead is not None and self._ahead[0] != layer:
            self._give_up_reading()  # it was foretold wrongly

    def _give_up_reading(self) -> None:
        """Throws away what is read ahead, once that is over: it takes memory until then."""
        if self._ahead is not None and not self._ahead[1].cancel():
            wait([self._ahead[1]])
        self._ahead = None

    def _read_or_wait(self, layer: int) -> Weights:
        if self._ahead is not None:
            future = self._ahead[1]
            self._ahead = None
            return future.result()
        return self._read(layer)

    def _read_ahead(self, layer: int, way: str) -> None:
        following = self._after.get((layer, way), self._next(layer, way))
        if following in self._held or following == layer or self._ahead is not None:
            return
        for other in [o for o in self._held if o != layer and o not in self._in_use]:
            del self._held[other]
        if len(self._held) < 2:
            self._ahead = (following, self._reader.submit(self._read, following))

    def _next(self, layer: int, way: str) -> int:
        """Which layer will be wanted after one, as far as nothing else was seen."""
        streamed = self.placement.streamed
        step = -1 if way == "backward" else 1
        return streamed[(streamed.index(layer) + step) % len(streamed)]

    def _read(self, layer: int) -> Weights:
        began = time.perf_counter()
        found = self.store.read(self._names[layer])
        self.meter.seconds += time.perf_counter() - began
        self.meter.bytes += sum(w.numel() * w.element_size() for w in found.values())
        self.meter.reads += 1
        return found

    def _note_held(self) -> None:
        """Remembers the most bytes of such layers that were held at once, one being read, too."""
        layers = [*self._held, *([self._ahead[0]] if self._ahead is not None else [])]
        self.meter.most_held = max(self.meter.most_held, sum(map(self.bytes_of, layers)))

    def _layer_of(self, name: str) -> int:
        return int(name.removeprefix(f"{self.layers.name}.").split(".", 1)[0])

    def _parameter(self, name: str) -> nn.Parameter:
        return self._names[self._layer_of(name)][name]
