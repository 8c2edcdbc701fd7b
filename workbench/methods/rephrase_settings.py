"""How a model is asked for other wordings of facts: one flat, frozen dataclass."""

from dataclasses import dataclass

from workbench.errors import SettingsError
from workbench.work.settings import SettingsRecord, setting

__all__ = ["MOST_WORDINGS", "RephraseSettings"]

MOST_WORDINGS = 4  # as many as there are ways to ask for one


@dataclass(frozen=True, slots=True)
class RephraseSettings(SettingsRecord):
    """How many wordings are asked for.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    each: int = setting(
        MOST_WORDINGS,
        f"How many times the model is asked for other words of each fact, up to {MOST_WORDINGS}; "
        "what it says twice counts once.",
        label="Wordings of each fact",
        unit="wordings",
    )

    def __post_init__(self) -> None:
        self._require_whole("each", least=1)
        if self.each > MOST_WORDINGS:
            raise SettingsError(f"each is {self.each}; at most {MOST_WORDINGS} wordings are asked.")
