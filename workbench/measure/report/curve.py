"""The loss of a run as one small SVG picture, with its axis and the stop rule. Pure."""

import math
from collections.abc import Sequence

__all__ = ["loss_picture"]

WIDTH, HEIGHT = 640.0, 180.0
LEFT, BOTTOM, TOP, RIGHT = 52.0, 24.0, 10.0, 12.0
LOWEST = 1e-6


def loss_picture(losses: Sequence[float], floor: float) -> str:
    """The mean loss of each epoch on a logarithmic scale.

    Args:
        losses: one for each epoch.
        floor: the loss under which a run ends; 0 draws no line.

    Returns:
        An SVG figure; empty without losses.
    """
    finite = [max(LOWEST, loss) for loss in losses if math.isfinite(loss)]
    if not finite:
        return ""
    ends = [*finite, *([max(LOWEST, floor)] if floor > 0 else [])]
    low, high = math.log10(min(ends) / 1.3), math.log10(max(ends) * 1.3)

    def y(loss: float) -> float:
        share = (math.log10(max(LOWEST, loss)) - low) / (high - low)
        return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)

    def x(epoch: int) -> float:
        span = max(1, len(finite) - 1)
        return LEFT + (WIDTH - LEFT - RIGHT) * (epoch / span)

    marks = []
    for power in range(math.ceil(low), math.floor(high) + 1):
        marks.append(
            f'<line class="grid" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{y(10.0**power):.1f}" '
            f'y2="{y(10.0**power):.1f}"/>'
            f'<text x="{LEFT - 6:g}" y="{y(10.0**power) + 4:.1f}" text-anchor="end">'
            f"{10.0**power:g}</text>"
        )
    if floor > 0:
        marks.append(
            f'<line class="floor" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{y(floor):.1f}" '
            f'y2="{y(floor):.1f}"/>'
        )
    path = " ".join(f"{'L' if i else 'M'}{x(i):.1f} {y(loss):.1f}" for i, loss in enumerate(finite))
    last = f'<circle cx="{x(len(finite) - 1):.1f}" cy="{y(finite[-1]):.1f}" r="3"/>'
    return (
        f'<figure><svg class="loss" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        f'aria-label="mean loss by epoch">{"".join(marks)}<path d="{path}"/>{last}'
        f'<text x="{LEFT:g}" y="{HEIGHT - 6:g}">epoch 1</text>'
        f'<text x="{WIDTH - RIGHT:g}" y="{HEIGHT - 6:g}" text-anchor="end">'
        f"epoch {len(finite)}</text></svg>"
        '<figcaption class="quiet">Mean loss by epoch, logarithmic; the dashed line ends a run.'
        "</figcaption></figure>"
    )
