"""A patch: the new values of a few tensors, and everything needed to know where they belong.

A patch records its base model and the hash of every tensor it replaces, and refuses any other
base. On disk it is a folder with one file, ``patch.safetensors``; everything but the tensors is
JSON in the file's metadata.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from workbench.errors import PatchError
from workbench.model.export import exporting
from workbench.model.language_model import LanguageModel
from workbench.model.location import parse_locations
from workbench.work.events import follow
from workbench.work.files import as_new_file, new_folder

__all__ = ["PATCH_FILE", "Patch"]

PATCH_FILE = "patch.safetensors"
FORMAT = "locft-patch-1"


@dataclass
class Patch:
    """New values for a model's tuned tensors.

    Args:
        tensors: new values by full name, on the CPU, in the dtype they were used in; a part of
            stacked experts has the expert's number behind its name (see `LanguageModel.tensor`).
        metadata: JSON-ready: ``base`` (name, shape, hashes of the replaced tensors), ``at``,
            ``facts`` (count), ``facts_digest``, ``settings``, ``metrics``, ``versions``,
            ``created``.
    """

    tensors: dict[str, torch.Tensor]
    metadata: dict[str, Any]
    _placed: dict[tuple[str, torch.dtype], dict[str, torch.Tensor]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def weights(self) -> int:
        """How many numbers the patch holds."""
        return sum(tensor.numel() for tensor in self.tensors.values())

    @property
    def lowest_layer(self) -> int:
        """The first layer that the patch changes; below it, hidden states are the base's."""
        return min(where.layer for where in parse_locations(self.metadata["at"]))

    def check(self, model: LanguageModel) -> None:
        """Whether this is the patch's base.

        Raises:
            PatchError: it is not, and in what it differs.
        """
        base = self.metadata["base"]
        for name, expected in base["hashes"].items():
            where = f"This patch was made for '{base['name']}', and '{model.name}' differs"
            there = model.find_tensor(name)
            if there is None:
                raise PatchError(f"{where}: it has no tensor '{name}'. Load the patch's own base.")
            if there.shape != self.tensors[name].shape:
                raise PatchError(
                    f"{where}: '{name}' is {tuple(there.shape)} there, "
                    f"{tuple(self.tensors[name].shape)} here. Load the patch's own base."
                )
            if model.base_hash(name) != expected:
                raise PatchError(
                    f"{where}: '{name}' holds other values. Load the patch's own base, in the "
                    "dtype it was made with or a wider one."
                )

    @contextmanager
    def applied(self, model: LanguageModel) -> Iterator[None]:
        """The model with the patch in it.

        Invariant: after the block the model is its base again, to the bit.

        Raises:
            PatchError: the model is another base.
            ModelError: another patch is applied to it already.
        """
        self.check(model)
        with model.with_weights(self._on(model)):
            yield

    def _on(self, model: LanguageModel) -> dict[str, torch.Tensor]:
        """The tensors where the model is; kept, so that switching again copies nothing."""
        place = (str(model.device), model.dtype)
        if place not in self._placed:
            self._placed = {
                place: {
                    name: tensor.to(
                        device=model.parameter_of(name).device,
                        dtype=model.parameter_of(name).dtype,
                    )
                    for name, tensor in self.tensors.items()
                }
            }
        return self._placed[place]

    def save(self, folder: str | Path) -> Path:
        """Writes the patch as a new folder, whole or not at all.

        Returns:
            The folder.

        Raises:
            PatchError: the folder exists and is not empty, or cannot be written.
        """
        with new_folder(Path(folder)) as beside:
            metadata = {"format": FORMAT, "patch": json.dumps(self.metadata, ensure_ascii=False)}
            tensors = {name: tensor.contiguous().cpu() for name, tensor in self.tensors.items()}
            save_file(tensors, beside / PATCH_FILE, metadata=metadata)
            as_new_file(beside / PATCH_FILE)
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> "Patch":
        """Reads a patch.

        Args:
            folder: what `save` wrote, or the file in it.

        Raises:
            PatchError: there is none, or it is damaged.
        """
        path = Path(folder)
        file_path = path / PATCH_FILE if path.is_dir() else path
        if not file_path.is_file():
            raise PatchError(
                f"There is no patch at '{folder}'. A patch is a folder with the file {PATCH_FILE}."
            )
        try:
            with safe_open(file_path, framework="pt") as file:
                header = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise PatchError(f"The patch '{file_path}' is damaged: {error}.") from error
        if header.get("format") != FORMAT:
            raise PatchError(
                f"'{file_path}' is not a patch of this version (its format is "
                f"{header.get('format', 'unnamed')}, expected {FORMAT})."
            )
        return cls(tensors, json.loads(header["patch"]))

    def export(self, model: LanguageModel, folder: str | Path, prompts: Sequence[str] = ()) -> Path:
        """Writes the edited model as a folder that plain transformers loads, and makes sure of it.

        Args:
            model: the patch's base.
            folder: a new folder.
            prompts: of the facts that were edited; see `exporting`.

        Returns:
            The folder.

        Raises:
            PatchError, ModelError: see `exporting`.
        """
        return follow(exporting(model, self.applied, folder, prompts)).folder
