"""The settings of methods that find a value for each fact and write it into early layers.

Knows nothing about models but their preset.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from workbench.errors import SettingsError
from workbench.methods.turns_settings import TurnsSettings
from workbench.model.presets import Preset
from workbench.work.settings import setting

__all__ = ["AlphaEditSettings", "MemitSettings", "Token", "WrittenSettings"]

Token = Literal["subject", "prompt"]


@dataclass(frozen=True, slots=True)
class WrittenSettings(TurnsSettings):
    """What is written for each fact, and where; see each field's sentence.

    Raises:
        SettingsError: a value makes no sense; the message names the setting.
    """

    token: Token = setting(
        "subject",
        "At which token a fact is written: the last of its subject, or of its prompt.",
        label="Written at",
    )
    sentences: int = setting(
        2,
        "So many sentences that the model wrote are put before each prompt, so that the value also "
        "works behind others.",
        label="Sentences before",
    )
    value_steps: int = setting(
        25, "Most steps in which a fact's value is found.", label="Steps a value", advanced=True
    )
    value_rate: float = setting(
        0.5,
        "Adam's rate there, as a share of the mean size of what stands at the token.",
        label="Rate of a value",
        advanced=True,
    )
    value_decay: float = setting(
        0.5,
        "How much a value's distance from what stood there counts.",
        label="Decay of a value",
        advanced=True,
    )
    value_keep: float = setting(
        0.0625,
        "How much the divergence of what is said of the subject alone counts.",
        label="Keep of a value",
        advanced=True,
    )
    value_norm: float = setting(
        0.75,
        "Longest distance of a value from what stood there, as a share of its length.",
        label="Norm of a value",
        advanced=True,
    )
    text: str = setting(
        "",
        "A file of plain text by which usual inputs are known; empty: the model writes some.",
        label="Usual text",
        empty="the model's own",
        advanced=True,
    )

    def __post_init__(self) -> None:
        TurnsSettings.__post_init__(self)
        self._require_whole("value_steps", least=1)
        self._require_whole("sentences", least=0)
        if self.token not in get_args(Token):
            raise SettingsError(f"token is {self.token!r}; choose subject or prompt.")
        self._require_number("value_rate", "value_norm")
        self._require_number("value_decay", "value_keep", or_zero=True)

    def usual_layers(self, preset: Preset) -> tuple[int, ...]:
        """Early layers, where MEMIT writes."""
        return preset.early


@dataclass(frozen=True, slots=True)
class MemitSettings(WrittenSettings):
    """The settings of MEMIT."""

    tried: ClassVar[str] = "usual_weight"

    usual_weight: float = setting(
        100.0,
        "How much usual inputs count against the facts: lambda of MEMIT, of which the paper "
        "takes 15,000; small models learn with less.",
        label="Weight of usual inputs",
    )

    def __post_init__(self) -> None:
        WrittenSettings.__post_init__(self)
        self._require_number("usual_weight")

    def usual_at_once(self, facts: int) -> int:
        """All of them; see `TurnsSettings.usual_at_once`."""
        return max(1, facts)


@dataclass(frozen=True, slots=True)
class AlphaEditSettings(WrittenSettings):
    """The settings of AlphaEdit."""

    tried: ClassVar[str] = "free_below"

    free_below: float = setting(
        0.3,
        "Directions in which usual inputs have less than this moment, relative to the mean of all "
        "directions, are free to be written.",
        label="Free below",
    )
    ridge: float = setting(
        0.001,
        "How much the length of a change counts: what stands before the identity in the "
        "solution, as a share of the mean squared length of usual inputs.",
        label="Ridge",
    )

    def __post_init__(self) -> None:
        WrittenSettings.__post_init__(self)
        self._require_number("free_below", "ridge")
