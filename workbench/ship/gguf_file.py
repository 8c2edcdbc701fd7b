"""A GGUF file with other values for some of its tensors; everything else is copied byte for byte.

What the file says of itself is copied as it stands; of the table of tensors only the types and
places that change are new. Knows nothing about models.
"""

import struct
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from gguf import GGMLQuantizationType, dequantize

from workbench.model.gguf_header import GgufHeader, GgufTensor
from workbench.work.stop import Stop

__all__ = ["Replaced", "read_raw", "read_values", "size_with", "writing_replaced"]

Array = np.ndarray[Any, Any]
AT_ONCE = 16 * 2**20  # bytes


@dataclass(frozen=True, slots=True)
class Replaced:
    """What stands in a tensor's place.

    Args:
        kind: how its values are stored.
        data: its bytes.
    """

    kind: GGMLQuantizationType
    data: bytes


def read_raw(header: GgufHeader, name: str) -> Array:
    """A tensor's bytes."""
    tensor = header.tensors[name]
    return np.fromfile(header.path, np.uint8, count=tensor.size, offset=tensor.start)


def read_values(header: GgufHeader, name: str) -> Array:
    """A tensor's values in float32, in its shape."""
    tensor, raw = header.tensors[name], read_raw(header, name)
    if tensor.kind.name in ("F32", "F16"):
        raw = raw.view(np.float32 if tensor.kind.name == "F32" else np.float16)
        return np.asarray(raw, np.float32).reshape(tensor.shape)
    return np.asarray(dequantize(raw, tensor.kind), np.float32).reshape(tensor.shape)


def size_with(header: GgufHeader, replaced: Mapping[str, Replaced]) -> int:
    """How many bytes the file with these tensors takes."""
    starts, end = _places(header, replaced)
    return _data_at(header) + (end if starts else 0)


def writing_replaced(
    header: GgufHeader,
    replaced: Mapping[str, Replaced],
    out: Path,
    stop: Stop | None = None,
) -> Generator[int, None, None]:
    """Writes the file anew; yields how many bytes are written so far.

    Args:
        header: of the original.
        replaced: by name; tensors of the original.
        out: the new file.
        stop: the wish to end it.

    Raises:
        OSError: it cannot be written, or the original not be read.
        Cancelled: somebody wanted it to end.
    """
    starts, _ = _places(header, replaced)
    with header.path.open("rb") as source, out.open("xb") as target:
        yield from _copied(source, 0, header.table_at, target, stop)
        for name, tensor in header.tensors.items():
            kind = replaced[name].kind if name in replaced else tensor.kind
            target.write(_described(name, tensor, kind, starts[name]))
        for name in sorted(starts, key=lambda name: starts[name]):
            _pad(target, header.alignment)
            if name in replaced:
                target.write(replaced[name].data)
            else:
                tensor = header.tensors[name]
                yield from _copied(source, tensor.start, tensor.size, target, stop)
        if header.path.stat().st_size % header.alignment == 0:
            _pad(target, header.alignment)
        yield target.tell()


def _places(header: GgufHeader, replaced: Mapping[str, Replaced]) -> tuple[dict[str, int], int]:
    """Where each tensor's bytes begin behind the table, in the order of the original; the end."""
    starts: dict[str, int] = {}
    at = 0
    for name, tensor in sorted(header.tensors.items(), key=lambda item: item[1].start):
        starts[name] = at
        size = len(replaced[name].data) if name in replaced else tensor.size
        at += -(-size // header.alignment) * header.alignment
    return starts, at


def _data_at(header: GgufHeader) -> int:
    size = header.table_at + sum(
        len(_described(name, tensor, tensor.kind, 0)) for name, tensor in header.tensors.items()
    )
    return -(-size // header.alignment) * header.alignment


def _described(name: str, tensor: GgufTensor, kind: GGMLQuantizationType, at: int) -> bytes:
    """A tensor's line in the table."""
    called, shape = name.encode(), tensor.shape[::-1]
    return struct.pack(
        f"<Q{len(called)}sI{len(shape)}QIQ", len(called), called, len(shape), *shape, kind, at
    )


def _copied(
    source: BinaryIO, start: int, size: int, target: BinaryIO, stop: Stop | None
) -> Generator[int, None, None]:
    source.seek(start)
    while size:
        if stop is not None:
            stop.check()
        data = source.read(min(size, AT_ONCE))
        if not data:
            raise OSError(f"'{source.name}' ended while it was read")
        target.write(data)
        size -= len(data)
        yield target.tell()


def _pad(target: BinaryIO, alignment: int) -> None:
    target.write(b"\0" * (-target.tell() % alignment))
