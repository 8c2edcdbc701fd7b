"""The plot of a sweep: a pure function from a DataFrame to a Plotly figure.

It can be read at a width of 420 px: labels stand at the ends of the curves.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from workbench.measure.protocols import SCORED
from workbench.plots.style import dress, step
from workbench.work.colours import CLEAR, THEMES, Theme, ThemeName, faded

__all__ = ["sweep_curves"]

MEASURES = ("score", *SCORED)
BAND = 0.13  # opacity


def sweep_curves(
    rows: pd.DataFrame,
    *,
    measures: Sequence[str] | None = None,
    theme: ThemeName = "light",
    recommended: str = "",
    chosen: Sequence[str] = (),
    preset: Sequence[str] = (),
    source: str = "",
    note: str = "",
) -> go.Figure:
    """Curves over the layers with bands in which the middle 90% of the resamples lie.

    Args:
        rows: as `LocationScore.as_dict`; a column ``sweep`` may name several sweeps to be laid
            over each other.
        measures: ``score``, or those that `ScoreWeights` weighs; None draws the score, reliability,
            generalization and locality for a single module and rate, and the score alone for
            several. Full runs, and matrices that were tried in the best layers alone, are points
            of the first measure.
        theme: light or dark.
        recommended: the location to put a circle around.
        chosen: locations to put a square around.
        preset: locations of the model's preset, marked on the axis.
        source: where the preset comes from.
        note: a sentence about what the scores rest on.
    """
    colours = THEMES[theme]
    swept, elsewhere = _split_by_width(rows[~rows["is_full"]])
    groups = _groups(swept)
    if measures is None:
        measures = MEASURES if len(groups) == 1 else MEASURES[:1]
    figure = go.Figure()
    ends: list[tuple[float, str, str]] = []
    curves = [(name, part, measure) for name, part in groups for measure in measures]
    for number, (name, part, measure) in enumerate(curves):
        part = part.dropna(subset=[measure])
        if part.empty:
            continue
        colour = colours.series[number % len(colours.series)]
        label = " ".join(filter(None, (name, measure if len(measures) > 1 else "")))
        _curve(figure, part, measure, label or measure, colour)
        ends.append((100 * float(part[measure].iloc[-1]), label or measure, colour))
    _label_ends(figure, ends)
    _points(figure, elsewhere, measures[0], "circle-open", 7, colours.quiet)
    _points(figure, rows[rows["is_full"]], measures[0], "diamond", 9, colours.text)
    _point_at(figure, colours, rows, recommended, "circle", measures[0])
    for at in chosen:
        _point_at(figure, colours, rows, at, "square", measures[0])
    layers = sorted(set(rows["layer"]))
    is_marked = _mark_preset(figure, colours, layers, preset)
    words = [note] if note else []
    if is_marked and source:
        words.append(f"Dotted: {', '.join(preset)} ({source}).")
    title = measures[0] if len(measures) == 1 else "score and measures"
    dress(figure, colours, f"{title.capitalize()} by layer", words, 380)
    _set_axes(figure, layers)
    return figure


def _mark_preset(
    figure: go.Figure, colours: Theme, layers: Sequence[int], preset: Sequence[str]
) -> bool:
    """Dotted lines at the preset's layers; returns whether there are any."""
    marked = sorted({int(at.partition(".")[0]) for at in preset} & set(layers))
    for layer in marked:
        figure.add_vline(x=layer, line={"color": colours.quiet, "width": 1, "dash": "dot"})
    return bool(marked)


def _set_axes(figure: go.Figure, layers: Sequence[int]) -> None:
    """Layers below, with room at the right for the curves' names; shares at the left."""
    span = max(1, layers[-1] - layers[0])
    figure.update_xaxes(
        title="layer",
        tickvals=layers[:: step(len(layers))],
        range=[layers[0] - 0.03 * span - 0.1, layers[-1] + 0.42 * span],
    )
    figure.update_yaxes(range=[-2, 109], tickvals=[0, 25, 50, 75, 100], ticksuffix=" %")


