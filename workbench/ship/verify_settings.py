"""How facts are asked of what an edit was written to: plain settings of a verification."""

from dataclasses import dataclass
from typing import Literal, get_args

from workbench.errors import SettingsError
from workbench.facts.forms import ASKED_FORMS, AskedForm, parse_asked
from workbench.model.choice import Precision
from workbench.work.settings import SettingsRecord, setting

__all__ = ["QUANTIZATIONS", "Quantization", "VerifySettings"]

Quantization = Literal[
    "bf16",
    "f16",
    "q8_0",
    "q6_k",
    "q5_k_m",
    "q5_k_s",
    "q5_1",
    "q5_0",
    "q4_k_m",
    "q4_k_s",
    "q4_1",
    "q4_0",
    "q3_k_l",
    "q3_k_m",
    "q3_k_s",
    "q2_k",
]
QUANTIZATIONS: tuple[Quantization, ...] = get_args(Quantization)
"""What can be made, from fine to coarse."""


@dataclass(frozen=True, slots=True)
class VerifySettings(SettingsRecord):
    """What is asked, in which forms.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    forms: tuple[AskedForm, ...] = setting(
        (),
        "The forms in which facts are asked: raw, question, chat; empty: all that it knows.",
        empty="all",
    )
    base: str = setting(
        "",
        "The model that an adapter or a patch belongs on; empty: the one that it names.",
        metavar="MODEL",
        empty="as named",
    )
    model_name: str = setting(
        "",
        "Which model of an endpoint is asked; empty: its first.",
        metavar="NAME",
        empty="its first",
    )
    key_env: str = setting(
        "",
        "The environment variable that holds the endpoint's key; empty: none.",
        metavar="NAME",
        empty="none",
    )
    ask: int | None = setting(None, "Most facts that are asked; empty: all.", unit="facts")
    after_quantization: Quantization | None = setting(
        None,
        "Also ask what this quantization by llama.cpp would leave, before it is made; empty: none.",
        empty="none",
    )
    device: str | None = setting(
        None, "Where a model is loaded: cpu, cuda, cuda:1 or mps; empty: the best there is."
    )
    dtype: Precision | None = setting(
        None, "In which precision; empty: the checkpoint's on CUDA, else float32."
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "forms", parse_asked(tuple(self.forms)))
        self._require_whole("ask", least=1, optional=True)
        if self.after_quantization not in (None, *QUANTIZATIONS):
            raise SettingsError(
                f"after_quantization is {self.after_quantization!r}; choose one of "
                f"{', '.join(QUANTIZATIONS)}. Those of the iq family need a matrix of importances, "
                "which is not made here."
            )

    @property
    def wanted(self) -> tuple[AskedForm, ...]:
        """The forms that are asked, if it knows them."""
        return self.forms or ASKED_FORMS
