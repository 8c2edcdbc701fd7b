"""Whether a patch's tensors are those that its record names, and whether they fit a model.

Everything is looked at before anything is changed: a patch that fails one test touches nothing.
Which tensor of a model a name in a patch means is told by `LanguageModel.find_tensor` alone.
"""

from collections.abc import Mapping

import torch

from workbench.errors import LocationError, PatchError
from workbench.model.language_model import LanguageModel
from workbench.model.location import parse_locations
from workbench.model.patch_record import PatchRecord
from workbench.work.words import one_line

__all__ = ["require_finite", "require_fit", "require_named"]

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

Tensors = Mapping[str, torch.Tensor]


def require_named(tensors: Tensors, record: PatchRecord) -> None:
    """Makes sure that a patch holds the tensors that its record has hashes for, and no others.

    Args:
        tensors: of the patch.
        record: its record.

    Raises:
        PatchError: it does not, or a tensor holds no ordinary numbers; the message goes on after
            the name of the patch.
    """
    hashed = record.base.hashes
    for name in tensors:
        if name not in hashed:
            raise PatchError(f"it holds a tensor '{_short(name)}' that its record does not name.")
    for name in hashed:
        if name not in tensors:
            raise PatchError(f"its record names a tensor '{_short(name)}' that it does not hold.")
    for name, tensor in tensors.items():
        if tensor.dtype not in DTYPES or tensor.layout != torch.strided:
            held = str(tensor.dtype).removeprefix("torch.")
            raise PatchError(
                f"its tensor '{_short(name)}' holds {held}; weights are plain numbers of 16, 32 "
                "or 64 bits with a point."
            )
    require_finite(tensors)


def require_finite(tensors: Tensors, where: str = "") -> None:
    """Makes sure that every value of some tensors is a finite number.

    Args:
        tensors: of a patch.
        where: where the values are so, for the message.

    Raises:
        PatchError: one is not; the message goes on after the name of the patch.
    """
    for name, tensor in tensors.items():
        wrong = tensor.numel() - int(torch.isfinite(tensor).sum())
        if wrong:
            raise PatchError(
                f"its tensor '{_short(name)}' holds {wrong:,} values that are infinite or no "
                f"number{where}."
            )


def require_fit(tensors: Tensors, record: PatchRecord, model: LanguageModel) -> None:
    """Makes sure that a model is a patch's base, and that the patch changes what it says.

    Args:
        tensors: of the patch; `require_named` holds.
        record: its record.
        model: the model, with no other weights in it.

    Raises:
        PatchError: it is another base, and in what it differs.
    """
    base = record.base
    names = f"for '{one_line(base.name)}', and '{one_line(model.name)}'"
    where = f"This patch was made {names} differs"
    for name, tensor in tensors.items():
        there = model.find_tensor(name)
        if there is None:
            raise PatchError(
                f"{where}: it has no tensor '{_short(name)}'. Load the patch's own base."
            )
        if there.shape != tensor.shape:
            raise PatchError(
                f"{where}: '{_short(name)}' is {tuple(there.shape)} there, "
                f"{tuple(tensor.shape)} here. Load the patch's own base."
            )
    shape = model.shape
    for part in ("model_type", "layers", "hidden_size", "vocab_size"):
        expected, found = getattr(base, part), getattr(shape, part)
        if expected != found:
            raise PatchError(
                f"{where}: its {part} is {one_line(str(found), 60)}, that of the patch's base "
                f"{one_line(str(expected), 60)}. Load the patch's own base."
            )
    for name, expected in base.hashes.items():
        if model.base_hash(name) != expected:
            raise PatchError(
                f"{where}: '{_short(name)}' holds other values. Load the patch's own base, in the "
                "dtype it was made with or a wider one."
            )
    _require_places(tensors, record, model)


def _require_places(tensors: Tensors, record: PatchRecord, model: LanguageModel) -> None:
    """Makes sure that nothing is changed outside of the places that people are told."""
    try:
        inside = model.weights_at(parse_locations(record.at))
    except LocationError as error:
        raise PatchError(
            f"This patch cannot be used: its record names a place that is none here: "
            f"{one_line(str(error), 300)}"
        ) from None
    for name in tensors:
        if name not in inside:
            at = one_line(", ".join(record.at), 100)
            raise PatchError(
                f"This patch cannot be used: it changes '{_short(name)}', which is not in the "
                f"places that it says it changes ({at})."
            )


def _short(name: str) -> str:
    return one_line(name, 100)
