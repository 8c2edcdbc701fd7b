"""The settings of methods that find a value for each fact and write it into early layers.

Knows nothing about models but their preset.
"""

from dataclasses import dataclass, replace
from typing import Literal, Self, get_args

from workbench.errors import SettingsError
from workbench.methods.method_settings import MethodSettings
from workbench.model.location import parse_layers, write_layers
from workbench.model.presets import Preset
from workbench.work.settings import is_number, is_whole, setting

__all__ = ["AlphaEditSettings", "MemitSettings", "Token", "WrittenSettings"]

Token = Literal["subject", "prompt"]

SEQUENCE = 100
"""Facts at a time where a method is made for sequences, as AlphaEdit's paper has it."""


@dataclass(frozen=True, slots=True)
class WrittenSettings(MethodSettings):
    """What is written for each fact, and where; see each field's sentence.

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
        object.__setattr__(self, "layers", tuple(sorted(set(self.layers))))
        for layer in self.layers:
            if not is_whole(layer, 0):
                raise SettingsError(
                    f"layers holds {layer!r}; each must be a whole number, 0 or more."
                )
        self._require_whole("facts_at_once", least=1, optional=True)
        self._require_whole("value_steps", least=1)
        self._require_whole("sentences", least=0)
        if self.token not in get_args(Token):
            raise SettingsError(f"token is {self.token!r}; choose subject or prompt.")
        self._require_numbers("value_rate", "value_norm", above=True)
        self._require_numbers("value_decay", "value_keep", above=False)

    def _require_numbers(self, *names: str, above: bool) -> None:
        for name in names:
            value = getattr(self, name)
            if not is_number(value) or value < 0 or (above and value == 0):
                least = "above 0" if above else "0 or more"
                raise SettingsError(f"{name} is {value!r}; it must be a number, {least}.")

    def resolved(self, preset: Preset, facts: int) -> Self:
        """These settings with layers and facts at once filled in.

        Args:
            preset: the start for this model.
            facts: how many facts the run compiles.
        """
        return replace(
            self,
            layers=self.layers or preset.early,
            facts_at_once=min(self.facts_at_once or self.usual_at_once(facts), max(1, facts)),
        )

    def usual_at_once(self, facts: int) -> int:
        """How many facts are written together where nobody says it."""
        return max(1, facts)


@dataclass(frozen=True, slots=True)
class MemitSettings(WrittenSettings):
    """The settings of MEMIT."""

    usual_weight: float = setting(
        100.0,
        "How much usual inputs count against the facts: lambda of equation 15, of which the paper "
        "takes 15,000; small models learn with less.",
        label="Weight of usual inputs",
    )

    def __post_init__(self) -> None:
        WrittenSettings.__post_init__(self)
        self._require_numbers("usual_weight", above=True)


@dataclass(frozen=True, slots=True)
class AlphaEditSettings(WrittenSettings):
    """The settings of AlphaEdit."""

    free_below: float = setting(
        0.3,
        "Directions in which usual inputs have less than this moment, relative to the mean of all "
        "directions, are free to be written.",
        label="Free below",
    )
    ridge: float = setting(
        0.001,
        "How much the length of a change counts: what stands before the identity in equation 14, "
        "as a share of the mean squared length of usual inputs.",
        label="Ridge",
    )

    def __post_init__(self) -> None:
        WrittenSettings.__post_init__(self)
        self._require_numbers("free_below", "ridge", above=True)

    def usual_at_once(self, facts: int) -> int:
        """How many facts are written together where nobody says it."""
        return SEQUENCE
