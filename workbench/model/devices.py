"""Which device and dtype a model gets.

Knows only names and what the machine has; nothing about models' code or files.
"""

import os

import torch

from workbench.errors import ModelError

__all__ = ["DTYPES", "PROCESSES", "choose_device", "choose_dtype", "device_count"]

PROCESSES = "WORKBENCH_PROCESSES"
"""The variable that says how many processes may share a run on a machine without GPUs."""

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


def choose_device(name: str | None) -> torch.device:
    """The device of that name; None takes CUDA, else MPS, else the CPU.

    Raises:
        ModelError: there is no such device on this machine.
    """
    if name in (None, "", "auto"):
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(str(name))
    except RuntimeError as error:
        raise ModelError(
            f"Unknown device '{name}'. Write cpu, cuda, cuda:1 or mps, or leave it empty."
        ) from error
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            has = f"{count} CUDA devices" if count else "no CUDA device that torch can use"
            raise ModelError(f"Device '{name}': this machine has {has}. Try 'cpu'.")
        return torch.device("cuda", device.index or 0)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ModelError("Device 'mps' is not available on this machine. Try 'cpu'.")
    if device.type not in ("cpu", "mps"):
        raise ModelError(f"Device '{name}' is not supported. Write cpu, cuda, cuda:1 or mps.")
    return device


def device_count() -> int:
    """How many processes can share a run here, each with a GPU; without GPUs, what is asked for."""
    if torch.cuda.is_available():
        return torch.cuda.device_count()
    asked = os.environ.get(PROCESSES, "")
    return max(1, int(asked)) if asked.isdecimal() else 1


def choose_dtype(
    name: str | None, device: torch.device, checkpoint: torch.dtype | None
) -> torch.dtype:
    """The dtype of that name; None takes the checkpoint's on CUDA and float32 elsewhere.

    Raises:
        ModelError: an unknown name.
    """
    if name in (None, "", "auto"):
        if device.type != "cuda" or checkpoint is None:
            return torch.float32
        # What is kept in fewer bits, as FP8 checkpoints are, is edited in 16.
        return checkpoint if checkpoint in DTYPES.values() else torch.bfloat16
    dtype = DTYPES.get(str(name).removeprefix("torch."))
    if dtype is None:
        raise ModelError(f"Unknown dtype '{name}'. Choose one of {', '.join(DTYPES)}.")
    return dtype
