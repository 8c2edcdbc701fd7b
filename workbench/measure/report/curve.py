"""The loss of a run as one small SVG picture, with its axis and the stop rule. Pure."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from workbench.work.templates import render

__all__ = ["loss_picture"]

WIDTH, HEIGHT = 640, 180
LEFT, BOTTOM, TOP, RIGHT = 52, 24, 10, 12
LOWEST = 1e-6


def loss_picture(losses: Sequence[float], floor: float) -> Markup:
    """The mean loss of each epoch on a logarithmic scale.

    Args:
        losses: one for each epoch.
        floor: the loss under which a run ends; 0 draws no line.

    Returns:
        An SVG figure; empty without losses.
    """
    finite = [max(LOWEST, loss) for loss in losses if math.isfinite(loss)]
    if not finite:
        return Markup()
    ends = [*finite, *([max(LOWEST, floor)] if floor > 0 else [])]
    low, high = math.log10(min(ends) / 1.3), math.log10(max(ends) * 1.3)

    def y(loss: float) -> float:
        share = (math.log10(max(LOWEST, loss)) - low) / (high - low)
        return round(TOP + (1 - share) * (HEIGHT - TOP - BOTTOM), 1)

    def x(epoch: int) -> float:
        span = max(1, len(finite) - 1)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (epoch / span), 1)

    points = [(x(epoch), y(loss)) for epoch, loss in enumerate(finite)]
    powers = range(math.ceil(low), math.floor(high) + 1)
    return render(
        "report/loss.html",
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        grid=[(y(10.0**power), f"{10.0**power:g}") for power in powers],
        floor=y(floor) if floor > 0 else None,
        path=" ".join(f"{'L' if i else 'M'}{x} {y}" for i, (x, y) in enumerate(points)),
        end=points[-1],
        epochs=len(finite),
    )
