"""The scan on the Layers tab: which matrices an edit pulls at."""

from typing import Any

import gradio as gr
import pandas as pd
from markupsafe import Markup

from workbench.actions import command_line
from workbench.page.kit.action_form import add_action_form
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.profile_html import (
    chosen_locations,
    framed_words,
    open_job,
    preset_mark,
)
from workbench.plots.scan import scan_heatmap
from workbench.plots.style import without_words
from workbench.search.scan_result import Scan
from workbench.store import Store
from workbench.store.requests import ScanRequest
from workbench.work.colours import ThemeName
from workbench.work.templates import render
from workbench.work.words import count

__all__ = ["add_scan_card", "scan_figure"]

COLUMNS = {"relative": "Pull", "overlap": "Overlap"}
MEANINGS = {
    "relative": "The gradient of the edit's loss at each matrix, relative to the matrix.",
    "overlap": "The share of that gradient's direction that also moves unrelated prompts.",
}


def add_scan_card(page: Page, theme: gr.Textbox) -> None:
    """Builds the card inside the current column.

    Args:
        page: the page.
        theme: holds ``light`` or ``dark``.
    """
    with gr.Column(elem_classes="card"):
        still_html(
            heading(
                "Where does an edit pull?",
                "Seconds: the gradient of the ticked facts' loss at every matrix, and how much of "
                "it also moves unrelated prompts. Click a cell to choose it.",
            )
        )
        bar = live_html(name="scan-bar")
        column = gr.Textbox("relative", visible="hidden", container=False)
        plot = gr.Plot(show_label=False, container=False, visible=False, elem_id="scan-plot")
        note = live_html(name="scan-note")
        with gr.Accordion("Settings of the scan", open=False, elem_classes="plain"):
            add_action_form(page, "scan")
            same = live_html(name="scan-command")
    page.show(_draw_command, same, of=("settings",))
    page.show(_draw_bar, bar, of=("profiles", "settings", "jobs", PROGRESS), inputs=[column])
    page.show(_draw_note, note, of=("profiles", "settings"), inputs=[column])
    page.show(_draw_plot, plot, of=("profiles", "settings"), inputs=[column, theme])
    page.action(bar.act, _act, [column], column)


def _act(store: Store, column: str, event: gr.EventData) -> str:
    asked = detail(event)
    if asked["do"] == "scan":
        store.jobs.ask_for(ScanRequest(store.settings.of("scan")))
    elif asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "column":
        return str(asked["column"])
    return column


def _draw_command(store: Store) -> Markup:
    line = command_line("scan", store.settings.of("scan"), model=store.settings.model)
    return render("page/command.html", line=line, session=store.id)


def _draw_bar(store: Store, column: str) -> Markup:
    kept = store.profiles.latest_scan(store.settings.model.name)
    return render(
        "page/layers/scan_bar.html",
        job=open_job(store, "scan"),
        result=None if kept is None else kept.result,
        columns=COLUMNS.items(),
        column=column,
        session=store.id,
    )


def _draw_plot(store: Store, column: str, theme: ThemeName) -> Any:
    figure = scan_figure(store, column, theme)
    if figure is None:
        return gr.Plot(visible=False)
    return gr.Plot(without_words(figure), visible=True)


def _draw_note(store: Store, column: str) -> Markup:
    kept = store.profiles.latest_scan(store.settings.model.name)
    if kept is None:
        return Markup()
    framed = framed_words(store, "Framed in amber")
    ends = "A scan ranks no locations; a sweep does."
    sentence = f"{MEANINGS[column]} {_neutral(kept.result)} {framed}{ends}"
    return render("page/layers/note.html", sentence=sentence)


def _neutral(result: Scan) -> str:
    return (
        f"{count(result.sample, 'fact')}; unrelated prompts: {result.neutral_from_facts} of "
        f"the facts' own or of other facts, {result.neutral_built_in} built in."
    )


def scan_figure(store: Store, column: str = "relative", theme: ThemeName = "light") -> Any:
    """The newest scan of the session's model as a Plotly figure; None without one."""
    kept = store.profiles.latest_scan(store.settings.model.name)
    if kept is None:
        return None
    preset, source = preset_mark(store)
    result = kept.result
    return scan_heatmap(
        pd.DataFrame(result.places),
        column,
        theme=theme,
        chosen=chosen_locations(store),
        preset=preset,
        source=source,
        note=_neutral(result),
    )
