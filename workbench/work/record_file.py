"""Records as a file of JSON lines, so that work that was broken off can go on.

The first line says whose records these are: model, facts, settings. Each further line is one
record, written when it was made; a line that a crash cut in two is taken off.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from workbench.errors import PatchError

__all__ = ["RecordFile"]

Record = TypeVar("Record")


class RecordFile(Generic[Record]):
    """Records kept in a file.

    Args:
        path: is made, with its folder, when the first record is added.
        identity: whose records these are, as JSON-ready data.
        noun: what they are records of, for messages: "sweep".
        write: a record as JSON-ready data.
        read: the record that such data is.

    Raises:
        PatchError: the file holds records of something else, or is none.
    """

    def __init__(
        self,
        path: Path,
        identity: dict[str, Any],
        noun: str,
        write: Callable[[Record], dict[str, Any]],
        read: Callable[[dict[str, Any]], Record],
    ) -> None:
        self.path = path
        self.records: list[Record] = []
        self._noun = noun
        self._write = write
        self._first = json.dumps({"format": f"locft-{noun}-1", **identity}, ensure_ascii=False)
        if path.is_file():
            self._read(json.loads(self._first), read)

    def _read(self, expected: dict[str, Any], read: Callable[[dict[str, Any]], Record]) -> None:
        try:
            content = self.path.read_text(encoding="utf-8")
            whole = content[: content.rfind("\n") + 1]
            lines = [json.loads(line) for line in whole.splitlines()]
            found = lines[0] if lines else expected
            differing = [key for key in expected if found.get(key) != expected[key]]
            records = [] if differing else [read(data) for data in lines[1:]]
        except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
            raise PatchError(
                f"'{self.path}' cannot be read as a {self._noun}. Choose another --out."
            ) from error
        if differing:
            raise PatchError(
                f"'{self.path}' holds another {self._noun}: {', '.join(differing)} differ. Use "
                "the same model, facts and settings, or choose another --out."
            )
        self.records = records
        if whole != content:
            self.path.write_text(whole, encoding="utf-8")

    def add(self, record: Record) -> None:
        """Keeps a record.

        Raises:
            PatchError: it cannot be written.
        """
        line = json.dumps(self._write(record), ensure_ascii=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as out:
                if out.tell() == 0:
                    out.write(self._first + "\n")
                out.write(line + "\n")
        except OSError as error:
            raise PatchError(
                f"'{self.path}' cannot be written: {error.strerror or error}."
            ) from error
        self.records.append(record)
