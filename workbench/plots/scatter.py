"""The plot of runs, one value against another: a pure function from a DataFrame to a figure.

It can be read at a width of 420 px. Points have the colours of their runs; several of one colour
are told apart by the names beside them and by what is said under the mouse.
"""

from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from workbench.plots.style import dress
from workbench.work.colours import THEMES, ThemeName

__all__ = ["scatter"]

NAMED = 12  # so many points have their names beside them
TICKS = 6  # so many different numbers are told each
WIDE = 20.0  # a span of positive numbers that is easier to read on a logarithmic scale


def scatter(
    rows: pd.DataFrame,
    x: str,
    y: str,
    *,
    stretched: tuple[bool, bool] = (False, False),
    theme: ThemeName = "light",
) -> go.Figure:
    """A point for each run.

    Args:
        rows: columns ``name`` (of the run), ``hue`` (a place in the palette, from 1), ``x`` and
            ``y``; numbers, or texts in ``x``, which then stand side by side.
        x, y: what the axes are called; neither these nor names are markup.
        stretched: whether numbers of x, and of y, stand on a logarithmic scale if they span much.
        theme: light or dark.
    """
    colours = THEMES[theme]
    x, y = escape(x), escape(y)
    figure = go.Figure()
    figure.add_scatter(
        x=[escape(x) if isinstance(x, str) else x for x in rows["x"]],
        y=rows["y"].tolist(),
        mode="markers+text" if len(rows) <= NAMED else "markers",
        text=[escape(name) for name in rows["name"]],
        textposition="top center",
        cliponaxis=False,
        marker={"size": 11, "color": [colours.series[hue - 1] for hue in rows["hue"]]},
        textfont={"size": 11, "color": colours.quiet},
        hovertemplate=f"<b>%{{text}}</b><br>{x}: %{{x}}<br>{y}: %{{y}}<extra></extra>",
        showlegend=False,
    )
    dress(figure, colours, f"{y} against {x}", [], 380)
    figure.update_xaxes(title=x, showgrid=True)
    figure.update_yaxes(title=y)
    if rows["x"].map(lambda value: isinstance(value, str)).any():
        figure.update_xaxes(type="category")
    else:
        figure.update_xaxes(**_scale(rows["x"], stretched[0]))
    figure.update_yaxes(**_scale(rows["y"], stretched[1]))
    return figure


def _scale(values: pd.Series, stretched: bool) -> dict[str, Any]:
    """How an axis of numbers is divided: few different ones, such as rates, are its ticks."""
    low, high = float(values.min()), float(values.max())
    is_wide = stretched and low > 0 and high / low > WIDE
    scale = {"type": "log", "dtick": 1, "exponentformat": "power"} if is_wide else {}
    different = sorted(set(values))
    if stretched and len(different) <= TICKS:
        scale |= {"tickvals": different, "ticktext": [f"{value:.4g}" for value in different]}
    return scale
