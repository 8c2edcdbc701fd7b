"""The heat map on the Layers tab: every place, coloured by what scan, sweep or runs found there."""

from collections.abc import Callable
from typing import Any

import gradio as gr
import pandas as pd
from markupsafe import Markup

from workbench.actions import command_line
from workbench.page.kit.action_form import add_action_form
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.profile_html import chosen_locations, open_job, preset_mark
from workbench.page.kit.times import takes
from workbench.page.layers.heat import heat_map
from workbench.page.layers.known import Measured, measured_places
from workbench.page.layers.sweep_card import shown_sweep
from workbench.page.layers.sweep_fields import sweep_weights
from workbench.plots.scan import scan_heatmap
from workbench.search.scan_result import Scan
from workbench.search.score import score_rows
from workbench.store import Store
from workbench.store.requests import ScanRequest
from workbench.store.runs import Run
from workbench.work.colours import ThemeName
from workbench.work.templates import macro, render
from workbench.work.words import count

__all__ = ["add_heat_card", "finished_runs", "scan_figure"]

FIRST_LOOK = ("score", "relative", "run")  # what colours until a person says what, by its worth


def add_heat_card(page: Page, choose: Callable[[Store, gr.EventData], None]) -> None:
    """Builds the card inside the current column.

    Args:
        page: the page.
        choose: called when a place was clicked.
    """
    with gr.Column(elem_classes="card"):
        still_html(
            heading(
                "Where does an edit land?",
                "Every layer and matrix of the model. Click a place to tune there; Shift-click for "
                "several. A scan colours every matrix; a sweep and runs colour where they were.",
            ),
            "arrows.js",
        )
        going = live_html(name="scan-going")
        bar = live_html(name="scan-bar")
        colour = gr.Textbox("", visible="hidden", container=False)
        places = live_html(name="layer-grid")
        note = live_html(name="scan-note")
        with gr.Accordion("Settings of the scan", open=False, elem_classes="plain"):
            add_action_form(page, "scan")
            same = live_html(name="scan-command")
    known = ("profiles", "settings", "runs")
    page.show(_draw_command, same, of=("settings",))
    page.show(_draw_going, going, of=("jobs", PROGRESS))
    page.show(_draw_bar, bar, of=(*known, "jobs", "facts"), inputs=[colour])
    page.show(_draw_note, note, of=("profiles", "settings"))
    page.show(_draw_places, places, of=known, inputs=[colour])
    for part in (going, bar):
        page.action(part.act, _act, [colour], colour)
    page.action(places.act, choose)


def finished_runs(store: Store) -> list[Run]:
    """The finished runs on the session's model, newest first."""
    model = store.settings.model.name
    return [run for run in store.runs.all() if run.state == "done" and run.model == model]


def _act(store: Store, colour: str, event: gr.EventData) -> str:
    asked = detail(event)
    if asked["do"] == "scan":
        store.jobs.ask_for(ScanRequest(store.settings.of("scan")))
        return "relative"
    if asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "colour":
        return str(asked["colour"])
    return colour


def _draw_command(store: Store) -> Markup:
    line = command_line("scan", store.settings.of("scan"), model=store.settings.model)
    return render("page/command.html", line=line, session=store.id)


def _scan(store: Store) -> Scan | None:
    kept = store.profiles.latest_scan(store.settings.model.name)
    return None if kept is None else kept.result


def _measures(store: Store) -> list[Measured]:
    sweep = shown_sweep(store)
    rows = () if sweep is None else sweep.rows
    # A map shows no intervals, whose resamples take most of the time.
    scores = score_rows(rows, sweep_weights(store), resamples=1) if rows else []
    return measured_places(_scan(store), scores, finished_runs(store))


def _colour(measures: list[Measured], wished: str) -> str:
    """The measure that colours: the one that was wished for, else the first there is."""
    known = [measure.key for measure in measures]
    return next((key for key in (wished, *FIRST_LOOK) if key in known), "")


def _draw_going(store: Store) -> Markup:
    job = open_job(store, "scan")
    return Markup() if job is None else macro("page/job.html", "job_bar", job)


def _draw_bar(store: Store, wished: str) -> Markup:
    measures, going = _measures(store), open_job(store, "scan") is not None
    return render(
        "page/layers/scan_bar.html",
        going=going,
        result=_scan(store),
        columns=[(measure.key, measure.label) for measure in measures],
        column=_colour(measures, wished),
        session=store.id,
        time="" if going else takes(store, ScanRequest(store.settings.of("scan"))),
    )


def _draw_places(store: Store, wished: str) -> Markup:
    summary = store.settings.summary
    if summary is None:
        return render("page/layers/no_heat.html")
    measures = _measures(store)
    return heat_map(
        places=summary.where,
        chosen=chosen_locations(store),
        preset=summary.preset.at,
        measures=measures,
        colour=_colour(measures, wished),
    )


def _draw_note(store: Store) -> Markup:
    at, source = preset_mark(store)
    dotted = f"Dotted: {', '.join(at)} ({source}). " if at else ""
    scan = _scan(store)
    scanned = "" if scan is None else f"The scan: {_over(scan)} A scan ranks no locations."
    return render("page/layers/note.html", sentence=f"{dotted}{scanned}")


def _over(result: Scan) -> str:
    return (
        f"{count(result.sample, 'fact')}; unrelated prompts: {result.neutral_from_facts} of "
        f"the facts' own or of other facts, {result.neutral_built_in} built in."
    )


def scan_figure(store: Store, column: str = "relative", theme: ThemeName = "light") -> Any:
    """The newest scan of the session's model as a Plotly figure; None without one."""
    result = _scan(store)
    if result is None:
        return None
    preset, source = preset_mark(store)
    return scan_heatmap(
        pd.DataFrame(result.places),
        column,
        theme=theme,
        chosen=chosen_locations(store),
        preset=preset,
        source=source,
        note=_over(result),
    )
