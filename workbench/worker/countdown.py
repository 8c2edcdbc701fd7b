"""How long a phase of work will still take, by how fast it was going lately.

A rate over the later half of the phase: what set it up, such as hidden states, counts no more once
as much time has passed again, and no single step decides. Knows nothing about jobs.
"""

import time
from collections import deque
from collections.abc import Callable

__all__ = ["Countdown", "time_left"]

WORTH_SAYING = 1.0  # seconds of work before its end can be told
SHORTEST = 20.0  # seconds over which a rate is taken, where there are as many


class Countdown:
    """The time left of a phase that began when this was made.

    Args:
        clock: tells seconds.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.monotonic
        self._began = self._clock()
        self._marks: deque[tuple[float, float]] = deque()

    def left(self, done: float) -> str:
        """The rest of the time for the end of a line; empty while it cannot be told.

        Args:
            done: share of the phase that is done, 0 to 1; less than half of what was done before
                begins another phase, and a little less is the same told in other units.
        """
        seconds = self.seconds_left(done)
        return "" if seconds is None else f" · {time_left(seconds)}"

    def seconds_left(self, done: float) -> float | None:
        """The rest of the time; None while it cannot be told.

        Args:
            done: see `left`.
        """
        now = self._clock()
        if self._marks and done < self._marks[-1][1] / 2:
            self._began = now
            self._marks.clear()
        if not self._marks or done > self._marks[-1][1]:
            self._marks.append((now, done))
        since = now - max(SHORTEST, (now - self._began) / 2)
        # The first step of all sets things up, so that it counts only while there is no other.
        while len(self._marks) > 2 and (self._marks[1][0] <= since or not self._marks[0][1]):
            self._marks.popleft()
        (first, at_first), (last, at_last) = self._marks[0], self._marks[-1]
        if not 0 < done < 1 or last - first < WORTH_SAYING:
            return None
        # What has passed since the last mark is part of the step that goes on.
        whole = (1 - at_last) * (last - first) / (at_last - at_first)
        return max(0.0, whole - (now - last))


def time_left(seconds: float) -> str:
    """Such as ``1:05 left``."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02} left"
