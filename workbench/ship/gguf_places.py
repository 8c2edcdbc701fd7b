"""Where a model's tensors are in a GGUF file, and how their rows stand there.

Names are told by gguf's own map. Some families are written with rows in another order, matrices
turned, or one added to norms: which of these holds is told by the values themselves, so that a
tensor which fits in no way is one of another model. Invariant: nothing is replaced that was not
found to hold the base's own values. Knows nothing about edits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gguf import MODEL_ARCH_NAMES, GGMLQuantizationType, get_tensor_name_map

from workbench.errors import PatchError
from workbench.model.experts import split_part
from workbench.model.gguf_header import GgufHeader
from workbench.model.language_model import LanguageModel
from workbench.ship.gguf_file import read_values
from workbench.ship.gguf_types import tolerance

__all__ = ["Place", "find_places"]

Array = np.ndarray[Any, Any]
Layout = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one of a model's tensors is in a file.

    Args:
        name: of the tensor in the file.
        kind: how its values are stored there.
        shape: of the tensor in the file.
        layout: puts values as the model has them in the order of the file.
        back: its inverse.
        expert: which of the experts in the tensor is meant; None for the whole.
    """

    name: str
    kind: GGMLQuantizationType
    shape: tuple[int, ...]
    layout: Layout
    back: Layout
    expert: int | None = None


def find_places(header: GgufHeader, model: LanguageModel, names: list[str]) -> dict[str, Place]:
    """Where some of a model's tensors are in a file.

    Args:
        header: of the file.
        model: the base, with no other weights in it.
        names: of its tensors.

    Raises:
        PatchError: the file holds another model, is of an architecture that is not known, or
            keeps one of the tensors in a way that is not known.
    """
    called = {name: kind for kind, name in MODEL_ARCH_NAMES.items()}
    kind = called.get(header.architecture)
    if kind is None:
        raise PatchError(
            f"'{header.path}' is of the architecture '{header.architecture}', whose names of "
            "tensors are not known here. Export the full model, and convert it with llama.cpp's "
            "convert_hf_to_gguf.py."
        )
    _require_shape(header, model)
    names_there = get_tensor_name_map(kind, model.layer_count)
    found = {}
    for name in names:
        stack, expert = split_part(name)
        there = names_there.get_name(stack, try_suffixes=(".weight", ".bias"))
        # A stack of experts has no suffix here, and one there.
        there = there if there in header.tensors or there is None else f"{there}.weight"
        if there is None or there not in header.tensors:
            raise PatchError(
                f"'{header.path}' has no tensor that is known to be '{name}'. Export the full "
                "model, and convert it with llama.cpp's convert_hf_to_gguf.py."
            )
        found[name] = _place(header, model, name, there, expert)
    return found


def _require_shape(header: GgufHeader, model: LanguageModel) -> None:
    """Refuses a file whose model has another number of layers or another width."""
    told = {"block_count": model.shape.layers, "embedding_length": model.shape.hidden_size}
    for key, expected in told.items():
        value = header.values.get(f"{header.architecture}.{key}", expected)
        if value != expected:
            raise PatchError(
                f"'{header.path}' holds another model than '{model.name}': its {key} is {value}, "
                f"not {expected}. Name the GGUF file of the patch's base."
            )


def _place(
    header: GgufHeader, model: LanguageModel, name: str, there: str, expert: int | None
) -> Place:
    tensor = header.tensors[there]
    base = model.tensor(name).float().cpu().numpy()
    values = read_values(header, there)
    values = values if expert is None else values[expert]
    nearest = float("inf")
    for layout, back in _layouts(model, base):
        moved = layout(base)
        if moved.shape != values.shape:
            continue
        size = float(np.sqrt(np.square(moved).mean())) or 1.0
        far = float(np.sqrt(np.square(moved - values).mean())) / size
        if far <= tolerance(tensor.kind):
            return Place(there, tensor.kind, tensor.shape, layout, back, expert)
        nearest = min(nearest, far)
    differ = f" ({nearest:.0%} apart)" if nearest < 10 else ""
    raise PatchError(
        f"'{header.path}' holds another model than '{model.name}': the values of {there} are not "
        f"those of '{name}'{differ}. Name the GGUF file of the patch's base."
    )


def _layouts(model: LanguageModel, base: Array) -> list[tuple[Layout, Layout]]:
    """The ways in which a tensor may stand in a file, each with its inverse."""
    found: list[tuple[Layout, Layout]] = [(lambda v: v, lambda v: v)]
    config = model.text_config
    heads = {getattr(config, name, None) for name in ("num_attention_heads", "num_key_value_heads")}
    for count in sorted(count for count in heads if isinstance(count, int) and count > 0):
        if base.shape[0] % (2 * count) == 0:
            found.append((_paired(count), _halved(count)))
    if base.ndim == 2:
        found.append((lambda v: np.ascontiguousarray(v.T), lambda v: np.ascontiguousarray(v.T)))
    if base.ndim == 1:
        found.append((lambda v: v + 1.0, lambda v: v - 1.0))
    return found


def _paired(heads: int) -> Layout:
    """Rows whose halves turn together in transformers, in the pairs in which llama.cpp does it."""

    def move(values: Array) -> Array:
        split = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
        return np.ascontiguousarray(split.swapaxes(1, 2).reshape(values.shape))

    return move


def _halved(heads: int) -> Layout:
    """The inverse of `_paired`."""

    def move(values: Array) -> Array:
        split = values.reshape(heads, values.shape[0] // heads // 2, 2, *values.shape[1:])
        return np.ascontiguousarray(split.swapaxes(1, 2).reshape(values.shape))

    return move
