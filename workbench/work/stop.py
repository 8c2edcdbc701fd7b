"""The wish to stop: one token, asked between two steps of any work.

Whoever starts work makes the token and hands it over; a second thread, a signal or a database may
express the wish. Work that can go on later looks at `asked` and ends by itself in good order; work
that cannot calls `check`.
"""

from collections.abc import Callable

__all__ = ["Cancelled", "Stop", "StopWhen"]


class Cancelled(Exception):
    """Somebody asked for the end of this work."""


class Stop:
    """A wish that was expressed or not; once expressed, it stays."""

    def __init__(self) -> None:
        self._asked = False

    def ask(self) -> None:
        """Expresses the wish; may be called from anywhere, as often as one likes."""
        self._asked = True

    @property
    def asked(self) -> bool:
        """Whether somebody wants the work to end; cheap enough to ask at every step."""
        return self._asked

    def check(self) -> None:
        """Ends the work when that was asked for.

        Raises:
            Cancelled: it was.
        """
        if self.asked:
            raise Cancelled


class StopWhen(Stop):
    """A wish that follows from something else, such as that somebody waits.

    Args:
        wanted: asked at every step; once it said so, the wish stays.
    """

    def __init__(self, wanted: Callable[[], bool]) -> None:
        super().__init__()
        self._wanted = wanted

    @property
    def asked(self) -> bool:
        """Whether the work should end."""
        self._asked = self._asked or self._wanted()
        return self._asked