def _split_by_width(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trials that make a curve over the layers, and those of matrices tried in few layers."""
    # Of a matrix, not of its rates: with a budget some rates are tried in few layers.
    keys = [key for key in ("sweep", "module") if key in rows]
    width = rows.groupby(keys)["layer"].transform("nunique")
    is_wide = 2 * width > width.max()
    return rows[is_wide], rows[~is_wide]


def _groups(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Curves: a part of the rows for each sweep, module and rate, named by what differs."""
    keys = [key for key in ("sweep", "module", "learning_rate") if key in rows]
    differing = [key for key in keys if rows[key].nunique() > 1]
    found = []
    for values, part in rows.groupby(keys, sort=False):
        named = dict(zip(keys, values, strict=True))
        words = [_in_words(key, named[key]) for key in differing]
        found.append((" ".join(words), part.sort_values("layer")))
    return found


def _in_words(key: str, value: Any) -> str:
    if key == "learning_rate":
        return f"lr {value:g}"
    return str(value) or "whole layer"


def _curve(figure: go.Figure, part: pd.DataFrame, measure: str, label: str, colour: str) -> None:
    x = part["layer"].tolist()
    low, high = part[f"{measure}_low"].tolist(), part[f"{measure}_high"].tolist()
    figure.add_scatter(
        x=x + x[::-1],
        y=[100 * value for value in high + low[::-1]],
        fill="toself",
        fillcolor=faded(colour, BAND),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=x,
        y=[100 * value for value in part[measure]],
        mode="lines+markers",
        line={"color": colour, "width": 3 if measure == "score" else 1.6},
        marker={"size": 7 if measure == "score" else 5},
        name=label,
        customdata=part["at"].tolist(),
        text=_hover(part, measure, label),
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def _points(
    figure: go.Figure, rows: pd.DataFrame, measure: str, symbol: str, size: int, colour: str
) -> None:
    """Trials that stand for themselves, beside the curves."""
    rows = rows.dropna(subset=[measure])
    if rows.empty:
        return
    figure.add_scatter(
        x=rows["layer"].tolist(),
        y=[100 * value for value in rows[measure]],
        mode="markers",
        marker={"size": size, "symbol": symbol, "color": colour},
        name=symbol,
        customdata=rows["at"].tolist(),
        text=_hover(rows, measure, measure),
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def _hover(rows: pd.DataFrame, measure: str, label: str) -> list[str]:
    """A trial in words, for each row."""
    several = len(rows[["facts", "limit"]].drop_duplicates()) > 1
    return [
        f"<b>{row['at']}</b>{_length(row, several)}<br>{label} {row[measure]:.0%} "
        f"(90% between {row[f'{measure}_low']:.0%} and {row[f'{measure}_high']:.0%})"
        f"<br>learning rate {row['learning_rate']:g} · KL {row['kl']:.2g} · {row['epochs']} passes"
        f"<br>weights moved by {row['weight_change']:.0%} of their norm · {row['seconds']:.1f} s"
        for _, row in rows.iterrows()
    ]


def _length(row: Any, several: bool) -> str:
    """How long a trial was, where it was not one of the shortest."""
    if not row["is_full"]:
        return ""
    return f", {row['facts']} facts, at most {row['limit']} passes" if several else ", full run"


def _label_ends(figure: go.Figure, ends: list[tuple[float, str, str]]) -> None:
    """Names at the right ends of the curves, moved apart where they would overlap."""
    if not ends:
        return
    apart = 7.0
    places: list[float] = []
    for height, _, _ in sorted(ends, key=lambda end: end[0]):
        places.append(max(height, places[-1] + apart) if places else height)
    excess = max(0.0, places[-1] - 106)
    for place, (_, label, colour) in zip(places, sorted(ends, key=lambda end: end[0]), strict=True):
        figure.add_annotation(
            x=max(max(trace.x) for trace in figure.data),
            y=place - excess,
            text=label,
            xanchor="left",
            xshift=9,
            showarrow=False,
            font={"color": colour, "size": 12},
        )


def _point_at(
    figure: go.Figure, colours: Theme, rows: pd.DataFrame, at: str, symbol: str, measure: str
) -> None:
    found = rows[rows["at"] == at].dropna(subset=[measure])
    if found.empty:
        return
    best = found.sort_values(["facts", "limit", "score"]).iloc[-1]
    figure.add_scatter(
        x=[best["layer"]],
        y=[100 * best[measure]],
        mode="markers",
        marker={
            "size": 17 if symbol == "circle" else 21,
            "symbol": symbol,
            "color": CLEAR,
            "line": {"color": colours.text, "width": 2},
        },
        hoverinfo="skip",
        showlegend=False,
        name=symbol,
    )
