"""What a method is: its settings, its run, and an entry in one table.

The table says which ways to edit there are; page, command line, Python, worker, estimate, sweep and
study know the table and the protocol alone. A method's run is made only when it is needed, so that
listing methods imports no torch. A new method is one file and one entry here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench.errors import SettingsError
from workbench.facts.fact import Fact
from workbench.methods.context_settings import ContextSettings
from workbench.methods.crispedit_settings import CrispEditSettings
from workbench.methods.ft_settings import FtLSettings, FtMSettings, FtSettings
from workbench.methods.locft_settings import EditSettings
from workbench.methods.lora_settings import LoraSettings
from workbench.methods.method_settings import MethodSettings
from workbench.methods.ultraedit_settings import UltraEditSettings
from workbench.methods.written_settings import AlphaEditSettings, MemitSettings
from workbench.work.events import Event
from workbench.work.settings import SettingsRecord
from workbench.work.stop import Stop

if TYPE_CHECKING:
    import torch

    from workbench.methods.events import Started
    from workbench.model.context import Context
    from workbench.model.language_model import LanguageModel
    from workbench.model.patch import Patch

__all__ = [
    "ALPHAEDIT",
    "CRISPEDIT",
    "FT",
    "FT_L",
    "FT_M",
    "IN_CONTEXT",
    "LOCFT_BF",
    "LORA",
    "MEMIT",
    "METHODS",
    "ULTRAEDIT",
    "Method",
    "MethodRun",
    "find_method",
    "method_name",
]


class MethodRun(Protocol):
    """One run of a method: facts compiled into a patch, step by step.

    Invariant: between two events the model is its untouched base. `workbench.methods.run.Run` is
    the base class that leaves a method only what is its own.
    """

    model: "LanguageModel"
    facts: tuple[Fact, ...]
    stop: Stop
    can_resume: bool

    @property
    def settings(self) -> SettingsRecord:
        """As they were resolved for this model and these facts."""

    @property
    def weights(self) -> "Mapping[str, torch.Tensor]":
        """The new values so far by full parameter name, of the model's dtype and device."""

    @property
    def context(self) -> "Context | None":
        """What the edit puts before prompts; None for nothing."""

    def plan(self) -> "Started":
        """What the run will do, without doing any of it."""

    def events(self) -> Iterator[Event]:
        """Runs, and says what happens; the last event is `Finished` or `Stopped`."""

    def applied(self) -> AbstractContextManager[None]:
        """The model with the weights so far."""

    def learned(self) -> list[bool]:
        """Which facts the weights so far get right, by the strict protocol."""

    def learned_in(self) -> list[int] | None:
        """For each fact the last epoch in which it was wrong; None where facts share none."""

    def unwatch(self) -> None:
        """Leaves out what a run looks at for people alone, such as neighbours at each epoch."""

    @property
    def kept_texts(self) -> int:
        """How many texts of the facts are brought to the tuned layer before the first step."""

    @property
    def kept_prompts(self) -> int:
        """How many prompts that must stay are asked of the base before the first step."""

    def rehearsal(self) -> "MethodRun | None":
        """A run of a few steps on a few facts, by which time is foretold; None for none."""

    def weight_change(self) -> float:
        """Norm of the change of the weights so far, relative to the norm of the base's."""

    def patch(self, metrics: dict[str, Any] | None = None) -> "Patch":
        """The weights so far as a patch."""

    def save_checkpoint(self, path: str | Path) -> None:
        """Saves the run as it is between two events, so that it can go on later."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way to edit a model.

    Args:
        key: how commands and records call it, such as ``locft-bf``.
        name: how people call it.
        sentence: what it does, in one line.
        source: where it comes from, such as a paper.
        settings: its settings; a field left at its default is automatic where it says so.
        run: makes a `MethodRun` from model, facts, settings and, by name, ``stop`` and
            ``checkpoint``; or where that stands, as ``module:name``, to be imported when needed.
        shares: whether several processes can share a run's facts; then it takes ``ranks``, too.
        keeps: whether a run takes hidden states from a ``store``, and leaves there what it
            computes.
    """

    key: str
    name: str
    sentence: str
    source: str
    settings: type[MethodSettings]
    run: Callable[..., MethodRun] | str
    shares: bool = False
    keeps: bool = False

    def start(
        self,
        model: "LanguageModel",
        facts: Sequence[Fact],
        settings: SettingsRecord | None = None,
        *,
        stop: Stop | None = None,
        checkpoint: str | Path | None = None,
        **known: Any,
    ) -> MethodRun:
        """A run that is ready to begin.

        Args:
            model: the base.
            facts: what it should say from now on.
            settings: None for all automatic.
            stop: the wish to end it early.
            checkpoint: what an earlier part of this run saved; it goes on from there.
            **known: what this method can be spared, such as ``states`` by one that keeps them.

        Raises:
            WorkbenchError: facts, settings, model or checkpoint do not fit.
        """
        make = self.run
        if isinstance(make, str):
            module, _, name = make.partition(":")
            make = getattr(import_module(module), name)
        chosen = settings if settings is not None else self.settings()
        run: MethodRun = make(model, facts, chosen, stop=stop, checkpoint=checkpoint, **known)
        return run


