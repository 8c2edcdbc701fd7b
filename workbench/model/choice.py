"""Which model is edited, and where it runs: plain settings, known without loading anything."""

from dataclasses import dataclass

from workbench.work.settings import SettingsRecord, setting

__all__ = ["ModelChoice"]


@dataclass(frozen=True, slots=True)
class ModelChoice(SettingsRecord):
    """A model and how it is loaded. None means automatic; see each field's sentence."""

    name: str = setting(
        "builtin", "builtin, a hub id, or a folder.", label="Model", option="--model"
    )
    device: str | None = setting(
        None, "cpu, cuda, cuda:1 or mps; empty: the best there is.", label="Device"
    )
    dtype: str | None = setting(
        None,
        "float32, bfloat16 or float16; empty: the checkpoint's on CUDA, else float32.",
        label="Precision",
    )
    trust_remote_code: bool = setting(
        False,
        "Code that comes with the model may run on this machine; only if you trust its authors.",
        label="Let its own code run",
    )
