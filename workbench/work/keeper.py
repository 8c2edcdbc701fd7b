"""Where the events of work are kept, so that work that was broken off can go on.

A folder keeps them as a file, a session in its tables, and whoever keeps nothing is forgetful. Work
asks once, before it begins, what is known of just this work, and goes on from there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from workbench.errors import PatchError
from workbench.work.event_file import EventFile
from workbench.work.events import Event
from workbench.work.settings import SettingsRecord

__all__ = ["FORGETFUL", "FolderKeeper", "Keeper"]


class Keeper(Protocol):
    """Keeps the events of one piece of work."""

    def recall(self, identity: dict[str, Any]) -> Sequence[Event]:
        """What is known of earlier parts of this work.

        Args:
            identity: what must be the same for two parts to be of one work, JSON-ready.
        """

    def begin(self, identity: dict[str, Any], known: Sequence[Event]) -> None:
        """The work begins.

        Args:
            identity: as before.
            known: what of that which was recalled belongs to it.
        """

    def take(self, event: Event) -> None:
        """Takes an event as it comes, and keeps it where it is worth keeping."""


class Forgetful:
    """Keeps nothing."""

    def recall(self, identity: dict[str, Any]) -> Sequence[Event]:
        """Nothing is known."""
        return ()

    def begin(self, identity: dict[str, Any], known: Sequence[Event]) -> None:
        """Nothing is to be done."""

    def take(self, event: Event) -> None:
        """The event is told, and forgotten."""


FORGETFUL: Keeper = Forgetful()


class FolderKeeper:
    """Keeps events in a folder, as a file of JSON lines and, where asked, the settings beside it.

    Args:
        folder: is made when the first event is kept.
        noun: what the work is called, such as ``sweep``; the file is named by it.
        kinds: the events that are worth keeping.
        settings: the class of the settings in the identity, which are then written beside the
            first event as YAML; None for no such file.

    Raises:
        PatchError: see `EventFile`; when the work begins.
    """

    def __init__(
        self,
        folder: Path,
        noun: str,
        kinds: tuple[type[Event], ...],
        settings: type[SettingsRecord] | None = None,
    ) -> None:
        self._folder, self._noun, self._kinds, self._settings = folder, noun, kinds, settings
        self._file: EventFile | None = None
        self._identity: dict[str, Any] = {}

    @property
    def events(self) -> list[Event]:
        """All that is kept by now."""
        return self._file.events if self._file is not None else []

    def recall(self, identity: dict[str, Any]) -> Sequence[Event]:
        """What the folder holds of this work."""
        self._identity = identity
        self._file = EventFile(self._folder / f"{self._noun}.jsonl", identity, self._noun)
        return list(self._file.events)

    def begin(self, identity: dict[str, Any], known: Sequence[Event]) -> None:
        """The file is written with the first event."""

    def take(self, event: Event) -> None:
        """Keeps the event, unless it is there already."""
        if self._file is None or not isinstance(event, self._kinds):
            return
        if event in self._file.events:
            return
        self._file.add(event)
        if self._settings is not None and len(self._file.events) == 1:
            self._write_settings(self._settings.from_dict(self._identity["settings"]))

    def _write_settings(self, settings: SettingsRecord) -> None:
        path = self._folder / f"{self._noun}.yaml"
        try:
            path.write_text(settings.to_yaml(), encoding="utf-8")
        except OSError as error:
            raise PatchError(f"'{path}' cannot be written: {error.strerror or error}.") from error
