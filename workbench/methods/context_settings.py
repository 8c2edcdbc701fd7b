"""The settings of facts put before prompts. Knows nothing about models."""

from dataclasses import dataclass
from typing import ClassVar

from workbench.methods.method_settings import MethodSettings, Mode
from workbench.work.settings import setting

__all__ = ["ContextSettings"]


@dataclass(frozen=True, slots=True)
class ContextSettings(MethodSettings):
    """How facts are put before prompts.

    Raises:
        SettingsError: a value makes no sense; the message names the setting.
    """

    modes: ClassVar[tuple[Mode, ...]] = ("once",)
    tried: ClassVar[str] = "most"

    most: int = setting(
        3,
        "Most facts that stand before a prompt: those that share words with it, the nearest by "
        "BM25.",
        label="Facts before a prompt",
        unit="facts",
    )

    def __post_init__(self) -> None:
        self._require_whole("most", least=1)
