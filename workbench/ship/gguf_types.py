"""The types in which values are stored in GGUF files: which can be written, and which is better.

A type is better when it has more bits for a weight. Some types can be read and not written here;
then the next better one takes their place.
"""

from functools import cache
from math import prod
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

from workbench.errors import PatchError

__all__ = ["LADDER", "bits", "candidates", "is_written", "rounded", "stored", "tolerance"]

Array = np.ndarray[Any, Any]

LADDER = tuple(
    GGMLQuantizationType[name] for name in ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "F16", "F32")
)
"""The types that are tried, from coarse to fine."""

# How far values may be from those that they were rounded from, as a share of their size.
TOLERANCES = ((16.0, 0.01), (8.0, 0.02), (6.0, 0.06), (5.0, 0.1), (4.0, 0.2), (3.0, 0.35))
COARSEST = 0.6


def bits(kind: GGMLQuantizationType) -> float:
    """How many bits a weight takes."""
    values, size = GGML_QUANT_SIZES[kind]
    return float(8 * size / values)


def tolerance(kind: GGMLQuantizationType) -> float:
    """How far a tensor of a type may be from the one that it was made from.

    As the root of the mean square of the differences, relative to that of the values. Wider than
    what rounding does, and far below what other weights give.
    """
    return next((far for least, far in TOLERANCES if bits(kind) >= least), COARSEST)


def candidates(
    original: GGMLQuantizationType, wanted: str | None, shape: tuple[int, ...]
) -> list[GGMLQuantizationType]:
    """The types in which a tensor may be written, the first choice first.

    Args:
        original: its type in the original.
        wanted: the one that somebody named; None for the original's, then better ones.
        shape: of the tensor, whose rows must hold whole blocks.

    Raises:
        PatchError: its rows hold no whole blocks of the wanted type.
    """
    if len(shape) < 2:  # llama.cpp computes with vectors in float32
        return [original]
    if wanted is not None:
        kind = GGMLQuantizationType[wanted.upper()]
        if not _fits(kind, shape):
            raise PatchError(
                f"{wanted} keeps weights in blocks of {GGML_QUANT_SIZES[kind][0]}, and a row of "
                f"this tensor has {shape[-1]}. Choose f16 or f32."
            )
        return [kind]
    same = [original] if is_written(original) else []
    better = [kind for kind in LADDER if bits(kind) > bits(original)]
    return [kind for kind in (*same, *better) if _fits(kind, shape)]


def stored(values: Array, kind: GGMLQuantizationType) -> bytes:
    """Values as bytes of a type."""
    return bytes(quants.quantize(np.ascontiguousarray(values, np.float32), kind).tobytes())


def rounded(values: Array, kind: GGMLQuantizationType) -> Array:
    """Values as they are read again after they were stored."""
    raw = quants.quantize(np.ascontiguousarray(values, np.float32), kind)
    return np.asarray(quants.dequantize(raw, kind), np.float32).reshape(values.shape)


def _fits(kind: GGMLQuantizationType, shape: tuple[int, ...]) -> bool:
    return prod(shape) > 0 and shape[-1] % GGML_QUANT_SIZES[kind][0] == 0


@cache
def is_written(kind: GGMLQuantizationType) -> bool:
    """Whether gguf itself writes a type."""
    try:
        quants.quantize(np.zeros((1, GGML_QUANT_SIZES[kind][0]), np.float32), kind)
    except NotImplementedError:
        return False
    return True
