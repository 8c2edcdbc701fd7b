"""Hidden states, kept: what enters a layer, for every text, and where that lies.

Unpadded, in the model's dtype, on the model's device while there is room, then in memory, then on
disk. Knows nothing about how states are computed.
"""

import math
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import torch

from workbench.model.memory import free_main_memory, free_memory
from workbench.model.tokens import TokenTable

__all__ = ["HiddenStates", "empty_states", "room_for"]


@dataclass
class HiddenStates:
    """What enters a layer, for every text.

    Args:
        layer: the layer that these states enter.
        flat: (all texts' tokens, width), text after text; a few models have several streams, (all
            texts' tokens, streams, width).
        starts: row of each text's first token in `flat`, and one past the last.
        folder: where `flat` lies when it is on disk; goes when the states go.
    """

    layer: int
    flat: torch.Tensor
    starts: tuple[int, ...]
    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.folder is not None:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def on_disk(self) -> bool:
        """Whether the states did not fit in memory."""
        return self.folder is not None

    def of(self, rows: Sequence[int]) -> "HiddenStates":
        """The states of some texts alone, in the order of `rows`."""
        spans = [self.flat[self.starts[row] : self.starts[row + 1]] for row in rows]
        return HiddenStates(self.layer, torch.cat(spans), (0, *accumulate(map(len, spans))))

    def put(self, rows: Sequence[int], states: torch.Tensor) -> None:
        """Takes over the states of some texts: (texts, longest, width)."""
        for row, state in zip(rows, states, strict=True):
            start, end = self.starts[row : row + 2]
            self.flat[start:end] = state[: end - start]

    def take(self, other: "HiddenStates", rows: Sequence[int]) -> None:
        """Takes over the states of some of the same texts."""
        for row in rows:
            start, end = other.starts[row : row + 2]
            self.flat[slice(*self.starts[row : row + 2])] = other.flat[start:end]

    def padded(self, rows: Sequence[int], device: torch.device) -> torch.Tensor:
        """The states of some texts as (texts, longest, width) on the device.

        What stands behind a text is some other state: nothing looks at it.
        """
        lengths = [self.starts[row + 1] - self.starts[row] for row in rows]
        places = torch.tensor([self.starts[row] for row in rows]).unsqueeze(1) + torch.arange(
            max(lengths)
        )
        places = places.clamp_(max=self.flat.shape[0] - 1).to(self.flat.device)
        return self.flat[places].to(device, non_blocking=True)


def empty_states(
    texts: TokenTable,
    rows: Sequence[int],
    like: torch.Tensor,
    device: torch.device,
    memory_limit: int | None,
) -> HiddenStates:
    """Room for the states of some texts.

    Args:
        texts: all of them.
        rows: which have states; the others take no room.
        like, device, memory_limit: see `room_for`.
    """
    lengths = [0] * len(texts)
    for row in rows:
        lengths[row] = texts.length(row)
    starts = (0, *accumulate(lengths))
    flat, folder = room_for(starts[-1], like, device, memory_limit)
    return HiddenStates(0, flat, starts, folder)


def room_for(
    tokens: int, like: torch.Tensor, device: torch.device, memory_limit: int | None
) -> tuple[torch.Tensor, Path | None]:
    """An empty (tokens, width) tensor: on the device, in memory, or in a file, by what is free.

    Args:
        tokens: of all texts.
        like: (texts, longest, width) states of some of them.
        device: of the model.
        memory_limit: bytes of main memory that it may take; None for half of what is free.

    Returns:
        The tensor, and the folder of its file where it is in one.
    """
    shape, dtype = (tokens, *like.shape[2:]), like.dtype
    size = math.prod(shape)
    needed = size * dtype.itemsize
    if device.type != "cpu" and needed < free_memory(device) // 4:
        return torch.empty(shape, dtype=dtype, device=device), None
    limit = free_main_memory() // 2 if memory_limit is None else memory_limit
    if needed <= limit:
        return torch.empty(shape, dtype=dtype), None
    folder = Path(tempfile.mkdtemp(prefix="workbench-states-"))
    flat = torch.from_file(str(folder / "states"), shared=True, size=size, dtype=dtype)
    return flat.view(shape), folder
