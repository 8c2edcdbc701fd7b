"""The settings of CrispEdit. Knows nothing about models but their preset."""

from dataclasses import dataclass

from workbench.errors import SettingsError
from workbench.methods.breadth_first_settings import BreadthFirstSettings
from workbench.methods.written_settings import WrittenSettings
from workbench.work.settings import setting

__all__ = ["CrispEditSettings"]


@dataclass(frozen=True, slots=True)
class CrispEditSettings(BreadthFirstSettings):
    """How CrispEdit tunes.

    Raises:
        SettingsError: a value makes no sense; the message names the setting.
    """

    energy: float = setting(
        0.8,
        "Directions that together hold this share of the loss's curvature on usual texts are left "
        "alone, the steepest first.",
        label="Energy",
    )
    text: str = setting(
        "",
        WrittenSettings.help()["text"],
        label="Usual text",
        empty="the model's own",
        advanced=True,
    )

    def __post_init__(self) -> None:
        BreadthFirstSettings.__post_init__(self)
        self._require_number("energy")
        if self.energy >= 1:
            raise SettingsError(f"energy is {self.energy}; it must be a share under 1.")
