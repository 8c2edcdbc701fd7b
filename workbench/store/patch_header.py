"""What a patch's file says of itself, read without its tensors and without their library.

The file is safetensors: eight bytes with the length of a JSON header, then the header, in which
the patch's own record is JSON under ``__metadata__``.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import PatchError
from workbench.model.patch_record import checked_record, parse_record

__all__ = ["PatchHeader", "read_patch_header"]

FILE_NAME = "patch.safetensors"
LONGEST = 10_000_000  # bytes; a longer header is none


@dataclass(frozen=True, slots=True)
class PatchHeader:
    """What stands in a patch's file.

    Args:
        bytes: size of the file.
        tensors: shape and type of each tensor, such as ``192 × 512 F32``, by name.
        versions: of what made it, by name.
        created: when, as ISO 8601.
    """

    bytes: int
    tensors: dict[str, str]
    versions: dict[str, str]
    created: str


def read_patch_header(folder: Path) -> PatchHeader | None:
    """The header of the patch in a folder; None when it is missing or damaged."""
    file = folder / FILE_NAME
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            if length > LONGEST:
                return None
            header = json.loads(opened.read(length))
        record = checked_record(parse_record(header.pop("__metadata__")))
        return PatchHeader(
            bytes=file.stat().st_size,
            tensors={
                name: f"{' × '.join(map(str, entry['shape']))} {entry['dtype']}"
                for name, entry in header.items()
            },
            versions=record.versions,
            created=record.created,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, PatchError):
        return None
