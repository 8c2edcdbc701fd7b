"""What a GGUF file says about itself: architecture, file type, its tensors' shapes.

Reads the header alone, so that a file of many gigabytes is told in a moment; the words of its
vocabulary are passed over. Knows nothing about how weights become a model, and imports no torch.
"""

import mmap
import struct
from collections import Counter
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, LlamaFileType

from workbench.errors import ModelError

__all__ = ["GgufHeader", "GgufTensor", "find_gguf", "read_gguf_header"]

ARCHITECTURE = "general.architecture"
_SCALARS = dict(enumerate("BbHhIif?")) | {10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
MOST_DIMENSIONS = 4


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor of a file.

    Args:
        shape: as torch has it, the slowest dimension first.
        kind: how its values are stored.
        start: where its bytes begin in the file.
    """

    shape: tuple[int, ...]
    kind: GGMLQuantizationType
    start: int

    @property
    def size(self) -> int:
        """How many bytes it takes in the file."""
        values, bytes_each = GGML_QUANT_SIZES[self.kind]
        return int(prod(self.shape) // values * bytes_each)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """A file's header.

    Args:
        path: the file.
        values: what it says, by key; of an array only its length.
        tensors: by name, in the order of the table that describes them.
        table_at: where that table begins in the file; what stands before it tells of no tensor.
    """

    path: Path
    values: dict[str, Any]
    tensors: dict[str, GgufTensor]
    table_at: int = 0

    @property
    def architecture(self) -> str:
        """Its family, in llama.cpp's words, such as ``llama``."""
        return str(self.values[ARCHITECTURE])

    @property
    def alignment(self) -> int:
        """Of how many bytes the places of tensors are multiples."""
        return int(self.values.get("general.alignment", 32))

    @property
    def parameters(self) -> int:
        """How many weights it holds."""
        return sum(prod(tensor.shape) for tensor in self.tensors.values())

    @property
    def file_type(self) -> str:
        """How its weights are stored, such as ``Q4_1`` or ``F16``."""
        try:
            name = LlamaFileType(self.values["general.file_type"]).name
        except (KeyError, ValueError):
            held = Counter[str]()
            for tensor in self.tensors.values():
                held[tensor.kind.name] += prod(tensor.shape)
            return held.most_common(1)[0][0]
        return str(name).removeprefix("MOSTLY_").removeprefix("ALL_")

    @property
    def dtype(self) -> str:
        """The precision to go on with; of blocks, that of nearly all models they are made from."""
        return {"F32": "float32", "F16": "float16"}.get(self.file_type, "bfloat16")

    @property
    def origin(self) -> str:
        """Where the weights come from, for the record of what is made with them."""
        return f"GGUF {self.file_type}, dequantized"


def find_gguf(path: Path) -> Path | None:
    """The GGUF file that is meant by a path; None when it holds another kind of model.

    Args:
        path: a file, or a folder. Safetensors that lie in a folder come first; the vision parts
            of a model (``mmproj…``) are passed over.

    Raises:
        ModelError: the folder holds several.
    """
    if path.is_file():
        return path if path.suffix.lower() == ".gguf" else None
    if not path.is_dir() or ((path / "config.json").is_file() and any(path.glob("*.safetensors"))):
        return None
    found = sorted(
        file
        for file in path.iterdir()
        if file.suffix.lower() == ".gguf" and not file.name.startswith("mmproj")
    )
    if len(found) > 1:
        names = ", ".join(file.name for file in found[:6]) + (" …" if len(found) > 6 else "")
        raise ModelError(
            f"The folder '{path}' holds {len(found)} GGUF files: {names}. Choose one of them, with "
            "its name behind the folder's."
        )
    return found[0] if found else None


def read_gguf_header(path: Path) -> GgufHeader:
    """Reads a file's header, and makes sure that the file is whole.

    Raises:
        ModelError: it cannot be read, is cut short, or is a part of a model.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            header = _Reader(path, view).read()
            size = len(view)
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read: {error.strerror or error}.") from error
    except (struct.error, ValueError, OverflowError) as error:
        raise ModelError(
            f"'{path}' is not a GGUF file that can be read: it is damaged, or of a version that is "
            "not known here. Fetch it again, or choose another."
        ) from error
    needed = max((t.start + t.size for t in header.tensors.values()), default=0)
    if needed > size:
        raise ModelError(
            f"'{path}' is cut short: it has {size:,} bytes of {needed:,}. Fetch it again."
        )
    parts = header.values.get("split.count", 0)
    if isinstance(parts, int) and parts > 1:
        raise ModelError(
            f"'{path}' is one of {parts} parts of a model. Join them with 'llama-gguf-split "
            "--merge FIRST-PART WHOLE.gguf', and choose the whole."
        )
    return header


class _Reader:
    """Walks through a header; what lies beyond the end raises struct.error."""

    def __init__(self, path: Path, view: mmap.mmap) -> None:
        self._path, self._view, self._at = path, view, 0

    def read(self) -> GgufHeader:
        if self._view[:4] != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        self._at = 4
        version, tensors, count = self._take("IQQ")
        if version not in (2, 3):
            raise ValueError(f"its version is {version}")
        values = {}
        for _ in range(count):
            key = self._text()
            values[key] = self._value(*self._take("I"))
        if not isinstance(values.get(ARCHITECTURE), str):
            raise ValueError("it names no architecture")
        table_at = self._at
        table = [self._tensor() for _ in range(tensors)]
        unit = values.get("general.alignment", 32)
        if not isinstance(unit, int) or unit < 1:
            raise ValueError("its alignment makes no sense")
        start = -(-self._at // unit) * unit
        return GgufHeader(
            self._path,
            values,
            {name: GgufTensor(shape, kind, start + at) for name, shape, kind, at in table},
            table_at,
        )

    def _take(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{form}", self._view, self._at)
        self._at += struct.calcsize(f"<{form}")
        return found

    def _text(self) -> str:
        (length,) = self._take("Q")
        start, self._at = self._at, self._at + length
        if self._at > len(self._view):
            raise ValueError("a text goes beyond the end")
        return self._view[start : self._at].decode()

    def _value(self, kind: int) -> Any:
        if kind in _SCALARS:
            return self._take(_SCALARS[kind])[0]
        if kind == _STRING:
            return self._text()
        if kind != _ARRAY:
            raise ValueError(f"there is no kind of value {kind}")
        inner, count = self._take("IQ")
        if inner in _SCALARS:
            self._at += count * struct.calcsize(f"<{_SCALARS[inner]}")
        elif inner == _STRING:
            for _ in range(count):
                (length,) = self._take("Q")
                self._at += length
        else:
            raise ValueError("arrays of arrays are not known")
        return count

    def _tensor(self) -> tuple[str, tuple[int, ...], GGMLQuantizationType, int]:
        name = self._text()
        (count,) = self._take("I")
        if count > MOST_DIMENSIONS:
            raise ValueError(f"a tensor has {count} dimensions")
        dimensions = self._take(f"{count}Q")
        kind, start = self._take("IQ")
        return name, tuple(reversed(dimensions)), GGMLQuantizationType(kind), start
