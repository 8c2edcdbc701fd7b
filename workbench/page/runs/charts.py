"""The loss curves of the Runs tab: small ones in rows, and lines of several in one picture.

Pure functions from numbers to HTML; scales are logarithmic.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup

from workbench.work.templates import render
from workbench.work.words import count, small

__all__ = ["path_of_losses", "spark"]

LOWEST = 1e-6
SIDE = 100.0  # of the picture's coordinates, which are stretched to its place


def spark(losses: Sequence[float]) -> Markup:
    """A small curve of the mean loss of each epoch; empty when there is none."""
    finite = _finite(losses)
    if len(finite) < 2:
        return Markup()
    said = f"loss {small(finite[0])} to {small(finite[-1])} in {count(len(finite), 'epoch')}"
    path = _path(finite, min(finite), max(finite), len(finite))
    return render("page/runs/spark.html", said=said, path=path)


def path_of_losses(losses: Sequence[Sequence[float]], place: int) -> str:
    """The line of one run in a picture of several, all on one scale; empty without an epoch.

    Args:
        losses: of each run, one for each epoch.
        place: which of the runs.
    """
    finite = [_finite(each) for each in losses]
    every = [loss for each in finite for loss in each]
    if not finite[place]:
        return ""
    longest = max(len(each) for each in finite)
    return _path(finite[place], min(every), max(every), longest)


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
