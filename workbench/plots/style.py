"""What all plots share: the look, and a file of its own.

Knows nothing about what is plotted. A theme is an argument, so that a plot is the same for the
same arguments.
"""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go
from markupsafe import escape

from workbench.work.colours import THEMES, Theme

__all__ = ["dress", "step", "without_words", "write_html"]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
LINE = 16  # px of a line of words under a plot
LETTERS = 64  # so many fit into 420 px
BELOW = 56  # px for the ticks and the name of the axis


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
    ground = figures[0].layout.paper_bgcolor if figures else THEMES["light"].card
    path.write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        f'<body style="margin:0 auto;max-width:960px;background:{ground}">{"".join(parts)}'
        "</body></html>",
        encoding="utf-8",
    )
