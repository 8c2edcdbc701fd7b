"""How a model is asked: plain settings of a probe."""

from dataclasses import dataclass
from typing import Literal, get_args

from workbench.errors import SettingsError
from workbench.work.settings import SettingsRecord, setting

__all__ = ["ProbeSettings", "StopRule"]

StopRule = Literal["eos", "sentence"]
"""Where an answer ends: at EOS; or, as in arXiv 2509.22072, also at "." or a newline."""


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
        "eos", "Where an answer ends; sentence: also at '.' and newline.", label="An answer ends at"
    )
    max_new_tokens: int = setting(
        32, "Most tokens an answer has.", label="Longest answer", unit="tokens"
    )
    top_k: int = setting(
        5, "How many likeliest next tokens to report.", label="Next tokens", unit="tokens"
    )

    def __post_init__(self) -> None:
        if self.stop not in get_args(StopRule):
            raise SettingsError(f"stop is {self.stop!r}; choose 'eos' or 'sentence'.")
        self._require_whole("max_new_tokens", "top_k", least=1)
