"""The settings of methods that write facts in closed form, some at a time.

Knows nothing about models but their preset.
"""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Self

from workbench.errors import SettingsError
from workbench.methods.method_settings import MethodSettings
from workbench.model.location import parse_layers, write_layers
from workbench.model.presets import Preset
from workbench.work.settings import is_whole, setting

__all__ = ["SEQUENCE", "TurnsSettings"]

SEQUENCE = 100
"""Facts at a time where a method is made for sequences, as AlphaEdit's paper has it."""


@dataclass(frozen=True, slots=True)
class TurnsSettings(MethodSettings):
    """Which layers are written, and how many facts at a time.

    Raises:
        SettingsError: a value makes no sense; the message names the setting.
    """

    layers: tuple[int, ...] = setting(
        (),
        "Layers whose MLP output matrix is written, such as 4-8; a value is found at the last of "
        "them; empty: the layers of the method's paper, by depth.",
        label="Written layers",
        parse=parse_layers,
        write=write_layers,
    )
    facts_at_once: int | None = setting(
        None,
        "Facts that are written together; the next ones are written into the weights that these "
        "leave; empty: MEMIT all, others 100.",
        label="Facts at once",
        unit="facts",
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(sorted(set(self.layers))))
        for layer in self.layers:
            if not is_whole(layer, 0):
                raise SettingsError(
                    f"layers holds {layer!r}; each must be a whole number, 0 or more."
                )
        self._require_whole("facts_at_once", least=1, optional=True)

    def resolved(self, preset: Preset, facts: int) -> Self:
        """These settings with layers and facts at once filled in.

        Args:
            preset: the start for this model.
            facts: how many facts the run compiles.
        """
        return replace(
            self,
            layers=self.layers or self.usual_layers(preset),
            facts_at_once=min(self.facts_at_once or self.usual_at_once(facts), max(1, facts)),
        )

    def in_turns(self, facts: int) -> Self:
        """Settings by which so many facts are written at a time."""
        return replace(self, facts_at_once=facts)

    @abstractmethod
    def usual_layers(self, preset: Preset) -> tuple[int, ...]:
        """The layers of the method's paper, by depth."""

    def usual_at_once(self, facts: int) -> int:
        """How many facts are written together where nobody says it."""
        return SEQUENCE
