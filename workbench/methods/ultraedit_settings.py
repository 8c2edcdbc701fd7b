"""The settings of UltraEdit. Knows nothing about models but their preset."""

from dataclasses import dataclass
from typing import ClassVar

from workbench.methods.turns_settings import TurnsSettings
from workbench.model.presets import Preset
from workbench.work.settings import setting

__all__ = ["UltraEditSettings"]


@dataclass(frozen=True, slots=True)
class UltraEditSettings(TurnsSettings):
    """How UltraEdit writes.

    Raises:
        SettingsError: a value makes no sense; the message names the setting.
    """

    tried: ClassVar[str] = "step"

    step: float = setting(
        5e-4,
        "How far each turn goes: eta of UltraEdit, whose code takes 1e-6 for matrices ten times as "
        "wide.",
        label="Step",
    )
    damping: float = setting(
        1.0,
        "What stands before the identity in UltraEdit's solution.",
        label="Damping",
        advanced=True,
    )

    def __post_init__(self) -> None:
        TurnsSettings.__post_init__(self)
        self._require_number("step", "damping")

    def usual_layers(self, preset: Preset) -> tuple[int, ...]:
        """Late layers; see `TurnsSettings.usual_layers`."""
        return preset.late
