"""The settings of LoRA. Knows nothing about models but their preset."""

from dataclasses import dataclass

from workbench.methods.breadth_first_settings import BreadthFirstSettings
from workbench.work.settings import setting

__all__ = ["LoraSettings"]


@dataclass(frozen=True, slots=True)
class LoraSettings(BreadthFirstSettings):
    """How LoRA tunes.

    Raises:
        SettingsError: a value makes no sense; the message names the setting.
    """

    rank: int = setting(8, "Rank of the change of each matrix.", label="Rank")
    alpha: float = setting(
        16.0, "The change is multiplied by this, divided by the rank.", label="Alpha", advanced=True
    )

    def __post_init__(self) -> None:
        BreadthFirstSettings.__post_init__(self)
        self._require_number("alpha")
        self._require_whole("rank", least=1)
