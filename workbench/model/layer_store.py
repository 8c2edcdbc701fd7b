"""Layers that are not on the device: where their weights are kept, and how they are read.

A layer lies in the checkpoint's own safetensors files, or in main memory. Invariants: what is read
is what the checkpoint holds, in the model's dtype, and finite; a file is open only while it is
read, and never mapped, so that nothing of it stays in memory. Knows nothing about when a layer is
needed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from workbench.errors import ModelError

__all__ = ["LayerStore", "OnDisk"]


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Where a weight lies.

    Args:
        file: a safetensors file.
        name: what the weight is called there.
    """

    file: str
    name: str


class LayerStore:
    """The weights of some layers, by their full names in the model.

    Args:
        places: where each weight lies.
        dtypes: which dtype each has in the model.
        device: where weights are wanted.
    """

    def __init__(
        self,
        places: Mapping[str, OnDisk],
        dtypes: Mapping[str, torch.dtype],
        device: torch.device,
    ) -> None:
        self._places = dict(places)
        self._dtypes = dict(dtypes)
        self._device = device
        self._in_memory: dict[str, torch.Tensor] = {}
        self._sound: set[str] = set()

    def stamps(self) -> list[tuple[str, int, int]]:
        """The files that weights are read from, each with its size and when it was written."""
        found = []
        for file in sorted({place.file for place in self._places.values()}):
            about = Path(file).stat()
            found.append((file, about.st_size, about.st_mtime_ns))
        return found

    def keep_in_memory(self, names: Iterable[str]) -> None:
        """Reads weights now and keeps them in main memory, from which they come faster.

        Raises:
            ModelError: see `read`.
        """
        found = self._from_files(names)
        if self._device.type == "cuda":
            found = {name: tensor.pin_memory() for name, tensor in found.items()}
        self._in_memory |= found

    def read(self, names: Iterable[str]) -> dict[str, torch.Tensor]:
        """Copies of weights on the device, which nobody else holds.

        Raises:
            ModelError: a file is no longer there or damaged, or a weight is no number.
        """
        names = list(names)
        found = self._from_files(name for name in names if name not in self._in_memory)
        found |= {name: self._in_memory[name] for name in names if name in self._in_memory}
        return {name: self._on_device(name, found.pop(name)) for name in names}

    def _on_device(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        if self._device.type != "cpu":
            return tensor.to(self._device, non_blocking=True)
        return tensor.clone() if name in self._in_memory else tensor

    def _from_files(self, names: Iterable[str]) -> dict[str, torch.Tensor]:
        by_file: dict[str, list[str]] = {}
        for name in names:
            by_file.setdefault(self._places[name].file, []).append(name)
        found = {}
        for file, inside in by_file.items():
            try:
                with safe_open(file, framework="pt", device="cpu", backend="pread") as opened:
                    for name in inside:
                        tensor = opened.get_tensor(self._places[name].name)
                        found[name] = tensor.to(self._dtypes[name])
            except (OSError, SafetensorError) as error:
                raise ModelError(
                    f"The weights in '{file}' can no longer be read ({error}). A model that does "
                    "not fit in memory is read from its files again and again; load it anew once "
                    "they are back."
                ) from error
        for name, tensor in found.items():
            self._require_finite(name, tensor)
        return found

    def _require_finite(self, name: str, tensor: torch.Tensor) -> None:
        """Refuses a weight that is no number, the first time that it is read."""
        if name in self._sound:
            return
        if not torch.isfinite(tensor.sum(dtype=torch.float32)):
            wrong = int((~torch.isfinite(tensor)).sum())
            if wrong:
                raise ModelError(
                    f"{wrong} of {tensor.numel()} weights are infinite or no number in {name}. "
                    "Fetch the model again, or take another checkpoint of it."
                )
        self._sound.add(name)
