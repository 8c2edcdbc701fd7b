"""The settings of UltraEdit. Knows nothing about models but their preset."""

from dataclasses import dataclass, replace
from typing import Self

from workbench.errors import SettingsError
from workbench.methods.method_settings import MethodSettings
from workbench.methods.written_settings import SEQUENCE, WrittenSettings
from workbench.model.location import parse_layers, write_layers
from workbench.model.presets import Preset
from workbench.work.settings import is_number, is_whole, setting

__all__ = ["UltraEditSettings"]


@dataclass(frozen=True, slots=True)
class UltraEditSettings(MethodSettings):
    """How UltraEdit writes.

    Raises:
        SettingsError: a value makes no sense; the message names the setting.
    """

    layers: tuple[int, ...] = setting(
        (),
        WrittenSettings.help()["layers"],
        label="Written layers",
        parse=parse_layers,
        write=write_layers,
    )
    facts_at_once: int | None = setting(
        None, WrittenSettings.help()["facts_at_once"], label="Facts at once", unit="facts"
    )
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
        object.__setattr__(self, "layers", tuple(sorted(set(self.layers))))
        for layer in self.layers:
            if not is_whole(layer, 0):
                raise SettingsError(
                    f"layers holds {layer!r}; each must be a whole number, 0 or more."
                )
        self._require_whole("facts_at_once", least=1, optional=True)
        for name in ("step", "damping"):
            value = getattr(self, name)
            if not is_number(value) or value <= 0:
                raise SettingsError(f"{name} is {value!r}; it must be a number above 0.")

    def resolved(self, preset: Preset, facts: int) -> Self:
        """These settings with layers and facts at once filled in.

        Args:
            preset: the start for this model.
            facts: how many facts the run compiles.
        """
        return replace(
            self,
            layers=self.layers or preset.late,
            facts_at_once=min(self.facts_at_once or SEQUENCE, max(1, facts)),
        )
