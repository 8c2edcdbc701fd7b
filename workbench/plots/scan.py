"""The plot of a scan: a pure function from a DataFrame to a Plotly figure."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from workbench.plots.style import dress, step
from workbench.work.colours import THEMES, ThemeName

__all__ = ["scan_heatmap"]

CELL = 26  # px of a row

COLUMNS = {
    "relative": ("gradient of the edit loss, relative to the matrix", True),
    "gradient": ("gradient of the edit loss", True),
    "overlap": ("share of it that also moves unrelated prompts", False),
}


def scan_heatmap(
    rows: pd.DataFrame,
    column: str = "relative",
    *,
    theme: ThemeName = "light",
    chosen: Sequence[str] = (),
    preset: Sequence[str] = (),
    source: str = "",
    note: str = "",
) -> go.Figure:
    """Module by layer, coloured by one column of a scan.

    Args:
        rows: columns ``at``, ``layer``, ``module``, ``gradient``, ``relative``, ``overlap``.
        column: which of the last three; gradients are coloured by their logarithm.
        theme: light or dark.
        chosen: locations that get a frame in the colour of words.
        preset: locations of the model's preset, which get a frame in another colour.
        source: where the preset comes from.
        note: a sentence under the plot.
    """
    colours = THEMES[theme]
    title, logarithmic = COLUMNS[column]
    modules = list(dict.fromkeys(rows["module"]))[::-1]
    layers = sorted(set(rows["layer"]))
    table = rows.pivot(index="module", columns="layer", values=column)
    table = table.reindex(index=modules, columns=layers)
    shown = table.map(lambda v: math.log10(max(v, 1e-12))) if logarithmic else table
    ticks = _decades(shown) if logarithmic else {}
    figure = go.Figure(
        go.Heatmap(
            z=shown.to_numpy(),
            x=layers,
            y=modules,
            customdata=_hover_values(rows, modules, layers),
            hovertemplate=(
                "<b>%{customdata[0]}</b><br>gradient %{customdata[1]} of the matrix's norm"
                "<br>%{customdata[2]} of its direction also moves unrelated prompts"
                "<extra></extra>"
            ),
            colorscale=[[0, colours.low], [1, colours.high]],
            xgap=2,
            ygap=2,
            # Where a layer lacks the matrix there is nothing to read and nothing to click.
            hoverongaps=False,
            colorbar={"thickness": 8, "outlinewidth": 0, "len": 1, **ticks},
        )
    )
    _frame(figure, preset, colours.series[1], modules, layers)
    _frame(figure, chosen, colours.text, modules, layers)
    words = [note] if note else []
    if preset and source:
        words.append(f"Framed: {', '.join(preset)} ({source}).")
    words.append("A scan ranks no locations; a sweep does.")
    dress(figure, colours, title.capitalize(), words, 120 + CELL * len(modules))
    figure.update_xaxes(title="layer", showgrid=False, dtick=step(len(layers)))
    figure.update_yaxes(showgrid=False, type="category")
    return figure


def _hover_values(rows: pd.DataFrame, modules: list[str], layers: list[int]) -> list[list[Any]]:
    known = {(r.module, r.layer): r for r in rows.itertuples()}

    def cell(module: str, layer: int) -> list[str]:
        row: Any = known.get((module, layer))
        if row is None:
            return ["", "", ""]
        return [row.at, f"{row.relative:.2g}", f"{row.overlap:.1%}"]

    return [[cell(module, layer) for layer in layers] for module in modules]


def _decades(logarithms: pd.DataFrame) -> dict[str, Any]:
    """Ticks of a colour bar at powers of ten."""
    low, high = float(logarithms.min().min()), float(logarithms.max().max())
    whole = range(math.ceil(low), math.floor(high) + 1)
    values = [float(power) for power in whole] or [low, high]
    return {"tickvals": values, "ticktext": [f"{10**value:.1g}" for value in values]}


def _frame(
    figure: go.Figure, places: Sequence[str], colour: str, modules: list[str], layers: list[int]
) -> None:
    """Frames the places that are in the plot."""
    for at in places:
        layer, _, module = at.partition(".")
        if module in modules and int(layer) in layers:
            x, y = int(layer), modules.index(module)
            box = {"x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5}
            figure.add_shape(type="rect", line={"color": colour, "width": 2}, **box)
