"""What the weight files say of their tensors: names, dtypes and shapes, without reading a weight.

Knows the safetensors header; nothing about models.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from workbench.errors import ModelError

__all__ = ["Stored", "StoredTensor", "read_headers"]

FLOATS = ("F64", "F32", "F16", "BF16")
POINTER = b"version https://git-lfs"


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor in a file.

    Args:
        dtype: safetensors' name of its dtype, such as ``BF16``.
        shape: its shape.
    """

    dtype: str
    shape: tuple[int, ...]

    @property
    def is_plain(self) -> bool:
        """Whether each of its weights is a number in 16 bits or more."""
        return self.dtype in FLOATS


Stored = dict[str, StoredTensor]


def read_headers(files: Iterable[Path]) -> Stored:
    """The tensors of some files, by name.

    Raises:
        ModelError: a file is damaged, or stands for one that was not fetched.
    """
    found: Stored = {}
    for path in files:
        try:
            with path.open("rb") as start:
                if start.read(len(POINTER)) == POINTER:
                    raise ModelError(
                        f"'{path}' is a Git LFS pointer, not the weights. Run 'git lfs pull' in "
                        f"'{path.parent}'."
                    )
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118
                    part = file.get_slice(name)
                    found[name] = StoredTensor(part.get_dtype(), tuple(part.get_shape()))
        except (OSError, SafetensorError) as error:
            raise ModelError(
                f"The weights in '{path}' cannot be read ({error}). Fetch or save the file again."
            ) from error
    return found
