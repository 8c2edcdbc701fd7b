"""How facts are asked of what an edit was written to: plain settings of a verification."""

from dataclasses import dataclass

from workbench.facts.forms import ASKED_FORMS, AskedForm, parse_asked
from workbench.model.choice import Precision
from workbench.work.settings import SettingsRecord, setting

__all__ = ["VerifySettings"]


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
    device: str | None = setting(
        None, "Where a model is loaded: cpu, cuda, cuda:1 or mps; empty: the best there is."
    )
    dtype: Precision | None = setting(
        None, "In which precision; empty: the checkpoint's on CUDA, else float32."
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "forms", parse_asked(tuple(self.forms)))
        self._require_whole("ask", least=1, optional=True)

    @property
    def wanted(self) -> tuple[AskedForm, ...]:
        """The forms that are asked, if it knows them."""
        return self.forms or ASKED_FORMS
