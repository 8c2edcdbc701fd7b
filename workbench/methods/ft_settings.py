"""The settings of fine-tuning as older papers ran it. Knows nothing about models."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self, get_args

from workbench.errors import SettingsError
from workbench.methods.locft_settings import EditSettings
from workbench.methods.method_settings import MethodSettings, Mode
from workbench.model.location import parse_locations
from workbench.model.presets import Preset
from workbench.work.settings import setting

__all__ = ["FtLSettings", "FtMSettings", "FtSettings", "Objective"]

Objective = Literal["prompt-end", "answer"]

STEPS = 25
BOUND = "Most by which any weight changes; empty: no bound."
OBJECTIVE = (
    "prompt-end: every token of the answer is to follow the prompt's last token, as in ROME's "
    "script; answer: each is to follow those before it."
)


@dataclass(frozen=True, slots=True)
class FtSettings(MethodSettings):
    """FT: depth-first, without a bound.

    Raises:
        SettingsError: a value makes no sense; the message names the setting.
    """

    modes: ClassVar[tuple[Mode, ...]] = ("each",)
    tried: ClassVar[str] = "learning_rate"

    at: tuple[str, ...] = setting((), EditSettings.help()["at"], label="Locations")
    learning_rate: float | None = setting(
        None, EditSettings.help()["learning_rate"], label="Learning rate", option="--lr"
    )
    steps: int = setting(STEPS, "Most steps on each fact.", label="Steps a fact")
    objective: Objective = setting("prompt-end", OBJECTIVE)
    bound: float | None = setting(None, BOUND, empty="none")

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", tuple(str(where) for where in parse_locations(self.at)))
        self._require_number("learning_rate", "bound", optional=True)
        self._require_whole("steps", least=1)
        if self.objective not in get_args(Objective):
            raise SettingsError(
                f"objective is {self.objective!r}; choose one of {', '.join(get_args(Objective))}."
            )

    def resolved(self, preset: Preset, facts: int) -> Self:
        """These settings with place and rate filled in.

        Args:
            preset: the start for this model.
            facts: how many facts the run compiles.
        """
        return replace(
            self,
            at=self.at or preset.at,
            learning_rate=self.learning_rate or preset.learning_rate,
        )

    def in_turns(self, facts: int) -> Self | None:
        """These settings for one fact at a time, which is how FT goes; None for several."""
        return self if facts == 1 else None


@dataclass(frozen=True, slots=True)
class FtLSettings(FtSettings):
    """FT-L: depth-first, and no weight goes far."""

    bound: float | None = setting(0.01, BOUND, empty="none")


@dataclass(frozen=True, slots=True)
class FtMSettings(FtSettings):
    """FT-M: depth-first, on the answer's own tokens."""

    objective: Objective = setting("answer", OBJECTIVE)
