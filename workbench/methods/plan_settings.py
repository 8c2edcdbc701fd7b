"""The settings of a plan that is made without a model's weights."""

from dataclasses import dataclass

from workbench.errors import SettingsError
from workbench.model.location import parse_locations
from workbench.work.settings import SettingsRecord, is_whole, setting
from workbench.work.sizes import parse_memory, write_memory

__all__ = ["PlanSettings", "parse_memory", "write_memory"]


@dataclass(frozen=True, slots=True)
class PlanSettings(SettingsRecord):
    """For which facts, at which place and in which memory a run is planned.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    facts: int = setting(1000, "How many facts the run would compile.", unit="facts")
    tokens_a_fact: float = setting(
        16.0, "Tokens of a fact, prompt and answer together.", unit="tokens"
    )
    answer_tokens: float = setting(
        3.0, "How many of them are the answer, with the end of the text.", unit="tokens"
    )
    at: tuple[str, ...] = setting(
        (),
        "Locations to tune, such as 19.mlp.down_proj; empty: the model's preset.",
        label="Locations",
    )
    batch_size: int | None = setting(
        None, "Facts per update; empty: 100, fewer when facts are few.", unit="facts"
    )
    micro_batch_size: int | None = setting(
        None, "Most facts on the device at once; empty: the whole batch.", unit="facts"
    )
    memory: int | None = setting(
        None,
        "Memory to fit into, such as 80GB, as that of a GPU unless --device names another; empty: "
        "what is free on this machine.",
        parse=parse_memory,
        write=write_memory,
        metavar="SIZE",
        empty="what is free here",
    )
    tflops: float | None = setting(
        None,
        "Arithmetic a second, in 10^12 operations; empty: measured on this machine by a short "
        "matrix product, or 445, which is 45% of an H100's peak, where --memory stands for "
        "another one.",
        label="Teraflops",
        unit="TFLOP/s",
    )

    def __post_init__(self) -> None:
        given: object = self.memory
        if isinstance(given, str):
            object.__setattr__(self, "memory", parse_memory(given))
        if self.memory is not None and not is_whole(self.memory, 1):
            raise SettingsError(f"memory is {self.memory!r}; write a size, such as 80GB or 512MB.")
        object.__setattr__(self, "at", tuple(str(where) for where in parse_locations(self.at)))
        self._require_whole("facts", least=1)
        self._require_whole("batch_size", "micro_batch_size", least=1, optional=True)
        self._require_number("tokens_a_fact", "answer_tokens")
        self._require_number("tflops", optional=True)
