"""Events come through JSON unchanged, so that a page in another process sees what a test sees."""

import json
from collections.abc import Generator
from typing import Any

import pytest

from workbench.methods import events
from workbench.methods.events import (
    BatchDone,
    EpochDone,
    Finished,
    Judged,
    MicroBatchHalved,
    StageProgress,
    Started,
    StatesProgress,
    Stopped,
)
from workbench.work.events import Event, follow, mapped, sparing

EXAMPLES: list[Event] = [
    Started(20, ("6.mlp", "7"), 5e-3, 5, 50, 200, 196_608, 1 << 20, 6, "no reason", 3),
    StatesProgress(10, 20),
    StageProgress("Values", 3, 20),
    BatchDone(1, 4, 2.5, skipped=False),
    EpochDone(1, 50, 1.25, 0.5, 3.5),
    MicroBatchHalved(2),
    Finished("converged", 12, 48, 1.5, (2.0, 1.0, 0.005)),
    Judged((True, False), (3, 0)),
    Stopped(3, 50),
]


def test_there_is_an_example_of_every_event() -> None:
    assert {type(example).__name__ for example in EXAMPLES} == set(events.__all__)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_an_event_survives_json(event: Event) -> None:
    data = json.loads(json.dumps(event.as_dict()))
    assert data["event"] == type(event).__name__
    assert Event.from_dict(data) == event


@pytest.mark.parametrize("changed", [mapped, sparing])
def test_work_is_closed_when_what_changes_its_steps_fails_or_is_left(changed: Any) -> None:
    closed: list[str] = []

    def work() -> Generator[int, None, None]:
        try:
            yield 1
            yield 2
        finally:
            closed.append("closed")

    def fail(step: int) -> int:
        raise ValueError

    with pytest.raises(ValueError) as held:
        follow(changed(work(), fail))
    assert closed == ["closed"] and held.value is not None
    left = changed(work(), lambda step: step)
    assert next(left) == 1
    left.close()
    assert closed == ["closed"] * 2
