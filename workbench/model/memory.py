"""Memory: how much is free, and going on with less when it runs out.

Knows nothing about what the memory is used for.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import psutil
import torch

from workbench.errors import MemoryShortage

__all__ = [
    "free_main_memory",
    "free_memory",
    "in_batches",
    "is_out_of_memory",
    "readable_size",
    "release_cache",
]

Item = TypeVar("Item")
Result = TypeVar("Result")


def free_memory(device: torch.device) -> int:
    """Bytes that can still be taken on the device; for the CPU, what the system calls available."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free)
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    return free_main_memory()


def free_main_memory() -> int:
    """Bytes of main memory that can still be taken; a share, where processes share a run here."""
    sharing = max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    return int(psutil.virtual_memory().available) // sharing


def readable_size(size: float) -> str:
    """A number of bytes for people, such as ``13.5 GB`` (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the device's memory is used up, on CUDA, MPS or the CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    message = str(error)
    return isinstance(error, RuntimeError) and (
        "out of memory" in message or "can't allocate memory" in message
    )


def release_cache(device: torch.device) -> None:
    """Gives cached blocks back to the device, so that a smaller try finds one piece of memory."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def in_batches(
    items: Sequence[Item],
    size: int,
    device: torch.device,
    work: Callable[[Sequence[Item]], Result],
) -> Iterator[tuple[Sequence[Item], Result]]:
    """Calls `work` on consecutive batches; when memory runs out, halves the batch and goes on.

    Args:
        items: what is to be worked on.
        size: most items a batch.
        device: where `work` runs.
        work: called with one batch; may be called again with a part of a batch that failed.

    Yields:
        Each batch with what `work` returned for it.

    Raises:
        MemoryShortage: not even one item fits.
    """
    start = 0
    while start < len(items):
        batch = items[start : start + size]
        try:
            result = work(batch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise MemoryShortage(
                    f"The memory of {device} is used up by a single text. Free memory there, "
                    "choose a smaller dtype, or use shorter texts."
                ) from error
            size = max(1, len(batch) // 2)
            result = None
        if result is None:
            release_cache(device)
            continue
        yield batch, result
        start += len(batch)
