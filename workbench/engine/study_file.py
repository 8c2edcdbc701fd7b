"""A study as a folder: its settings as YAML, and what is kept of it as JSON lines.

The first line says whose events these are: model, facts, settings. Each further line is one kept
event, written when it happened; a line that a crash cut in two is taken off.
"""

import json
from pathlib import Path
from typing import Any

from workbench.recipe.errors import PatchError
from workbench.recipe.study import StudySettings
from workbench.recipe.study_events import StudyEvent, as_dict, from_dict

__all__ = ["StudyFile"]

EVENTS_FILE = "study.jsonl"
SETTINGS_FILE = "study.yaml"
FORMAT = "locft-study-1"


class StudyFile:
    """Kept events in a folder.

    Args:
        folder: is made when the first event is added.
        identity: `Study.identity` of the study at hand.

    Raises:
        PatchError: the folder holds another study, or something that is none.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self.path = folder / EVENTS_FILE
        self._settings = StudySettings.from_dict(identity["settings"])
        self._first = json.dumps({"format": FORMAT, **identity}, ensure_ascii=False)
        self.events: list[StudyEvent] = []
        if self.path.is_file():
            self._read(json.loads(self._first))

    def _read(self, expected: dict[str, Any]) -> None:
        try:
            content = self.path.read_text(encoding="utf-8")
            whole = content[: content.rfind("\n") + 1]
            lines = [json.loads(line) for line in whole.splitlines()]
            found = lines[0] if lines else expected
            differing = [key for key in expected if found.get(key) != expected[key]]
            events = [from_dict(data) for data in lines[1:]]
        except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
            raise PatchError(
                f"'{self.path}' cannot be read as a study. Choose another --out."
            ) from error
        if differing:
            raise PatchError(
                f"'{self.path}' holds another study: {', '.join(differing)} differ. Use the same "
                "model, facts and settings, or choose another --out."
            )
        self.events = events
        if whole != content:
            self.path.write_text(whole, encoding="utf-8")

    def add(self, event: StudyEvent) -> None:
        """Keeps an event.

        Raises:
            PatchError: it cannot be written.
        """
        line = json.dumps(as_dict(event), ensure_ascii=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as out:
                if out.tell() == 0:
                    out.write(self._first + "\n")
                    settings = self.path.with_name(SETTINGS_FILE)
                    settings.write_text(self._settings.to_yaml(), encoding="utf-8")
                out.write(line + "\n")
        except OSError as error:
            raise PatchError(
                f"'{self.path}' cannot be written: {error.strerror or error}."
            ) from error
        self.events.append(event)
