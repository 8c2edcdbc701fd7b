"""The settings of methods that go through the facts in LocFT-BF's loop, breadth-first.

Knows nothing about models but their preset.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from workbench.methods.locft_settings import (
    EditSettings,
    automatic_batch_size,
    automatic_epochs,
)
from workbench.methods.method_settings import MethodSettings
from workbench.model.location import parse_locations
from workbench.model.presets import Preset
from workbench.work.settings import setting

__all__ = ["BreadthFirstSettings"]

_WORDS = EditSettings.help()


@dataclass(frozen=True, slots=True)
class BreadthFirstSettings(MethodSettings):
    """What these methods have in common.

    Raises:
        SettingsError: a value makes no sense; the message names the setting.
    """

    tried: ClassVar[str] = "learning_rate"
    rehearses: ClassVar[bool] = True

    at: tuple[str, ...] = setting((), _WORDS["at"], label="Locations")
    learning_rate: float | None = setting(
        None, _WORDS["learning_rate"], label="Learning rate", option="--lr"
    )
    batch_size: int | None = setting(None, _WORDS["batch_size"], label="Batch size", unit="facts")
    epochs: int | None = setting(None, _WORDS["epochs"], label="Epochs", unit="passes")
    seed: int = setting(0, _WORDS["seed"])

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", tuple(str(where) for where in parse_locations(self.at)))
        self._require_number("learning_rate", optional=True)
        self._require_whole("batch_size", "epochs", least=1, optional=True)
        self._require_whole("seed", least=0)

    def resolved(self, preset: Preset, facts: int) -> Self:
        """These settings with what is automatic filled in.

        Args:
            preset: the start for this model.
            facts: how many facts the run compiles.
        """
        batch_size = self.batch_size or automatic_batch_size(facts)
        return replace(
            self,
            at=self.at or preset.at,
            learning_rate=self.learning_rate or preset.learning_rate,
            batch_size=batch_size,
            epochs=self.epochs or automatic_epochs(facts, batch_size),
        )
