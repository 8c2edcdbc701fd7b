"""How far a run is, and the checkpoint that lets it go on.

A checkpoint is one safetensors file: the float32 master and Adam's moments as tensors, all else
as JSON in its metadata. It is written beside its place and then moved there, so that a crash
leaves the old one.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from workbench.errors import PatchError, RecordError
from workbench.work.files import as_new_file
from workbench.work.records import from_text
from workbench.work.words import one_line

__all__ = ["Kept", "Progress", "read_checkpoint", "write_checkpoint"]


class Kept(Protocol):
    """What a checkpoint keeps as tensors, such as `TunedWeights`."""

    def state(self) -> dict[str, torch.Tensor]:
        """The tensors by name."""

    def load_state(self, kept: dict[str, torch.Tensor], /) -> None:
        """The inverse of `state`.

        Raises:
            KeyError, RuntimeError: a tensor is missing, or has another shape.
        """


@dataclass
class Progress:
    """Where a run is between two batches.

    Args:
        epoch: whole epochs done (depth-first: batches brought to convergence).
        cursor: batches done in the epoch at hand (depth-first: passes over the batch at hand).
        batches: batches seen in the whole run.
        updates: steps taken.
        loss_sum: sum of the facts' losses in the epoch at hand.
        learned: facts of the epoch at hand that were already learned.
        facts: facts seen in the epoch at hand.
        losses: mean loss of every epoch done.
        seconds: wall clock so far.
        last_wrong: for each fact the last epoch, from 1, in which it was not yet learned when
            its turn came; 0 while there was none.
        text_losses: the loss of each text when its turn came last, by its number in writing, where
            facts have several forms.
        texts_learned: the texts that were learned when their turn came last, likewise.
        reason: why the run is over; empty while it is not.
    """

    epoch: int = 0
    cursor: int = 0
    batches: int = 0
    updates: int = 0
    loss_sum: float = 0.0
    learned: int = 0
    facts: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    last_wrong: list[int] = field(default_factory=list)
    text_losses: dict[str, float] = field(default_factory=dict)
    texts_learned: dict[str, bool] = field(default_factory=dict)
    reason: str = ""

    def begin_epoch(self, cursor: int = 0) -> None:
        """Forgets the sums of the epoch at hand."""
        self.cursor, self.loss_sum, self.learned, self.facts = cursor, 0.0, 0, 0

    def add_text(self, text: int, loss: float, right: bool) -> None:
        """Notes a text whose turn came: its loss, and whether it was learned."""
        self.text_losses[str(text)] = loss
        self.texts_learned[str(text)] = right

    @property
    def learned_share(self) -> float:
        """Share of the epoch's facts that were learned, each when its turn came.

        Where facts have several forms it is that of all texts which had a turn, each at its last.
        """
        known = self.texts_learned.values()
        return sum(known) / len(known) if known else self.learned / self.facts

    def learned_by(self, form_of: Callable[[int], str]) -> dict[str, float]:
        """For each form the share of its texts that were learned when their turn came last.

        Args:
            form_of: the form of a text.
        """
        rights: dict[str, list[bool]] = {}
        for text, right in self.texts_learned.items():
            rights.setdefault(form_of(int(text)), []).append(right)
        return {form: sum(found) / len(found) for form, found in sorted(rights.items())}

    def add(self, loss: float, learned: int, facts: int, stepped: bool) -> None:
        """Notes a batch: its mean loss, its facts, how many were learned, whether it stepped."""
        self.cursor += 1
        self.batches += 1
        self.updates += stepped
        self.loss_sum += loss * facts
        self.learned += learned
        self.facts += facts

    def end_epoch(self) -> None:
        """Notes the mean loss of what `learned_share` is of, and begins the next epoch."""
        known = self.text_losses.values()
        self.losses.append(sum(known) / len(known) if known else self.loss_sum / self.facts)
        self.epoch += 1
        self.begin_epoch()


def write_checkpoint(path: Path, tuned: Kept, progress: Progress, identity: dict[str, Any]) -> None:
    """Saves a run's state.

    Args:
        path: the file; its folder is made.
        tuned: the weights, and whatever else the run needs to go on.
        progress: where the run is.
        identity: what must be the same when the run goes on: settings, facts, base.

    Raises:
        PatchError: the file cannot be written.
    """
    metadata = {
        "progress": json.dumps(asdict(progress)),
        "identity": json.dumps(identity, sort_keys=True),
    }
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in tuned.state().items()}
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, beside, metadata=metadata)
        as_new_file(beside)
        beside.replace(path)
    except OSError as error:
        raise PatchError(
            f"The checkpoint '{path}' cannot be written: {error.strerror or error}."
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def read_checkpoint(path: Path, tuned: Kept, identity: dict[str, Any]) -> Progress:
    """Puts a run's state back into `tuned`.

    Raises:
        PatchError: there is no such file, it is damaged or not sound, or it belongs to another
            run.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors: dict[str, torch.Tensor] = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise PatchError(
            f"There is no checkpoint that can be read at '{path}'. Start the run anew."
        ) from error
    theirs = _record(path, metadata.get("identity", "{}"), dict[str, Any])
    differing = sorted(
        key for key in identity.keys() | theirs.keys() if identity.get(key) != theirs.get(key)
    )
    if differing:
        told = one_line(", ".join(differing))
        raise PatchError(
            f"The checkpoint '{path}' belongs to another run: {told} differ. Use "
            "the same model, facts and settings, or start anew."
        )
    progress: Progress = _record(path, metadata.get("progress", ""), Progress)
    try:
        tuned.load_state(tensors)
    except (KeyError, RuntimeError) as error:
        raise PatchError(
            f"The checkpoint '{path}' lacks weights of this run, or has others "
            f"({one_line(str(error))}). Start the run anew."
        ) from error
    return progress


def _record(path: Path, text: str, kind: Any) -> Any:
    """A part of the record of a checkpoint, which may come from anywhere."""
    try:
        return from_text(kind, text)
    except RecordError as error:
        raise PatchError(
            f"The checkpoint '{path}' has no sound record. {one_line(str(error))} Start the run "
            "anew."
        ) from error
