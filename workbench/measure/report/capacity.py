"""A scale study as one small SVG picture: reliability against facts per tuned weights. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from workbench.work.templates import render

__all__ = ["capacity_picture"]

WIDTH, HEIGHT = 640, 260
LEFT, BOTTOM, TOP, RIGHT = 40, 34, 14, 24


def capacity_picture(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """Each size of a scale study as a point.

    Args:
        rows: of a scale study, with ``density``, ``facts`` and ``reliability_strict``.

    Returns:
        An SVG figure; empty where the tuned weights are not known, as in earlier versions.
    """
    known = sorted(
        (float(row["density"]), float(row["reliability_strict"]), int(row["facts"]))
        for row in rows
        if row.get("density") and row.get("reliability_strict") is not None
    )
    if not known:
        return Markup()
    powers = [math.log10(dense) for dense, _, _ in known]
    low, high = math.floor(powers[0]), math.ceil(powers[-1])
    high = max(high, low + 1)

    def x(power: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (power - low) / (high - low), 1)

    def y(share: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share), 1)

    points = [
        (x(power), y(share), dense, share, facts)
        for power, (dense, share, facts) in zip(powers, known, strict=True)
    ]
    return render(
        "report/capacity.html",
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        bottom=HEIGHT - BOTTOM,
        shares=[(y(share / 100), share) for share in (0, 25, 50, 75, 100)],
        powers=[(x(power), f"{10.0**power:g}") for power in range(low, high + 1)],
        points=points,
        path="M" + " L".join(f"{px} {py}" for px, py, *_ in points),
    )
