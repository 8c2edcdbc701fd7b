"""What all plots share: colours for light and dark, the look, and a file of its own.

Knows nothing about what is plotted. A theme is an argument, so that a plot is the same for the
same arguments.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import plotly.graph_objects as go

__all__ = ["THEMES", "Theme", "ThemeName", "dress", "step", "without_words", "write_html"]

ThemeName = Literal["light", "dark"]
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
LINE = 16  # px of a line of words under a plot
LETTERS = 64  # so many fit into 420 px
BELOW = 56  # px for the ticks and the name of the axis


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a plot, those of assets/workbench.css.

    Args:
        card, line, text, quiet: ground, grid, words, quiet words.
        low, high: ends of a heatmap's scale.
        series: colours of the curves, in order; told apart without red against green.
    """

    card: str
    line: str
    text: str
    quiet: str
    low: str
    high: str
    series: tuple[str, ...]


THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        card="#ffffff",
        line="#e4e4e0",
        text="#1d1f21",
        quiet="#6b7075",
        low="#eef4f3",
        high="#0b5c56",
        series=("#0f766e", "#b45309", "#4f5bb8", "#a83279", "#5b6770", "#7a6a00"),
    ),
    "dark": Theme(
        card="#1a1d1e",
        line="#2c3032",
        text="#e6e7e5",
        quiet="#969c9f",
        low="#1f2a2a",
        high="#5ee0cf",
        series=("#2dd4bf", "#f0ad4e", "#a3adf5", "#f29ac8", "#b4bec4", "#d8c84a"),
    ),
}


def step(count: int) -> int:
    """Distance of the ticks on an axis of so many layers."""
    return next(step for step in (1, 2, 4, 8, 16, 32, 64, 128) if count / step <= 16)


def dress(figure: go.Figure, colours: Theme, title: str, words: Sequence[str], height: int) -> None:
    """Gives a figure the look that all plots share.

    Args:
        figure: whose traces are there already; changed in place.
        colours: its theme.
        title: a few words above it.
        words: sentences under it, broken into lines.
        height: px, without the sentences.
    """
    lines = [line for text in words for line in textwrap.wrap(text, LETTERS)]
    figure.update_layout(
        template="none",
        title={"text": title, "x": 0, "xref": "paper", "font": {"size": 14}, "y": 0.98},
        font={"family": FONT, "size": 12, "color": colours.text},
        paper_bgcolor=colours.card,
        plot_bgcolor=colours.card,
        margin={"l": 8, "r": 8, "t": 40, "b": BELOW + LINE * len(lines)},
        height=height + LINE * len(lines),
        hoverlabel={"bgcolor": colours.card, "font": {"color": colours.text}, "align": "left"},
        clickmode="event",
        dragmode=False,
    )
    axis = {"gridcolor": colours.line, "zeroline": False, "automargin": True, "fixedrange": True}
    figure.update_xaxes(linecolor=colours.line, showgrid=False, **axis)
    figure.update_yaxes(**axis)
    for number, text in enumerate(lines):
        figure.add_annotation(
            text=text,
            x=0,
            y=0,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="top",
            yshift=-BELOW - LINE * number,
            showarrow=False,
            font={"color": colours.quiet, "size": 11},
        )


def without_words(figure: go.Figure) -> go.Figure:
    """The figure without its title and the sentences under it, for a page that says them."""
    kept = [note for note in figure.layout.annotations if note.yref != "paper"]
    below = figure.layout.margin.b - BELOW
    figure.update_layout(
        title=None,
        annotations=kept,
        height=figure.layout.height - below - 30,
        margin={"t": 10, "b": BELOW},
    )
    return figure


def write_html(path: Path, figures: Sequence[go.Figure], title: str) -> None:
    """Writes plots as one HTML file that needs no network and no other file."""
    parts = [
        figure.to_html(
            full_html=False,
            include_plotlyjs=number == 0,
            config={"displaylogo": False, "responsive": True},
        )
        for number, figure in enumerate(figures)
    ]
    ground = figures[0].layout.paper_bgcolor if figures else "#ffffff"
    path.write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        f'<body style="margin:0 auto;max-width:960px;background:{ground}">{"".join(parts)}'
        "</body></html>",
        encoding="utf-8",
    )
