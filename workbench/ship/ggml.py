"""Values as llama.cpp's own quantizers store them, by the library that comes with xllamacpp.

gguf writes some types by itself; the others, such as Q4_K, are llama.cpp's alone. Its one function
is called in this process: it computes, and reads and writes nothing else.
"""

import ctypes
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

from workbench.errors import ModelError
from workbench.ship.gguf_types import is_written
from workbench.ship.llama_cpp import MISSING, is_llama_there

__all__ = ["BY_LLAMA", "Array", "quantized"]

Array = np.ndarray[Any, Any]
ROWS_AT_ONCE = 512

BY_LLAMA = frozenset(
    GGMLQuantizationType[name] for name in ("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL")
)
"""The types that are made by llama.cpp's library, without a matrix of importances."""


def quantized(values: Array, kind: GGMLQuantizationType) -> Array:
    """Values as the bytes of a type.

    Args:
        values: in rows of whole blocks of the type.
        kind: which type.

    Raises:
        ModelError: it cannot be made here.
    """
    rows = np.ascontiguousarray(values, np.float32).reshape(-1, values.shape[-1])
    if kind not in BY_LLAMA:
        if not is_written(kind):
            raise ModelError(f"{kind.name.lower()} cannot be made here.")
        return np.asarray(quants.quantize(rows, kind)).view(np.uint8).reshape(len(rows), -1)
    block, size = GGML_QUANT_SIZES[kind]
    made = np.zeros((len(rows), rows.shape[1] // block * size), np.uint8)
    quantize = _quantizer()

    def part(start: int) -> int:
        count = min(ROWS_AT_ONCE, len(rows) - start)
        source, target = (array.ctypes.data_as(ctypes.c_void_p) for array in (rows, made))
        # The first value's number says where to read and to write.
        at = start * rows.shape[1]
        return int(quantize(int(kind), source, target, at, count, rows.shape[1], None))

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        written = sum(pool.map(part, range(0, len(rows), ROWS_AT_ONCE)))
    if written != made.nbytes:
        raise ModelError(f"llama.cpp made something else than {kind.name.lower()}.")
    return made


@cache
def _quantizer() -> Any:
    """llama.cpp's function.

    Raises:
        ModelError: it is not here.
    """
    if not is_llama_there():
        raise ModelError(f"This type is made by llama.cpp: {MISSING}.")
    import xllamacpp.xllamacpp as library

    try:
        function = ctypes.CDLL(library.__file__).ggml_quantize_chunk
    except (OSError, AttributeError):
        raise ModelError("The llama.cpp that is here gives its quantizers to nobody.") from None
    whole = ctypes.c_int64
    function.argtypes = [
        *(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p),
        *(whole, whole, whole, ctypes.c_void_p),
    ]
    function.restype = ctypes.c_size_t
    return function
