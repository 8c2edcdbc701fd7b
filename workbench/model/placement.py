"""Where each layer of a model lives: on the device, in main memory, or on disk.

Decided from sizes and a budget alone, before a weight is read. What works in every step is what
stands above a tuned layer, so the last layers stay on the device, as many as fit; the others are
brought in one after another, each for as long as it works. Knows nothing about how.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.errors import MemoryShortage
from workbench.model.location import write_layers
from workbench.work.words import size

__all__ = [
    "LayerSizes",
    "Placement",
    "Where",
    "everything_on",
    "place_layers",
    "weights_budget",
]

Where = Literal["device", "memory", "disk"]

WORKING_SHARE = 0.3
"""The share of the memory that is left for what is worked on beside the weights."""


@dataclass(frozen=True, slots=True)
class LayerSizes:
    """What the parts of a model take.

    Args:
        layers: bytes of each layer.
        rest: bytes of all else, such as the embedding and the head, which stay on the device.
    """

    layers: tuple[int, ...]
    rest: int

    @property
    def total(self) -> int:
        """Bytes of all weights."""
        return sum(self.layers) + self.rest


@dataclass(frozen=True, slots=True)
class Placement:
    """Where each layer lives.

    Args:
        layers: where, layer by layer.
        device: where layers work, by its name.
        sizes: what the parts take.
        budget: bytes of the device that weights may take; None for no limit.
        ahead: whether there is room to read a layer while the one before it works.
    """

    layers: tuple[Where, ...]
    device: str
    sizes: LayerSizes
    budget: int | None = None
    ahead: bool = False

    @property
    def streamed(self) -> tuple[int, ...]:
        """The layers that are brought in for as long as they work."""
        return tuple(layer for layer, where in enumerate(self.layers) if where != "device")

    @property
    def resident_from(self) -> int:
        """The first layer from which on all stay on the device."""
        return max(self.streamed, default=-1) + 1

    def streams_from(self, layer: int) -> tuple[int, ...]:
        """The layers from one on that are brought in whenever they work."""
        return tuple(other for other in self.streamed if other >= layer)

    def told(self) -> str:
        """Where layers live, in words; empty where all are on the device."""
        streamed = self.streamed
        if not streamed:
            return ""
        limit = f" within {size(self.budget)}" if self.budget is not None else ""
        stay = len(self.layers) - len(streamed)
        sources = " and ".join(
            {"memory": "main memory", "disk": "disk"}[where]
            for where in ("memory", "disk")
            if where in self.layers
        )
        return (
            f"{stay} of {len(self.layers)} layers stay in the memory of {self.device}{limit}; "
            f"layers {write_layers(streamed)} are read from {sources} as they are needed"
        )

    def told_of_steps(self, layer: int) -> str:
        """What a step that starts at a layer reads, and why, in a sentence.

        Empty where all layers are on the device.
        """
        if not self.streamed:
            return ""
        limit = f"within {size(self.budget)}" if self.budget is not None else "in memory"
        reads = self.streams_from(layer)
        if not reads:
            return (
                f"The layers from {layer} on stay {limit}, so that a step reads none; those below "
                "are read once."
            )
        each = sum(self.sizes.layers[one] for one in reads)
        free = self.resident_from
        later = f" From layer {free} on it would read none." if free < len(self.layers) else ""
        return (
            f"Not all layers from {layer} on fit {limit}: a step reads layers "
            f"{write_layers(reads)} twice, {size(each)} each time, which makes it slow.{later}"
        )


def everything_on(device: str, sizes: LayerSizes, budget: int | None = None) -> Placement:
    """The placement of a model that is on its device as a whole."""
    where: list[Where] = ["device"] * len(sizes.layers)
    return Placement(tuple(where), device, sizes, budget)


def weights_budget(memory: int | None, total: int, free: int, *, on_cpu: bool) -> int:
    """Bytes of the device that a model's weights may take.

    Args:
        memory: what somebody allowed; None for what is free.
        total: bytes of all weights.
        free: bytes that are free on the device.
        on_cpu: whether it is the CPU, where what somebody allowed is for weights alone.
    """
    if memory is None:
        return free if total <= free else round(free * (1 - WORKING_SHARE))
    allowed = memory if on_cpu else round(memory * (1 - WORKING_SHARE))
    return min(allowed, free if total <= free else round(free * (1 - WORKING_SHARE)))


def place_layers(
    name: str, sizes: LayerSizes, device: str, budget: int, *, limit: str = "", main_memory: int = 0
) -> Placement:
    """Decides where each layer lives.

    Args:
        name: of the model, for messages.
        sizes: what its parts take.
        device: where layers work, by its name.
        budget: bytes of the device that weights may take.
        limit: in words, what the budget comes from.
        main_memory: bytes of main memory that layers may take which are not on the device.

    Raises:
        MemoryShortage: not even one layer fits beside what is no layer.
    """
    if sizes.total <= budget:
        return everything_on(device, sizes, budget)
    largest = max(sizes.layers)
    if sizes.rest + largest > budget:
        raise MemoryShortage(
            f"'{name}' needs {size(sizes.rest + largest)} on {device} at least: "
            f"{size(sizes.rest)} for its embedding and head, and {size(largest)} for a layer at a "
            f"time. {limit or f'It may take {size(budget)}'}. Allow more memory, or choose a "
            "smaller model, a smaller dtype, or another device."
        )
    ahead = sizes.rest + 2 * largest <= budget
    room = budget - sizes.rest - (2 if ahead else 1) * largest
    where: list[Where] = ["disk"] * len(sizes.layers)
    first = _fill(where, sizes.layers, "device", room, len(where))
    _fill(where, sizes.layers, "memory", main_memory, first)
    return Placement(tuple(where), device, sizes, budget, ahead)


def _fill(where: list[Where], sizes: Sequence[int], what: Where, room: int, end: int) -> int:
    """Gives the last layers before `end` a place, as long as there is room; returns the first."""
    while end > 0 and sizes[end - 1] <= room:
        end -= 1
        room -= sizes[end]
        where[end] = what
    return end
