"""The settings of a scan."""

from dataclasses import dataclass

from workbench.work.settings import SettingsRecord, setting

__all__ = ["ScanSettings"]


@dataclass(frozen=True, slots=True)
class ScanSettings(SettingsRecord):
    """What a scan looks at.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    sample: int = setting(64, "How many facts are drawn by the seed and tried.", unit="facts")
    seed: int = setting(
        0, "Draws the sample and decides the order of its facts.", label="Seed of the sample"
    )

    def __post_init__(self) -> None:
        self._require_whole("sample", least=1)
        self._require_whole("seed", least=0)
