"""What a session remembers besides its rows: its name, its model, the choices on the page.

Invariant: values are JSON; a name that was never set has the default given here or by the
caller. Knows nothing about what the page does with them.
"""

import json
from collections.abc import Callable
from typing import Any

from workbench.actions import settings_class
from workbench.errors import SessionError, SettingsError, WorkbenchError
from workbench.methods.base import LOCFT_BF, METHODS, Method, find_method
from workbench.methods.locft_settings import EditSettings
from workbench.model.choice import ModelChoice
from workbench.model.summary import ModelSummary
from workbench.store.database import Database, to_json
from workbench.work.colours import SERIES_NAMES
from workbench.work.records import as_data, from_data
from workbench.work.settings import SettingsRecord

__all__ = ["FOREIGN_MODEL", "MOST_PROCESSES", "ModelChoice", "Settings"]

FOREIGN_MODEL = "foreign_model"  # the setting that says that nobody here chose the model yet

LONGEST_RUN_NAME = 80  # characters
MOST_PROCESSES = 64  # that share a run of a session
MOST_MODELS = 20  # that a session remembers


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

    @property
    def models_used(self) -> list[str]:
        """Names of the models that this session was told to edit, the last first."""
        kept = (str(name) for name in self.get("models_used", []))
        return list(dict.fromkeys([self.model.name, *kept]))

    @property
    def processes(self) -> int:
        """How many processes share a run, each on a GPU of its own where there are GPUs."""
        found = self.get("processes", 1)
        return found if isinstance(found, int) and 1 <= found <= MOST_PROCESSES else 1

    def share_over(self, processes: int) -> None:
        """Shares the next runs over so many processes.

        Raises:
            SettingsError: so many are not possible.
        """
        if not 1 <= processes <= MOST_PROCESSES:
            raise SettingsError(f"A run is shared by 1 to {MOST_PROCESSES} processes.")
        self.set("processes", processes)

    def choose_model(self, choice: ModelChoice) -> None:
        """Takes another model; what was known of the one before is forgotten."""
        names = [choice.name, *(name for name in self.models_used if name != choice.name)]
        self.set("models_used", names[:MOST_MODELS])
        self.set("model", choice.as_dict())
        self._accept_model()
        self.set("summary", None)
        for method in METHODS:
            self.set(_key("edit", method), {})
        self.set("shown_run", None)
        self.set("before_run", None)

    @property
    def model_is_confirmed(self) -> bool:
        """Whether a person here chose the model; until then that of an imported session is a name.

        Nothing is loaded for it, and so nothing asked of the network.
        """
        return not self.get(FOREIGN_MODEL, False)

    def confirm_model(self, name: str) -> None:
        """A person takes the model that an imported session names.

        Args:
            name: as the person saw it.

        Raises:
            SessionError: the session names another one by now.
        """
        if self.model.name != name:
            raise SessionError("The session names another model by now. Look again, then confirm.")
        self._accept_model()

    def _accept_model(self) -> None:
        if not self.model_is_confirmed:
            self.set(FOREIGN_MODEL, False)
            self.set("summary", None)

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
        found: EditSettings = self.of("edit")
        return found

    @property
    def method(self) -> Method:
        """The method of the next run."""
        return METHODS.get(str(self.get("method", LOCFT_BF.key)), LOCFT_BF)

    def choose_method(self, method: str) -> None:
        """Takes another method for the next run.

        Raises:
            SettingsError: there is no such method.
        """
        self.set("method", find_method(method).key)

    def of(self, action: str, method: str = LOCFT_BF.key) -> Any:
        """How an action is done next: the settings of its class in the table of actions.

        Args:
            action: its name.
            method: of ``edit``, whose settings depend on it.
        """
        kept = self.get(_key(action, method), {})
        if action == "sweep" and (weights := self.get("sweep_weights")):
            # Earlier versions kept the weights of the score apart.
            kept = {"weights": weights, **kept}
        return settings_class(action, method).from_dict(kept)

    def keep(self, action: str, settings: SettingsRecord, method: str = LOCFT_BF.key) -> None:
        """Keeps how an action is done next."""
        self.set(_key(action, method), settings.as_dict())

    def change(
        self,
        action: str,
        to: Callable[[Any], SettingsRecord],
        method: str = LOCFT_BF.key,
    ) -> None:
        """Keeps what a function makes of how an action is done next; no other change is lost.

        Args:
            action: its name.
            to: called with the settings as they are.
            method: of ``edit``.
        """
        with self._database.transaction():
            self.keep(action, to(self.of(action, method)), method)

    @property
    def shown_run(self) -> int | None:
        """The run that is shown as "after"; None for the base alone."""
        found: int | None = self.get("shown_run")
        return found

    @property
    def run_names(self) -> dict[int, str]:
        """The names that people gave to runs, by the runs' numbers."""
        return {int(run): str(name) for run, name in self.get("run_names", {}).items()}

    def name_run(self, run: int, name: str) -> None:
        """Gives a run a name, or takes it away again with an empty one."""
        names = {**self.run_names, run: " ".join(name.split())[:LONGEST_RUN_NAME]}
        self.set("run_names", {str(each): words for each, words in names.items() if words})

    @property
    def pinned_runs(self) -> tuple[int, ...]:
        """The runs that stand first wherever runs are listed, by their numbers."""
        return tuple(self.get("pinned_runs", ()))

    def pin_run(self, run: int, pinned: bool) -> None:
        """Has a run stand first, or where it would."""
        others = [other for other in self.pinned_runs if other != run]
        self.set("pinned_runs", [*others, run] if pinned else others)

    @property
    def run_colours(self) -> dict[int, int]:
        """The colours that people chose for runs: places in the palette, from 1."""
        return {int(run): int(place) for run, place in self.get("run_colours", {}).items()}

    def colour_run(self, run: int, place: int) -> None:
        """Gives a run a colour of the palette, or with 0 the one that it had of itself.

        Raises:
            SessionError: the palette has no such place.
        """
        if not 0 <= place <= len(SERIES_NAMES):
            raise SessionError(f"There are {len(SERIES_NAMES)} colours for runs.")
        colours = {**self.run_colours, run: place}
        self.set("run_colours", {str(each): number for each, number in colours.items() if number})

    @property
    def before_run(self) -> int | None:
        """The run that is shown as "before"; None for the base."""
        found: int | None = self.get("before_run")
        return found


def _key(action: str, method: str) -> str:
    """Under which name the settings of an action are kept."""
    if action == "edit" and method != LOCFT_BF.key:
        return f"edit:{method}"
    return {"evaluate": "evaluation"}.get(action, action)
