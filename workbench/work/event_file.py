"""Events as a file of JSON lines, so that work that was broken off can go on.

The first line says whose events these are: model, facts, settings. Each further line is one
event, written when it was made; a line that a crash cut in two is taken off.
"""

import json
from pathlib import Path
from typing import Any

from workbench.errors import PatchError, RecordError
from workbench.work.events import Event

__all__ = ["EventFile"]


class EventFile:
    """Kept events of one piece of work.

    Args:
        path: is made, with its folder, when the first event is added.
        identity: whose events these are, as JSON-ready data.
        noun: what they are events of, for messages: "sweep".

    Raises:
        PatchError: the file holds events of something else, or is none.
    """

    def __init__(self, path: Path, identity: dict[str, Any], noun: str) -> None:
        self.path = path
        self.events: list[Event] = []
        self._noun = noun
        self._first = json.dumps({"format": f"locft-{noun}-1", **identity}, ensure_ascii=False)
        if path.is_file():
            self._read(json.loads(self._first))

    def _read(self, expected: dict[str, Any]) -> None:
        try:
            content = self.path.read_text(encoding="utf-8")
            whole = content[: content.rfind("\n") + 1]
            lines = [json.loads(line) for line in whole.splitlines()]
            found = lines[0] if lines else expected
            differing = [key for key in expected if found.get(key) != expected[key]]
            events = [] if differing else [Event.from_dict(data) for data in lines[1:]]
        except (OSError, ValueError, AttributeError, RecordError) as error:
            raise PatchError(
                f"'{self.path}' cannot be read as a {self._noun}. Choose another --out."
            ) from error
        if differing:
            raise PatchError(
                f"'{self.path}' holds another {self._noun}: {', '.join(differing)} differ. Use "
                "the same model, facts and settings, or choose another --out."
            )
        self.events = events
        if whole != content:
            self.path.write_text(whole, encoding="utf-8")

    def add(self, event: Event) -> None:
        """Keeps an event.

        Raises:
            PatchError: it cannot be written.
        """
        line = json.dumps(event.as_dict(), ensure_ascii=False)
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
        self.events.append(event)