LOCFT_BF = Method(
    key="locft-bf",
    name="LocFT-BF",
    sentence="Fine-tunes one well-chosen matrix, breadth-first: epochs over all facts in batches.",
    source="Fine-tuning Done Right in Model Editing, arXiv 2509.22072",
    settings=EditSettings,
    run="workbench.methods.locft_bf:LocftRun",
    shares=True,
    keeps=True,
)

MEMIT = Method(
    key="memit",
    name="MEMIT",
    sentence="Writes a value for each fact's subject into early matrices, in closed form.",
    source="Mass-Editing Memory in a Transformer, arXiv 2210.07229",
    settings=MemitSettings,
    run="workbench.methods.memit:MemitRun",
)

ALPHAEDIT = Method(
    key="alphaedit",
    name="AlphaEdit",
    sentence="Writes as MEMIT does, in directions that usual inputs hardly take, batch by batch.",
    source="AlphaEdit, arXiv 2410.02355",
    settings=AlphaEditSettings,
    run="workbench.methods.alphaedit:AlphaEditRun",
)

FT = Method(
    key="ft",
    name="FT",
    sentence="Fine-tunes depth-first, one fact after another, each as far as its prompt's end.",
    source="The baseline of Locating and Editing Factual Associations in GPT, arXiv 2202.05262",
    settings=FtSettings,
    run="workbench.methods.ft:FtRun",
    keeps=True,
)

FT_L = Method(
    key="ft-l",
    name="FT-L",
    sentence="FT in which no weight goes further than a bound.",
    source="Modifying Memories in Transformer Models, arXiv 2012.00363",
    settings=FtLSettings,
    run="workbench.methods.ft:FtLRun",
    keeps=True,
)

FT_M = Method(
    key="ft-m",
    name="FT-M",
    sentence="FT whose loss is that of the answer's tokens, each after those before it.",
    source="A Comprehensive Study of Knowledge Editing, arXiv 2401.01286",
    settings=FtMSettings,
    run="workbench.methods.ft:FtMRun",
    keeps=True,
)

ULTRAEDIT = Method(
    key="ultraedit",
    name="UltraEdit",
    sentence="One step in closed form from hidden states and gradients, normalized as they come.",
    source="UltraEdit, arXiv 2505.14679",
    settings=UltraEditSettings,
    run="workbench.methods.ultraedit:UltraEditRun",
)

LORA = Method(
    key="lora",
    name="LoRA",
    sentence="Trains a change of low rank beside a matrix, breadth-first, and merges it.",
    source="LoRA: Low-Rank Adaptation of Large Language Models, arXiv 2106.09685",
    settings=LoraSettings,
    run="workbench.methods.lora:LoraRun",
    shares=True,
    keeps=True,
)

CRISPEDIT = Method(
    key="crispedit",
    name="CrispEdit",
    sentence="Fine-tunes breadth-first, out of directions in which usual texts' loss is steep.",
    source="CrispEdit, arXiv 2602.15823",
    settings=CrispEditSettings,
    run="workbench.methods.crispedit:CrispEditRun",
    keeps=True,
)

IN_CONTEXT = Method(
    key="in-context",
    name="In-context",
    sentence="Puts the facts nearest to each prompt before it; changes no weight.",
    source="Can We Edit Factual Knowledge by In-Context Learning?, arXiv 2305.12740",
    settings=ContextSettings,
    run="workbench.methods.in_context:ContextRun",
)

_TABLE = (LOCFT_BF, MEMIT, ALPHAEDIT, ULTRAEDIT, CRISPEDIT, LORA, FT, FT_L, FT_M, IN_CONTEXT)

METHODS: dict[str, Method] = {method.key: method for method in _TABLE}
"""Every method by its key; the first is the default."""


def find_method(key: str) -> Method:
    """The method with this key.

    Raises:
        SettingsError: there is none.
    """
    if key not in METHODS:
        raise SettingsError(f"There is no method '{key}'. Choose one of {', '.join(METHODS)}.")
    return METHODS[key]


def method_name(key: str) -> str:
    """How people call the method with this key; the key itself where there is no such method."""
    return METHODS[key].name if key in METHODS else key
