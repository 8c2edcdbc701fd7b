"""What work says while it goes on: typed events, one base and one codec for all kinds of work.

Work is a generator: it yields events and returns its result. `follow` is the one loop that drives
it; the terminal, a folder and a session are sinks of the same events. An event is plain data, and
its class's name tells it from others, in a database too: classes are never renamed.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

from workbench.errors import RecordError
from workbench.work.records import as_data, from_data

__all__ = ["Event", "Progress", "Sink", "Work", "follow", "mapped"]

Result = TypeVar("Result")
Step = TypeVar("Step")
Other = TypeVar("Other")


class Event:
    """The base of all events: frozen dataclasses, told apart by the names of their classes."""

    __slots__ = ()
    _kinds: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls) -> None:
        Event._kinds[cls.__name__] = cls

    def as_dict(self) -> dict[str, Any]:
        """The event as JSON-ready data; its class's name under ``event``."""
        return {"event": type(self).__name__, **as_data(self)}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> "Event":
        """The inverse of `as_dict`, also after a trip through JSON.

        Raises:
            RecordError: there is no such event, or a value is of another type.
        """
        kind = Event._kinds.get(str(data.get("event")))
        if kind is None:
            raise RecordError(f"There is no event '{data.get('event')}'.")
        return from_data(kind, {name: value for name, value in data.items() if name != "event"})


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """How far a piece of work is.

    Args:
        done: what is done, in units of the work's own.
        total: how much there is in all.
        line: what is being done, for people; empty for the same as before.
    """

    done: float
    total: float
    line: str = ""

    @property
    def share(self) -> float:
        """What is done, from 0 to 1."""
        return self.done / self.total if self.total > 0 else 0.0


Work = Generator[Event, None, Result]
"""Work that says how it goes, and ends with a result."""


class Sink(Protocol):
    """Where the events of work go."""

    def take(self, event: Event) -> None:
        """Takes an event; the work goes on when this returns, and ends by what this raises."""


def follow(
    work: Generator[Step, None, Result], take: Callable[[Step], object] | None = None
) -> Result:
    """Does work to its end; returns its result.

    Args:
        work: yields steps or events.
        take: called with each of them; what it raises ends the work, which is closed.
    """
    try:
        while True:
            step = next(work)
            if take is not None:
                take(step)
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        work.close()


def mapped(
    work: Generator[Step, None, Result], change: Callable[[Step], Other]
) -> Generator[Other, None, Result]:
    """The same work with other steps."""
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
        yield change(step)
