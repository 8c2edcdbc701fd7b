"""How an edit is written: plain settings of an export."""

from dataclasses import dataclass
from typing import Literal, get_args

from workbench.errors import SettingsError
from workbench.model.choice import Precision
from workbench.work.settings import SettingsRecord, is_number, setting

__all__ = ["HIGHEST_RANK", "ExportForm", "ExportSettings", "GgufType"]

ExportForm = Literal["full", "gguf", "adapter", "delta"]
GgufType = Literal["q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "f16", "bf16", "f32"]

HIGHEST_RANK = 512
"""The largest rank of an adapter that vLLM loads."""


@dataclass(frozen=True, slots=True)
class ExportSettings(SettingsRecord):
    """What is written, and what it must keep.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    form: ExportForm | None = setting(
        None,
        "full: a folder that transformers, vLLM and SGLang load; gguf: a file for llama.cpp and "
        "Ollama; adapter: a LoRA adapter on the base; delta: the difference, for merge tools; "
        "empty: gguf where an original is named, else full.",
    )
    gguf: str = setting(
        "",
        "The base's GGUF file, of which a copy gets the edited tensors; empty: the file that the "
        "base was loaded from.",
        label="GGUF file",
        metavar="FILE",
        empty="the base's own",
    )
    tensor_type: GgufType | None = setting(
        None,
        "How the edited tensors are stored in a GGUF file; empty: as in the original where the "
        "facts survive that, else the next better type.",
        option="--type",
    )
    rank: int | None = setting(
        None,
        "Rank of the adapter; empty: the lowest that keeps enough facts, at most 512.",
    )
    retain: float = setting(
        0.99,
        "Share of the facts that the patch holds which what is written must hold, too.",
    )
    weights: Precision | None = setting(
        None,
        "Precision of the full model; empty: the checkpoint's where the facts survive it, else "
        "that in memory.",
        label="Precision of the weights",
    )
    ask: int | None = setting(
        None, "Most facts that are asked of what was written; empty: all.", unit="facts"
    )
    include_facts: bool = setting(
        False, "Write the facts themselves into the model card; off: their number and digest."
    )
    push: str = setting(
        "",
        "Upload what was written to this repository of the hub, with the token of your "
        "environment; empty: none.",
        metavar="ORG/NAME",
        empty="none",
    )
    public: bool = setting(False, "A repository that is new on the hub is public; off: private.")

    def __post_init__(self) -> None:
        self._require_whole("rank", "ask", least=1, optional=True)
        if self.rank is not None and self.rank > HIGHEST_RANK:
            raise SettingsError(
                f"rank is {self.rank}; vLLM loads adapters of rank {HIGHEST_RANK} at most."
            )
        if not (is_number(self.retain) and 0 < self.retain <= 1):
            raise SettingsError(f"retain is {self.retain!r}; it must be above 0 and at most 1.")
        for name, known in (
            ("form", get_args(ExportForm)),
            ("tensor_type", get_args(GgufType)),
            ("weights", get_args(Precision)),
        ):
            value = getattr(self, name)
            if value is not None and value not in known:
                raise SettingsError(f"{name} is {value!r}; choose one of {', '.join(known)}.")
        if self.push and self.push.count("/") != 1:
            raise SettingsError(f"push is {self.push!r}; write ORG/NAME, such as me/my-model.")

    def needed(self, held: int) -> int:
        """How many facts must hold of those that the patch holds."""
        return held - int((1 - self.retain) * held + 1e-9)
