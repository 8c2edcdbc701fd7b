"""A scale study as one small SVG picture: reliability against facts per tuned weights. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from workbench.measure.report.log_axes import LogAxes
from workbench.work.templates import render

__all__ = ["capacity_picture"]

HEIGHT = 260


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
    axes = LogAxes([dense for dense, _, _ in known], HEIGHT, below=34)
    points = [(axes.x(dense), axes.y(share), dense, share, facts) for dense, share, facts in known]
    path = "M" + " L".join(f"{x} {y}" for x, y, *_ in points)
    return render("report/capacity.html", axes=axes, points=points, path=path)
