"""An edit as a task vector: a folder of differences that merge tools read like a model.

Merge tools want every tensor of the base. Those that the edit left are zeros, in a file with
holes: it takes no room on disks that know such files. Invariant: base and difference, added in
float32, are the edited weights but for the last bit.
"""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file

from workbench.errors import PatchError
from workbench.model.experts import split_part
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.ship.result import ExportResult
from workbench.work.events import Progress, Work
from workbench.work.files import as_new_files, new_folder
from workbench.work.stop import Stop

__all__ = ["exporting_delta"]

CHANGED, ZEROS = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"
NAMES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}


def exporting_delta(
    model: LanguageModel, patch: Patch, out: Path, stop: Stop | None = None
) -> Work[ExportResult]:
    """Writes the difference between the edited model and its base.

    Args:
        model: the base.
        patch: the edit.
        out: a new folder.
        stop: the wish to end it.

    Raises:
        Cancelled: somebody wanted it to end; no folder is left.
        PatchError: another base, experts that files keep under other names, or a folder that
            cannot be written.
    """
    patch.check(model)
    if any(split_part(name)[1] is not None for name in patch.tensors):
        raise PatchError(
            "This edit changes single experts, which checkpoints keep under other names than the "
            "model in memory. Export the full model, and let the merge tool take the difference."
        )
    yield Progress(0, 2, f"Writing the differences to {out}")
    dtype = model.dtype
    changed = {
        name: (tensor.float() - model.tensor(name).float().cpu()).to(dtype).contiguous()
        for name, tensor in patch.tensors.items()
    }
    zeros = {name: shape for name, shape in _shapes(model).items() if name not in changed}
    with new_folder(out) as beside:
        if stop is not None:
            stop.check()
        save_file(changed, beside / CHANGED, metadata={"format": "pt"})
        size = _write_zeros(beside / ZEROS, zeros, dtype)
        weight_map = dict.fromkeys(changed, CHANGED) | dict.fromkeys(zeros, ZEROS)
        total = size + sum(tensor.nbytes for tensor in changed.values())
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        (beside / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
        model.network.config.save_pretrained(beside)
        model.tokenizer.save_pretrained(beside)
        as_new_files(beside)
    yield Progress(2, 2)
    held = sum(tensor.nbytes for tensor in changed.values())
    return ExportResult("delta", out, held, told={"tensors": len(changed), "base": model.name})


def _shapes(model: LanguageModel) -> dict[str, tuple[int, ...]]:
    """The base's tensors as files have them: those that are shared once."""
    seen: set[int] = set()
    found = {}
    for name, parameter in model.network.named_parameters(remove_duplicate=True):
        if parameter.data_ptr() not in seen:
            seen.add(parameter.data_ptr())
            found[name] = tuple(parameter.shape)
    return found


def _write_zeros(file: Path, shapes: Mapping[str, tuple[int, ...]], dtype: torch.dtype) -> int:
    """Writes a file of safetensors that are all zeros, without writing them; returns their size."""
    each = torch.empty(0, dtype=dtype).element_size()
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in shapes.items():
        size = each * int(torch.tensor(shape).prod())
        header[name] = {"dtype": NAMES[dtype], "shape": shape, "data_offsets": [at, at + size]}
        at += size
    said = json.dumps(header).encode()
    said += b" " * (-len(said) % 8)
    with file.open("xb") as target:
        target.write(struct.pack("<Q", len(said)) + said)
        target.truncate(target.tell() + at)
    return at
