"""The loss curves of the Runs tab: small ones in rows, and two runs in one picture.

Pure functions from numbers to HTML; scales are logarithmic.
"""

import math
from collections.abc import Sequence

from workbench.page.kit.html import text
from workbench.work.words import count, small

__all__ = ["spark", "two_curves"]

LOWEST = 1e-6
SIDE = 100.0  # of the picture's coordinates, which are stretched to its place


def spark(losses: Sequence[float]) -> str:
    """A small curve of the mean loss of each epoch; empty when there is none."""
    finite = _finite(losses)
    if len(finite) < 2:
        return ""
    said = f"loss {small(finite[0])} to {small(finite[-1])} in {count(len(finite), 'epoch')}"
    path = _path(finite, min(finite), max(finite), len(finite))
    return (
        f'<svg class="spark" viewBox="0 -4 {SIDE:g} {SIDE + 8:g}" preserveAspectRatio="none" '
        f'role="img" aria-label="{said}"><title>{said}</title><path d="{path}"/></svg>'
    )


def two_curves(first: Sequence[float], second: Sequence[float], names: tuple[str, str]) -> str:
    """The mean losses of two runs over their epochs, named at their ends.

    Args:
        first: one for each epoch of the first run.
        second: likewise.
        names: what the runs are called.
    """
    curves = [_finite(losses) for losses in (first, second)]
    both = [loss for losses in curves for loss in losses]
    if not both:
        return '<p class="quiet">Neither run has finished an epoch.</p>'
    lowest, highest = min(both), max(both)
    epochs = max(len(losses) for losses in curves)
    paths, labels = "", ""
    for kind, name, losses, lift in zip(
        ("first", "second"), names, curves, _lifts(curves, lowest, highest), strict=True
    ):
        if losses:
            paths += f'<path class="{kind}" d="{_path(losses, lowest, highest, epochs)}"/>'
            labels += _label(kind, name, losses, lowest, highest, epochs, lift)
    return (
        f'<div class="chart pair-chart"><svg class="loss" viewBox="0 0 {SIDE:g} {SIDE:g}" '
        'preserveAspectRatio="none" role="img" aria-label="mean loss by epoch of both runs">'
        f'{paths}</svg>{labels}</div><div class="foot axis"><span>epoch 1</span>'
        f"<span>{epochs}</span></div>"
    )


def _finite(losses: Sequence[float]) -> list[float]:
    return [max(LOWEST, loss) for loss in losses if math.isfinite(loss)]


def _height(loss: float, lowest: float, highest: float) -> float:
    # Differences of logarithms: a quotient of losses may be too large for a number.
    span = math.log(highest) - math.log(lowest) or 1.0
    return SIDE * (1 - (math.log(loss) - math.log(lowest)) / span)


def _across(place: int, epochs: int) -> float:
    return SIDE * place / max(1, epochs - 1)


def _path(losses: Sequence[float], lowest: float, highest: float, epochs: int) -> str:
    points = [
        f"{_across(place, epochs):.2f} {_height(loss, lowest, highest):.2f}"
        for place, loss in enumerate(losses)
    ]
    # A run of one epoch is a short dash, which can be seen.
    if len(points) == 1:
        points.append(f"{SIDE / 50:g} {points[0].split()[1]}")
    return "M" + " L".join(points)


def _lifts(curves: Sequence[Sequence[float]], lowest: float, highest: float) -> tuple[str, str]:
    """Where the names stand at the ends, above or below, so that two near ones do not meet."""
    ends = [_height(losses[-1], lowest, highest) if losses else SIDE for losses in curves]
    return ("- 20px", "+ 4px") if ends[0] <= ends[1] else ("+ 4px", "- 20px")


def _label(
    kind: str,
    name: str,
    losses: Sequence[float],
    lowest: float,
    highest: float,
    epochs: int,
    lift: str,
) -> str:
    x = _across(len(losses) - 1, epochs)
    y = min(88.0, max(12.0, _height(losses[-1], lowest, highest)))
    side = f"left:calc({x:.1f}% + 6px)" if x < 60 else f"right:{SIDE - x:.1f}%"
    return (
        f'<span class="{kind}" style="{side};top:calc({y:.1f}% {lift})">{text(name)} · '
        f"{small(losses[-1])}</span>"
    )
