"""What a patch says of itself, checked as a whole before anything is done with it.

The record comes from a file that anybody may have made: every field has its type, numbers are
finite and not negative, hashes are hashes, and nothing is deeper or longer than a record is.
Imports no torch; whether the record fits a model is `workbench.model.patch_check`'s business.
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.errors import LocationError, PatchError, RecordError
from workbench.model.context import context_of
from workbench.model.location import parse_locations
from workbench.work.records import from_data
from workbench.work.words import one_line

__all__ = ["FORMAT", "BaseRecord", "PatchRecord", "checked_record", "parse_record"]

FORMAT = "locft-patch-1"
DEEPEST = 6  # lists and objects inside each other; a method's settings need two
LONGEST_TEXT = 2_000  # characters
MOST_DIGITS = 18  # what a number of 64 bits holds whatever its sign
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BaseRecord:
    """What tells a patch's base again.

    Args:
        name: ``builtin``, a hub id, or a folder.
        model_type, layers, hidden_size, vocab_size: its shape.
        hashes: of the tensors that the patch replaces, by name.
    """

    name: str
    model_type: str
    layers: int
    hidden_size: int
    vocab_size: int
    hashes: dict[str, str]


@dataclass(frozen=True, slots=True)
class PatchRecord:
    """Everything of a patch but its tensors; see `workbench.methods.record`.

    `method` and `dtype` are missing in patches of earlier versions.
    """

    base: BaseRecord
    at: tuple[str, ...]
    facts: int
    facts_digest: str
    settings: dict[str, Any]
    metrics: dict[str, Any]
    versions: dict[str, str]
    created: str
    method: str = "locft-bf"
    dtype: str = ""


def parse_record(header: dict[str, str]) -> dict[str, Any]:
    """The record from what a patch's file carries beside its tensors, not checked yet.

    Args:
        header: the metadata of a safetensors file.

    Raises:
        PatchError: it is that of another format, or no JSON; the message goes on after the name
            of the patch.
    """
    form = header.get("format")
    if form != FORMAT:
        told = f"'{one_line(str(form), 60)}'" if form is not None else "unnamed"
        raise PatchError(
            f"it is not a patch of this version (its format is {told}, expected {FORMAT})."
        )
    if "patch" not in header:
        raise PatchError("it carries no record of its base.")
    try:
        data = json.loads(header["patch"], object_pairs_hook=_once)
    except RecursionError:
        raise PatchError("its record is nested too deeply.") from None
    except ValueError as error:
        raise PatchError(f"its record is no JSON: {one_line(str(error))}.") from None
    if not isinstance(data, dict):
        raise PatchError("its record is no JSON object.")
    return data


def checked_record(data: Any) -> PatchRecord:
    """A record whose every value makes sense.

    Args:
        data: as it came out of JSON, or as a method made it.

    Raises:
        PatchError: it is none; the message names the first field that is wrong, and goes on after
            the name of the patch.
    """
    if not isinstance(data, dict):
        raise PatchError("its record is no JSON object.")
    _require_plain(data, "", 0)
    try:
        record = from_data(PatchRecord, data)
    except RecordError as error:
        told = str(error).partition("PatchRecord: ")[2] or str(error)
        raise PatchError(f"its record is not whole: {one_line(told)}") from None
    context = context_of(data)
    _require_base(record.base, context is not None)
    if record.facts < 0:
        raise PatchError(f"its record counts {record.facts} facts.")
    if not _HASH.fullmatch(record.facts_digest):
        raise PatchError("its record has a facts_digest that is no SHA-256.")
    if not record.at and context is None:
        raise PatchError("its record names no place that it changes.")
    try:
        parse_locations(record.at)
    except LocationError as error:
        raise PatchError(f"its record names no place: {one_line(str(error))}") from None
    try:
        datetime.fromisoformat(record.created)
    except ValueError:
        raise PatchError(
            f"its record says that it was made at '{one_line(record.created, 40)}'."
        ) from None
    return record


def _require_base(base: BaseRecord, weightless: bool) -> None:
    if not base.name.strip():
        raise PatchError("its record does not name its base.")
    for name in ("layers", "hidden_size", "vocab_size"):
        if getattr(base, name) < 1:
            raise PatchError(f"its record has a base whose {name} is {getattr(base, name)}.")
    if not base.hashes and not weightless:
        raise PatchError("its record has no hash of its base, so it would fit any.")
    for name, value in base.hashes.items():
        if not _HASH.fullmatch(value):
            raise PatchError(f"its record has no SHA-256 for the base's '{one_line(name, 100)}'.")


def _require_plain(value: Any, where: str, depth: int) -> None:
    """Makes sure that data is JSON of the size of a record, with finite numbers.

    Raises:
        PatchError: it is not, and where.
    """
    place = one_line(where, 80) or "it as a whole"
    if depth > DEEPEST:
        raise PatchError(f"its record is nested too deeply at {place}.")
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise PatchError(
                f"its record has a text of {len(value):,} characters at {place}; "
                f"{LONGEST_TEXT:,} are enough."
            )
        if not _is_text(value):
            raise PatchError(f"its record has a text that is no Unicode at {place}.")
    elif isinstance(value, dict):
        for key, entry in value.items():
            if not isinstance(key, str) or len(key) > LONGEST_TEXT or not _is_text(key):
                raise PatchError(f"its record has a name that is none at {place}.")
            _require_plain(entry, f"{where}.{key}" if where else key, depth + 1)
    elif isinstance(value, list | tuple):
        for number, entry in enumerate(value):
            _require_plain(entry, f"{where}[{number}]", depth + 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise PatchError(f"its record has {value} at {place}.")
    elif isinstance(value, int):
        if abs(value) >= 10**MOST_DIGITS:
            raise PatchError(f"its record has a number beyond 64 bits at {place}.")
    elif value is not None:
        raise PatchError(f"its record has a {type(value).__name__} at {place}.")


def _is_text(text: str) -> bool:
    """Whether a text can be written: JSON can spell halves of characters."""
    return text == text.encode("utf-8", "ignore").decode("utf-8")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, whose names must differ.

    Raises:
        ValueError: one stands there twice.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands in it twice")
    return found
