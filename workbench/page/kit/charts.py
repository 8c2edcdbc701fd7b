"""Curves as small SVG pictures, quick enough to be drawn again many times a second.

Pure functions from numbers to HTML.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup

from workbench.work.words import small

__all__ = ["loss_curve"]

WIDTH, HEIGHT = 100.0, 100.0
LOWEST = 1e-6


def loss_curve(losses: Sequence[float], epochs: int, floor: float) -> str:
    """The mean loss of each epoch so far, on a logarithmic scale, with the stop rule's line.

    Args:
        losses: one for each epoch done.
        epochs: how many there may be at most; the curve keeps room for twice what is done.
        floor: the loss under which the run ends.
    """
    finite = [max(LOWEST, loss) for loss in losses if math.isfinite(loss)]
    if not finite:
        return ""
    lowest = min(*finite, max(LOWEST, floor)) / 1.3
    highest = max(*finite, floor) * 1.3
    span = math.log(highest / lowest)
    room = max(2, min(epochs, 2 * len(finite))) - 1

    def height(loss: float) -> float:
        return HEIGHT * (1 - math.log(loss / lowest) / span)

    points = [(WIDTH * i / room, height(loss)) for i, loss in enumerate(finite)]
    path = " ".join(f"{'L' if i else 'M'}{x:.2f} {y:.2f}" for i, (x, y) in enumerate(points))
    x, y = points[-1]
    side = f"left:calc({x:.1f}% + 6px)" if x < 70 else f"right:{100 - x:.1f}%"
    marks = f'<span style="{side};top:calc({min(y, 90):.1f}% - 20px)">{small(losses[-1])}</span>'
    line = ""
    if floor > 0:
        y = height(max(LOWEST, floor))
        line = f'<line class="floor" x1="0" x2="{WIDTH:g}" y1="{y:.2f}" y2="{y:.2f}"/>'
        marks += f'<span style="left:0;top:calc({y:.1f}% - 18px)">stops under {small(floor)}</span>'
    return Markup(
        f'<div class="chart"><svg class="loss" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" '
        'preserveAspectRatio="none" role="img" aria-label="mean loss by epoch">'
        f'{line}<path d="{path}"/></svg>{marks}</div>'
    )
