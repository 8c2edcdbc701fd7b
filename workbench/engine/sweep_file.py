"""The rows of a sweep as a file of JSON lines, so that a sweep that was broken off can go on.

The first line says whose rows these are: model, facts, settings. Each further line is one row,
written and flushed when its location is done; a line that a crash cut in two is taken off.
"""

import json
from pathlib import Path
from typing import Any

from workbench.recipe.errors import PatchError
from workbench.recipe.sweep_events import LocationDone, as_dict, from_dict

__all__ = ["SWEEP_FILE", "SweepFile"]

SWEEP_FILE = "sweep.jsonl"
FORMAT = "locft-sweep-1"


class SweepFile:
    """Rows kept in a folder.

    Args:
        folder: is made when the first row is added.
        identity: `Sweep.identity` of the sweep at hand.

    Raises:
        PatchError: the folder holds rows of another sweep, or something that is none.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self.path = folder / SWEEP_FILE
        self._first = json.dumps({"format": FORMAT, **identity}, ensure_ascii=False)
        self.rows: list[LocationDone] = []
        if self.path.is_file():
            self._read(json.loads(self._first))

    def _read(self, expected: dict[str, Any]) -> None:
        try:
            content = self.path.read_text(encoding="utf-8")
            whole = content[: content.rfind("\n") + 1]
            lines = [json.loads(line) for line in whole.splitlines()]
            found = lines[0] if lines else expected
            differing = [key for key in expected if found.get(key) != expected[key]]
            rows = [from_dict(data) for data in lines[1:]]
        except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
            raise PatchError(
                f"'{self.path}' cannot be read as the rows of a sweep. Choose another --out."
            ) from error
        if differing:
            raise PatchError(
                f"'{self.path}' holds rows of another sweep: {', '.join(differing)} differ. Use "
                "the same model, facts and settings, or choose another --out."
            )
        self.rows = [row for row in rows if isinstance(row, LocationDone)]
        if whole != content:
            self.path.write_text(whole, encoding="utf-8")

    def add(self, row: LocationDone) -> None:
        """Keeps a row.

        Raises:
            PatchError: it cannot be written.
        """
        line = json.dumps(as_dict(row), ensure_ascii=False)
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
        self.rows.append(row)
