"""How a model is asked: plain settings of a probe."""

from dataclasses import dataclass
from typing import Any

from workbench.model.stop_rule import StopRule, require_stop_rule
from workbench.work.settings import SettingsRecord, setting

__all__ = ["ProbeSettings"]


@dataclass(frozen=True, slots=True)
class ProbeSettings(SettingsRecord):
    """How prompts are asked and answered.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    chat: bool = setting(
        False, "Ask through the model's chat template.", label="Through the chat template"
    )
    stop: StopRule = setting(
        "eos",
        "Where an answer ends; sentence: also at '.' and newline.",
        label="An answer ends at",
        advanced=True,
    )
    max_new_tokens: int = setting(
        32, "Most tokens an answer has.", label="Longest answer", unit="tokens", advanced=True
    )
    top_k: int = setting(
        5,
        "How many likeliest next tokens to report.",
        label="Next tokens",
        unit="tokens",
        advanced=True,
    )
    as_shipped: bool = setting(
        False,
        "Answer by the checkpoint's own generation settings, such as sampling; off: greedy.",
        label="As the model is shipped",
        advanced=True,
    )

    def __post_init__(self) -> None:
        require_stop_rule(self.stop)
        self._require_whole("max_new_tokens", "top_k", least=1)

    @property
    def decoding(self) -> dict[str, Any]:
        """What `workbench.model.generate.generate` is told, besides whether prompts are chat."""
        return {
            "stop": self.stop,
            "max_new_tokens": self.max_new_tokens,
            "top_k": self.top_k,
            "as_shipped": self.as_shipped,
        }
