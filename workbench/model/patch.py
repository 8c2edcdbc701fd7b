"""A patch: the new values of a few tensors, and everything needed to know where they belong.

A patch records its base model and the hash of every tensor it replaces, and refuses any other
base. It is checked as a whole when it is read and before it touches a model. On disk it is a
folder with one file, ``patch.safetensors``; everything but the tensors is JSON in the file's
metadata.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from workbench.errors import PatchError
from workbench.model.context import Context, context_of
from workbench.model.export import exporting
from workbench.model.language_model import LanguageModel
from workbench.model.location import parse_locations
from workbench.model.patch_check import require_finite, require_fit, require_named
from workbench.model.patch_record import FORMAT, PatchRecord, checked_record, parse_record
from workbench.work.events import follow
from workbench.work.files import as_new_file, new_folder
from workbench.work.words import one_line

__all__ = ["PATCH_FILE", "Patch", "require_weights"]

PATCH_FILE = "patch.safetensors"
MEND = "Make the patch anew, or take a whole copy of it."


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
    _context: Context | None = field(default=None, init=False, repr=False, compare=False)
    _seen: Any = field(default=None, init=False, repr=False, compare=False)

    @property
    def weights(self) -> int:
        """How many numbers the patch holds."""
        return sum(tensor.numel() for tensor in self.tensors.values())

    @property
    def lowest_layer(self) -> int:
        """The first layer that the patch changes; below it, hidden states are the base's.

        0 where something stands before prompts: nothing is as the base has it then.
        """
        if self.context is not None:
            return 0
        return min(where.layer for where in parse_locations(self.metadata["at"]))

    @property
    def context(self) -> Context | None:
        """What it puts before prompts; None where it does not."""
        return context_of(self.metadata)

    def check(self, model: LanguageModel) -> None:
        """Whether the patch is whole, and this is its base; changes nothing.

        Raises:
            PatchError: it is not, and in what it differs.
        """
        with _told_of("This patch"):
            record = self._sound_record()
        require_fit(self.tensors, record, model)

    def _sound_record(self) -> PatchRecord:
        """The record, once it and the tensors make sense for themselves.

        Raises:
            PatchError: they do not; the message goes on after the name of the patch.
        """
        record = checked_record(self.metadata)
        seen = (record, [(name, id(t), _version(t)) for name, t in self.tensors.items()])
        if self._seen != seen:
            require_named(self.tensors, record)
            # To look at every value again at each switch would make switching slow.
            self._seen, self._placed = seen, {}
        return record

    @contextmanager
    def applied(self, model: LanguageModel) -> Iterator[None]:
        """The model with the patch in it.

        Invariant: after the block the model is its base again, to the bit.

        Raises:
            PatchError: the patch is not whole, or the model is another base.
            ModelError: another patch is applied to it already.
        """
        self.check(model)
        if self._context is None:
            self._context = self.context  # with its index, so that switching again makes none
        with model.with_weights(self.placed(model), self._context):
            yield

    @contextmanager
    def standing(self, model: LanguageModel) -> Iterator[None]:
        """The model with the patch in it, as a base on which a further edit is made.

        Raises:
            PatchError, ModelError: see `applied`.
        """
        self.check(model)
        with model.standing_on(self.placed(model)):
            yield

    def placed(self, model: LanguageModel) -> dict[str, torch.Tensor]:
        """The tensors where a model is, in its dtype; not to be changed.

        They are kept, so that switching again copies nothing.

        Raises:
            PatchError: one is infinite in that dtype.
        """
        place = (str(model.device), model.dtype)
        if place not in self._placed:
            placed = {
                name: tensor.to(
                    device=model.parameter_of(name).device,
                    dtype=model.parameter_of(name).dtype,
                )
                for name, tensor in self.tensors.items()
            }
            with _told_of("This patch", "Load the model in a wider dtype."):
                require_finite(placed, f" once it is rounded to {model.dtype}")
            self._placed = {place: placed}
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
            PatchError: there is none, or it is damaged, or no sound patch of this version.
        """
        path = Path(folder)
        file_path = path / PATCH_FILE if path.is_dir() else path
        if not file_path.is_file():
            raise PatchError(
                f"There is no patch at '{folder}'. A patch is a folder with the file {PATCH_FILE}."
            )
        with _told_of(f"The patch '{file_path}'"):
            try:
                with safe_open(file_path, framework="pt") as file:
                    record = parse_record(file.metadata() or {})
                    checked_record(record)
                    tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            except (OSError, SafetensorError) as error:
                raise PatchError(f"it is damaged: {one_line(str(error))}.") from error
            patch = cls(tensors, record)
            patch._sound_record()
        return patch

    def export(self, model: LanguageModel, folder: str | Path, prompts: Sequence[str] = ()) -> Path:
        """Writes the edited model as a folder that plain transformers loads, and makes sure of it.

        Args:
            model: the patch's base.
            folder: a new folder.
            prompts: of the facts that were edited; see `exporting`.

        Returns:
            The folder.

        Raises:
            PatchError, ModelError: see `exporting`; or the edit is not one of weights alone.
        """
        require_weights(self.metadata)
        return follow(exporting(model, self.applied, folder, prompts)).folder


def require_weights(record: Mapping[str, Any]) -> None:
    """Makes sure that an edit is one of weights alone, which can be written elsewhere.

    Args:
        record: of a patch.

    Raises:
        PatchError: it puts facts before prompts.
    """
    if "context" in record:
        raise PatchError(
            "This edit puts facts before prompts, so there are no weights that say them, and "
            "nothing can be exported. Edit by another method, or give the facts to what runs the "
            "model, such as a retrieval step before its prompts."
        )


@contextmanager
def _told_of(patch: str, mend: str = MEND) -> Iterator[None]:
    """Errors of a check as whole sentences: which patch it is, and what to do."""
    try:
        yield
    except PatchError as error:
        raise PatchError(f"{patch} cannot be used: {error} {mend}") from error


def _version(tensor: torch.Tensor) -> int:
    """How often a tensor was changed in its place."""
    return -1 if tensor.is_inference() else tensor._version
