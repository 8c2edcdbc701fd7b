"""Which model is edited, and where it runs: settings of the page, the commands and the worker.

Knows nothing about how a model is loaded, and imports no torch.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from workbench.errors import SettingsError
from workbench.work.settings import SettingsRecord, is_whole, setting
from workbench.work.sizes import parse_memory, write_memory

__all__ = ["ModelChoice", "Precision"]

Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class ModelChoice(SettingsRecord):
    """A model and where it runs. None means automatic; see each field's sentence.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    name: str = setting(
        "builtin",
        "builtin, smollm2-135m, a hub id such as Qwen/Qwen2.5-7B-Instruct, a folder, or a GGUF "
        "file.",
        label="Model",
        option="--model",
        empty="builtin",
    )
    device: str | None = setting(
        None, "cpu, cuda, cuda:1 or mps; empty: the best there is.", label="Device"
    )
    dtype: Precision | None = setting(
        None,
        "float32, bfloat16 or float16; empty: the checkpoint's on CUDA, else float32.",
        label="Precision",
    )
    trust_remote_code: bool = setting(
        False,
        "Code that comes with the model may run on this machine; only if you trust its authors.",
        label="Let its own code run",
    )
    memory: int | None = setting(
        None,
        "Most that the device holds, such as 12GB; on a CPU most that weights take. Layers that do "
        "not fit are read as they are needed. Empty: what is free.",
        parse=parse_memory,
        write=write_memory,
        metavar="SIZE",
        empty="what is free",
    )

    def __post_init__(self) -> None:
        given: object = self.memory
        if isinstance(given, str):
            object.__setattr__(self, "memory", parse_memory(given))
        if self.memory is not None and not is_whole(self.memory, 1):
            raise SettingsError(f"memory is {self.memory!r}; write a size, such as 12GB or 512MB.")
        if not isinstance(self.name, str) or not self.name.strip():
            raise SettingsError(
                f"name is {self.name!r}; it must be builtin, a hub id, or the path of a folder."
            )
        if self.device is not None and not isinstance(self.device, str):
            raise SettingsError(
                f"device is {self.device!r}; it must be a name such as cpu or cuda:1, or empty."
            )
        if self.dtype is not None and self.dtype not in get_args(Precision):
            known = ", ".join(get_args(Precision))
            raise SettingsError(f"dtype is {self.dtype!r}; choose one of {known}, or leave it out.")
        if not isinstance(self.trust_remote_code, bool):
            raise SettingsError(
                f"trust_remote_code is {self.trust_remote_code!r}; it must be true or false."
            )

    @property
    def is_builtin(self) -> bool:
        """Whether it is the model that comes with the workbench."""
        return self.name == "builtin"

    @property
    def is_path(self) -> bool:
        """Whether the name alone says that it is a folder, without a look at the disk."""
        return self.name.startswith((".", "~", "/")) or "\\" in self.name
