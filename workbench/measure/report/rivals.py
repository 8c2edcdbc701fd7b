"""A study of methods as one small SVG picture: quality against time, with the Pareto line. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from workbench.measure.report.log_axes import LogAxes
from workbench.work.templates import render

__all__ = ["rivals_picture"]

HEIGHT = 300
LEAST_SECONDS = 0.01
NEAR = 15.0  # numbers nearer than this would cover each other
SHAPES = {"each": "one by one", "batches": "in batches", "once": "all at once"}


def rivals_picture(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """Every arm's best run as a numbered point; the shape says how it took up the facts.

    Args:
        rows: of a study of methods, with ``score``, ``seconds``, ``mode`` and ``pareto``.

    Returns:
        An SVG figure; empty without rows.
    """
    if not rows:
        return Markup()
    times = [max(LEAST_SECONDS, float(row["seconds"])) for row in rows]
    axes = LogAxes(times, HEIGHT, below=40)
    places = [(axes.x(time), axes.y(row["score"])) for time, row in zip(times, rows, strict=True)]
    line = sorted(place for place, row in zip(places, rows, strict=True) if row["pareto"])
    used = {row["mode"] for row in rows}
    return render(
        "report/rivals.html",
        axes=axes,
        points=[
            (number, px, py, _beside(places[: number - 1], (px, py)), row)
            for number, ((px, py), row) in enumerate(zip(places, rows, strict=True), start=1)
        ],
        path="M" + " L".join(f"{px} {py}" for px, py in line),
        shapes=[(mode, words) for mode, words in SHAPES.items() if mode in used],
    )


def _beside(before: Sequence[tuple[float, float]], place: tuple[float, float]) -> float:
    """How far under its usual place a number stands, so that it does not cover earlier ones."""
    near = sum(math.dist(place, other) < NEAR for other in before)
    return 11.0 * near
