"""What is told of the next run before it starts, kept in a session. Plain data, without torch."""

from dataclasses import dataclass

from workbench.errors import RecordError
from workbench.methods.events import Started

__all__ = ["RunEstimate"]


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """The estimate of one run, or why the run cannot be made.

    Args:
        about: what it was made for; for another run it does not hold.
        plan: what the run will do; None where it cannot be made.
        seconds: what it takes at most, the stop rule left aside.
        measured: how many updates that was measured over.
        error: why the run cannot be made; empty where it can.
        left_out: what facts bring and the run does not train on, in sentences.

    Raises:
        RecordError: there is neither a plan nor an error.
    """

    about: str
    plan: Started | None = None
    seconds: float = 0.0
    measured: int = 0
    error: str = ""
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.plan is None and not self.error:
            raise RecordError("An estimate holds what the run will do, or why it cannot be made.")
