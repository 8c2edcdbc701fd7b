"""What a session remembers besides its rows: its name, its model, the choices on the page.

Invariant: values are JSON; a name that was never set has the default given here or by the
caller. Knows nothing about what the page does with them.
"""

import json
from typing import Any

from workbench.errors import WorkbenchError
from workbench.methods.base import LOCFT_BF, METHODS, Method
from workbench.methods.locft_settings import EditSettings
from workbench.model.choice import ModelChoice
from workbench.model.summary import ModelSummary
from workbench.store.database import Database, to_json
from workbench.work.records import as_data, from_data
from workbench.work.settings import SettingsRecord

__all__ = ["ModelChoice", "Settings"]


class Settings:
    """The settings of one session."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str, default: Any = None) -> Any:
        """A value that was set before, else the default."""
        row = self._database.row("SELECT value FROM settings WHERE name = ?", (name,))
        return default if row is None else json.loads(row["value"])

    def set(self, name: str, value: Any) -> None:
        """Keeps a JSON-ready value."""
        self._database.write(
            "INSERT INTO settings (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, to_json(value)),
        )

    @property
    def name(self) -> str:
        """The session's name, as people call it."""
        return str(self.get("name", "Untitled"))

    @property
    def model(self) -> ModelChoice:
        """The model that this session edits."""
        return ModelChoice.from_dict(self.get("model", {}))

    def choose_model(self, choice: ModelChoice) -> None:
        """Takes another model; what was known of the one before is forgotten."""
        self.set("model", choice.as_dict())
        self.set("summary", None)
        self.set("edit", EditSettings().as_dict())
        self.set("shown_run", None)
        self.set("before_run", None)

    @property
    def summary(self) -> ModelSummary | None:
        """What the worker found out about the model; None until it was loaded once.

        What cannot be read, such as that of another version of the workbench, counts as None.
        """
        try:
            return from_data(ModelSummary, self.get("summary"))
        except WorkbenchError:
            return None

    def keep_summary(self, summary: ModelSummary) -> None:
        """Keeps what the worker found out about the model."""
        self.set("summary", as_data(summary))

    @property
    def edit(self) -> EditSettings:
        """The settings of the next run by LocFT-BF."""
        return EditSettings.from_dict(self.get("edit", {}))

    @property
    def method(self) -> Method:
        """The method of the next run."""
        return METHODS.get(str(self.get("method", LOCFT_BF.key)), LOCFT_BF)

    def settings_of(self, method: Method) -> SettingsRecord:
        """The settings of the next run by a method."""
        return method.settings.from_dict(self.get(_key_of(method), {}))

    def keep_settings_of(self, method: Method, settings: SettingsRecord) -> None:
        """Keeps them."""
        self.set(_key_of(method), settings.as_dict())

    @property
    def shown_run(self) -> int | None:
        """The run that is shown as "after"; None for the base alone."""
        found: int | None = self.get("shown_run")
        return found

    @property
    def before_run(self) -> int | None:
        """The run that is shown as "before"; None for the base."""
        found: int | None = self.get("before_run")
        return found


def _key_of(method: Method) -> str:
    """Under which name the settings of a method are kept."""
    return "edit" if method.key == LOCFT_BF.key else f"edit:{method.key}"
