"""The time left of work: steady from the second minute on, whatever came before it."""

import random

import pytest

from workbench.worker.countdown import Countdown, time_left


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_says_nothing_before_it_knows() -> None:
    clock = Clock()
    countdown = Countdown(clock)
    assert countdown.left(0.25) == ""
    clock.now += 30
    assert countdown.left(0.5) == " · 1:00 left"
    clock.now += 10
    assert countdown.left(0.5) == " · 0:50 left"  # the same step goes on
    assert countdown.left(1.0) == ""
    assert time_left(65.2) == "1:05 left"


@pytest.mark.parametrize("setting_up", [0.0, 25.0])
@pytest.mark.parametrize("step", [0.2, 5.0, 14.0])
def test_a_steady_job_is_foretold_within_a_fifth_from_the_second_minute_on(
    setting_up: float, step: float
) -> None:
    drawn, steps = random.Random(0), 1000
    times = [step * drawn.uniform(0.6, 1.4) for _ in range(steps)]
    clock = Clock()
    countdown = Countdown(clock)
    assert countdown.seconds_left(0.0) is None
    clock.now += setting_up
    left, looked = sum(times), 0
    for number, seconds in enumerate(times, start=1):
        clock.now += seconds
        left -= seconds
        found = countdown.seconds_left(number / steps)
        if number < 3 or clock.now - 100 < 60 or left < 10 * step:
            continue
        assert found is not None
        assert abs(found - left) < 0.2 * left, (clock.now, found, left)
        looked += 1
    assert looked > 500


def test_another_phase_does_not_count_the_time_of_the_one_before() -> None:
    clock = Clock()
    countdown = Countdown(clock)
    for done in (0.5, 1.0):
        clock.now += 300
        countdown.left(done)
    shown = []
    for epoch in range(1, 5):
        clock.now += 5
        shown.append(countdown.seconds_left(epoch / 40))
    assert shown == [None, pytest.approx(190), pytest.approx(185), pytest.approx(180)]


def test_the_same_share_in_other_units_is_no_other_phase() -> None:
    clock = Clock()
    countdown = Countdown(clock)
    for share in (0.2, 0.3, 0.4):
        clock.now += 10
        countdown.seconds_left(share)
    assert countdown.seconds_left(0.39) == pytest.approx(60)


def test_a_job_that_goes_on_in_its_middle_is_not_thought_fast() -> None:
    clock = Clock()
    countdown = Countdown(clock)
    clock.now += 10
    assert countdown.seconds_left(0.52) is None
    clock.now += 10
    assert countdown.seconds_left(0.54) == pytest.approx(230)
