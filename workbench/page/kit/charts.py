"""Curves as small SVG pictures, quick enough to be drawn again many times a second.

Pure functions from numbers to HTML.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup

from workbench.work.templates import render

__all__ = ["loss_curve"]

WIDTH, HEIGHT = 100.0, 100.0
LOWEST = 1e-6


def loss_curve(losses: Sequence[float], epochs: int, floor: float) -> Markup:
    """The mean loss of each epoch so far, on a logarithmic scale, with the stop rule's line.

    Args:
        losses: one for each epoch done.
        epochs: how many there may be at most; the curve keeps room for twice what is done, and
            there is none of a single epoch.
        floor: the loss under which the run ends.
    """
    finite = [max(LOWEST, loss) for loss in losses if math.isfinite(loss)]
    if not finite or epochs < 2:
        return Markup()
    lowest = min(*finite, max(LOWEST, floor)) / 1.3
    highest = max(*finite, floor) * 1.3
    span = math.log(highest / lowest)
    room = max(2, min(epochs, 2 * len(finite))) - 1

    def height(loss: float) -> float:
        return HEIGHT * (1 - math.log(loss / lowest) / span)

    points = [(WIDTH * i / room, height(loss)) for i, loss in enumerate(finite)]
    x, y = points[-1]
    return render(
        "page/curve.html",
        width=f"{WIDTH:g}",
        height=f"{HEIGHT:g}",
        path=" ".join(f"{'L' if i else 'M'}{x:.2f} {y:.2f}" for i, (x, y) in enumerate(points)),
        side=f"left:calc({x:.1f}% + 6px)" if x < 70 else f"right:{100 - x:.1f}%",
        top=min(y, 90),
        last=losses[-1],
        floor=floor,
        floor_at=height(max(LOWEST, floor)) if floor > 0 else None,
    )
