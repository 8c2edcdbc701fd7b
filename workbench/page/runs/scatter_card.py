"""The card that lays runs out, one value against another: what depends on what?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import pandas as pd
from markupsafe import Markup

from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import Page
from workbench.page.runs.hues import hue_of
from workbench.page.runs.order import found_runs, run_name
from workbench.page.runs.values import (
    RunLine,
    Values,
    is_chosen,
    is_measured,
    measures_in,
    number_of,
    settings_in,
    text_of,
    values_of,
    words_for,
)
from workbench.plots.scatter import scatter
from workbench.plots.style import without_words
from workbench.store import Store
from workbench.work.colours import ThemeName
from workbench.work.templates import render

__all__ = ["Axes", "Point", "add_scatter_card", "points_of", "scatter_bar"]

AXES = "scatter_axes"  # the setting that holds what runs are laid out over


@dataclass(frozen=True, slots=True)
class Axes:
    """What runs are laid out over.

    Args:
        x: the key of a setting or a measure; empty while none is chosen.
        y: of a measure.
    """

    x: str = ""
    y: str = ""

    @classmethod
    def of(cls, store: Store) -> "Axes":
        """Those that were chosen last in a session."""
        kept = store.settings.get(AXES, {})
        return cls(kept.get("x", ""), kept.get("y", ""))

    def among(self, runs: Sequence[Values]) -> "Axes":
        """What of it can be chosen for some runs: what is not offered is not drawn either.

        Args:
            runs: the values of each.
        """
        measures = measures_in(runs)
        known = (*measures, *settings_in(runs))
        return Axes(self.x if self.x in known else "", self.y if self.y in measures else "")


@dataclass(frozen=True, slots=True)
class Point:
    """A run that has both values.

    Args:
        name: of the run.
        hue: its colour.
        x, y: where it stands; a text where not every run has a number.
    """

    name: str
    hue: int
    x: float | str
    y: float


def add_scatter_card(page: Page, words: gr.Textbox, theme: gr.Textbox) -> None:
    """Builds the card.

    Args:
        page: the page.
        words: holds what runs are filtered by.
        theme: holds ``light`` or ``dark``.
    """
    with gr.Column(elem_classes="card"):
        still_html(
            heading(
                "What depends on what?",
                "Each run of the table above as a point: a measure against a setting or another "
                "measure, in the colours of the runs.",
            )
        )
        bar = live_html(name="scatter")
        plot = gr.Plot(show_label=False, container=False, visible=False, elem_id="scatter-plot")
    of = ("runs", "settings")
    page.show(_draw_bar, bar, of=of, inputs=[words])
    page.show(_draw_plot, plot, of=of, inputs=[words, theme])
    page.action(bar.act, _act)


def points_of(runs: Sequence[tuple[str, int, Values]], axes: Axes) -> list[Point]:
    """The runs that have both values.

    Args:
        runs: name, colour and values of each.
        axes: which two values.
    """
    there = [run for run in runs if number_of(run[2], axes.y) is not None]
    # Where some have a number and others a word, such as "automatic", all stand as words.
    words = is_chosen(axes.x) and any(number_of(each, axes.x) is None for *_, each in there)
    points = []
    for name, hue, values in there:
        x = text_of(values, axes.x) if words else number_of(values, axes.x)
        y = number_of(values, axes.y)
        if x is not None and y is not None:
            points.append(Point(name, hue, x, y))
    return points


def scatter_bar(runs: Sequence[tuple[str, int, Values]], axes: Axes) -> Markup:
    """The two choices, and the points as a table for readers.

    Args:
        runs: name, colour and values of each.
        axes: which two values are chosen.
    """
    values = [each for *_, each in runs]
    measures = _choices(measures_in(values))
    return render(
        "page/runs/scatter.html",
        axes=axes,
        measures=measures,
        settings=_choices(settings_in(values)),
        points=points_of(runs, axes) if axes.x and axes.y else [],
        x=words_for(axes.x),
        y=words_for(axes.y),
    )


def _choices(keys: Sequence[str]) -> list[tuple[str, str]]:
    return [(key, words_for(key)) for key in keys]


def _runs(store: Store, words: str) -> list[tuple[str, int, Values]]:
    names, chosen = store.settings.run_names, store.settings.run_colours
    return [
        (
            run_name(run, names),
            hue_of(run.id, chosen),
            values_of(RunLine(run, store.runs.losses(run))),
        )
        for run in found_runs(store.runs.all(), words or "", names)
    ]


def _chosen(store: Store, runs: Sequence[tuple[str, int, Values]]) -> Axes:
    return Axes.of(store).among([values for *_, values in runs])


def _draw_bar(store: Store, words: str) -> Markup:
    runs = _runs(store, words)
    return scatter_bar(runs, _chosen(store, runs))


def _draw_plot(store: Store, words: str, theme: ThemeName) -> Any:
    runs = _runs(store, words)
    chosen = _chosen(store, runs)
    points = points_of(runs, chosen) if chosen.x and chosen.y else []
    if not points:
        return gr.Plot(visible=False)
    figure = scatter(
        pd.DataFrame(points),
        words_for(chosen.x),
        words_for(chosen.y),
        stretched=(not is_measured(chosen.x), not is_measured(chosen.y)),
        theme=theme,
    )
    return gr.Plot(without_words(figure), visible=True)


def _act(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    kept = store.settings.get(AXES, {})
    store.settings.set(AXES, {**kept, str(asked["do"]): str(asked.get("value", ""))})
