"""What work says while it goes on: typed events, one base and one codec for all kinds of work.

Work is a generator: it yields events and returns its result. `follow` is the one loop that drives
it; the terminal, a folder and a session are sinks of the same events. An event is plain data, and
its class's name tells it from others, in a database too: classes are never renamed.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from workbench.errors import RecordError
from workbench.work.records import as_data, from_data
from workbench.work.stop import Stop

__all__ = [
    "Event",
    "Progress",
    "Told",
    "Work",
    "ending_early",
    "follow",
    "mapped",
    "sparing",
]

Result = TypeVar("Result")
Step = TypeVar("Step")
Other = TypeVar("Other")


@dataclass(frozen=True, slots=True)
class Told:
    """An event in words, for whoever follows work.

    Args:
        line: what is being done now; empty for the same as before.
        share: how much of the work is done, from 0 to 1; None when it cannot be told.
        phase: how much of its present phase is done, by which the time left is foretold; None
            for the same as `share`.
        remark: what people should know and may have missed later; empty for nothing.
    """

    line: str = ""
    share: float | None = None
    phase: float | None = None
    remark: str = ""


class Event:
    """The base of all events: frozen dataclasses, told apart by the names of their classes."""

    __slots__ = ()
    _kinds: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls) -> None:
        Event._kinds[cls.__name__] = cls

    def as_dict(self) -> dict[str, Any]:
        """The event as JSON-ready data; its class's name under ``event``."""
        return {"event": type(self).__name__, **as_data(self)}

    def told(self) -> Told | None:
        """The event in words; None where there is nothing to say."""
        return None

    @staticmethod
    def is_known(name: str) -> bool:
        """Whether there is an event of this name here."""
        return name in Event._kinds

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

    def told(self) -> Told:
        """How far it is."""
        return Told(self.line, self.share)


Work = Generator[Event, None, Result]
"""Work that says how it goes, and ends with a result."""


class _Steps(Generic[Step, Result]):
    """The steps of work, to loop over; the result is there once the loop is over."""

    def __init__(self, work: Generator[Step, None, Result]) -> None:
        self._work = work
        self._results: list[Result] = []

    def __iter__(self) -> Iterator[Step]:
        self._results.append((yield from self._work))

    @property
    def result(self) -> Result:
        return self._results[0]


def follow(
    work: Generator[Step, None, Result], take: Callable[[Step], object] | None = None
) -> Result:
    """Does work to its end; returns its result.

    Args:
        work: yields steps or events.
        take: called with each of them; what it raises ends the work, which is closed.
    """
    with closing(work):
        for step in (steps := _Steps(work)):
            if take is not None:
                take(step)
        return steps.result


def mapped(
    work: Generator[Step, None, Result], change: Callable[[Step], Other]
) -> Generator[Other, None, Result]:
    """The same work with other steps; it is closed when this ends, however it ends."""
    with closing(work):
        for step in (steps := _Steps(work)):
            yield change(step)
        return steps.result


def ending_early(
    work: Generator[Step, None, Result], stop: Stop
) -> Generator[Step, None, Result | None]:
    """The same work, given up when somebody wants it to end; then there is no result."""
    with closing(work):
        for step in (steps := _Steps(work if not stop.asked else _nothing())):
            yield step
            if stop.asked:
                return None
        return steps.result


def _nothing() -> Generator[Any, None, None]:
    """Work that is over."""
    yield from ()


def sparing(
    work: Generator[Step, None, Result], change: Callable[[Step], Other | None], every: float = 0.1
) -> Generator[Other, None, Result]:
    """The same work with other steps, and only a few of them.

    Args:
        work: yields steps or events.
        change: what is said instead of a step; None for nothing.
        every: seconds between two that are said.
    """
    told = 0.0
    with closing(work):
        for step in (steps := _Steps(work)):
            other = change(step)
            if other is not None and time.monotonic() - told > every:
                told = time.monotonic()
                yield other
        return steps.result
