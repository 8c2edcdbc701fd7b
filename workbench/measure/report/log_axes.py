"""The axes of a small SVG picture: a share against something on a logarithmic scale. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LogAxes"]

LEFT, TOP, RIGHT = 40, 14, 24
WIDTH = 640


@dataclass(frozen=True, slots=True)
class LogAxes:
    """Where things stand in the picture.

    Args:
        values: all that is shown on the logarithmic scale, above 0; at least one.
        height: of the picture, in its own units.
        below: how much of that lies under the lower axis.
    """

    values: Sequence[float]
    height: int
    below: int

    width = WIDTH
    left = LEFT
    right = WIDTH - RIGHT

    @property
    def bottom(self) -> int:
        """Where a share of nothing stands."""
        return self.height - self.below

    @property
    def powers(self) -> range:
        """The powers of ten that the scale goes through; at least two."""
        low = math.floor(math.log10(min(self.values)))
        high = math.ceil(math.log10(max(self.values)))
        return range(low, max(high, low + 1) + 1)

    @property
    def marks(self) -> list[tuple[float, str]]:
        """Where each power of ten stands, and how it is written."""
        return [(self.x(10.0**power), f"{10.0**power:g}") for power in self.powers]

    @property
    def shares(self) -> list[tuple[float, int]]:
        """Where some shares stand, of a hundred."""
        return [(self.y(share / 100), share) for share in (0, 25, 50, 75, 100)]

    def x(self, value: float) -> float:
        """How far to the right a value stands."""
        low, high = self.powers[0], self.powers[-1]
        share = (math.log10(value) - low) / (high - low)
        return round(self.left + (self.right - self.left) * share, 1)

    def y(self, share: float) -> float:
        """How far down a share, from 0 to 1, stands."""
        return round(TOP + (self.bottom - TOP) * (1 - share), 1)
