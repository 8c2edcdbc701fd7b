"""Typed records as data, and back: what crosses a wall between processes, a file or a database.

A record is a frozen dataclass; its type hints are its schema. One codec for all of them, by
pydantic: tuples are lists in JSON and come back as tuples, a value of another type is refused with
its place. Fields that are missing take their defaults, and fields that are not known are passed
over, so that records of earlier versions are read. Knows nothing about what the records mean.
"""

import json
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from workbench.errors import RecordError

__all__ = ["as_data", "as_text", "from_data", "from_text"]

Record = TypeVar("Record")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def as_data(record: Any) -> Any:
    """A record as JSON-ready data."""
    return to_jsonable_python(record, inf_nan_mode="constants")


def as_text(record: Any) -> str:
    """A record as compact JSON that keeps every script readable."""
    return json.dumps(as_data(record), ensure_ascii=False, separators=(",", ":"))


def from_data(kind: type[Record], data: Any) -> Record:
    """The inverse of `as_data`.

    Args:
        kind: the record's class.
        data: as it came out of JSON.

    Raises:
        RecordError: the data is no such record; the message names the first field that is wrong.
        WorkbenchError: the record's own check refuses a value.
    """
    return from_text(kind, json.dumps(data))


def from_text(kind: type[Record], text: str) -> Record:
    """The inverse of `as_text`.

    Raises:
        RecordError, WorkbenchError: see `from_data`.
    """
    try:
        known: Any = kind
        record: Record = _adapter(known).validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "it as a whole"
        name = getattr(kind, "__name__", str(kind))
        raise RecordError(
            f"This is no record of the kind {name}: {where}: {first['msg'].lower()}."
        ) from error
    return record
