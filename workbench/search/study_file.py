"""A study as a folder: its settings as YAML, and what is kept of it as a file of records."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.errors import PatchError
from workbench.facts import Fact
from workbench.model.language_model import LanguageModel
from workbench.search.study import Study
from workbench.search.study_settings import StudySettings
from workbench.work.event_file import EventFile
from workbench.work.events import Event

__all__ = ["StudyFile", "open_study"]

SETTINGS_FILE = "study.yaml"


class StudyFile(EventFile):
    """Kept events in a folder.

    Args:
        folder: is made when the first event is added.
        identity: `Study.identity` of the study at hand.

    Raises:
        PatchError: the folder holds another study, or something that is none.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        super().__init__(folder / "study.jsonl", identity, "study")
        self._settings = StudySettings.from_dict(identity["settings"])

    def add(self, event: Event) -> None:
        """Keeps an event, and beside the first one the settings.

        Raises:
            PatchError: it cannot be written.
        """
        super().add(event)
        if len(self.events) == 1:
            self._write_settings()

    def _write_settings(self) -> None:
        path = self.path.with_name(SETTINGS_FILE)
        try:
            path.write_text(self._settings.to_yaml(), encoding="utf-8")
        except OSError as error:
            raise PatchError(f"'{path}' cannot be written: {error.strerror or error}.") from error


def open_study(
    model: LanguageModel, facts: Sequence[Fact], settings: StudySettings, folder: Path | None
) -> tuple[Study, StudyFile | None]:
    """A study that goes on from what a folder keeps of it, with the file to keep more in.

    Args:
        model: the model.
        facts: what it draws from.
        settings: of the study.
        folder: where it is kept; none: it is not.

    Raises:
        PatchError: see `StudyFile`.
        FactsError, LocationError, ModelError: see `Study`.
    """
    run = Study(model, facts, settings)
    if folder is None:
        return run, None
    kept = StudyFile(folder, run.identity())
    return Study(model, facts, settings, done=kept.events) if kept.events else run, kept
