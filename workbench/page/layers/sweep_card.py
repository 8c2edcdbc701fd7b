"""The sweep on the Layers tab: what a short run at each location does."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gradio as gr
import pandas as pd
from markupsafe import Markup

from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.profile_html import (
    chosen_locations,
    framed_words,
    open_job,
    preset_mark,
)
from workbench.page.kit.times import takes
from workbench.page.layers.sweep_fields import add_sweep_fields, sweep_settings, sweep_weights
from workbench.plots.style import without_words
from workbench.plots.sweep import sweep_curves
from workbench.search.recommend import Recommendation, recommend
from workbench.search.score import ScoreWeights, score_rows
from workbench.search.sweep_settings import SweepSettings
from workbench.store import Store
from workbench.store.profiles import KeptSweep
from workbench.store.requests import SweepRequest
from workbench.work.colours import ThemeName
from workbench.work.templates import render
from workbench.work.words import count

__all__ = ["add_sweep_card", "recommended", "scored", "shown_sweep", "sweep_figure"]

SHOWN = {
    "": "All",
    "score": "Score",
    "generalization": "Gen.",
    "locality": "Loc.",
    "question": "Quest.",
    "chat": "Chat",
    "neighbours": "Neigh.",
    "text": "Text",
}


def add_sweep_card(page: Page, theme: gr.Textbox) -> None:
    """Builds the card inside the current column.

    Args:
        page: the page.
        theme: holds ``light`` or ``dark``.
    """
    with gr.Column(elem_classes="card"):
        still_html(
            heading(
                "What does tuning there do?",
                "A short run at each place on a sample of the ticked facts, scored on "
                "prompts that are never trained on, then longer runs at the best. Click a point "
                "to choose it.",
            )
        )
        bar = live_html(name="sweep-bar")
        measure = gr.Textbox("", visible="hidden", container=False)
        plot = gr.Plot(show_label=False, container=False, visible=False, elem_id="sweep-plot")
        note = live_html(name="sweep-note")
        choice = live_html(name="sweep-choice")
        add_sweep_fields(page)
    of = ("profiles", "settings", "facts", "jobs", PROGRESS)
    page.show(_draw_bar, bar, of=of, inputs=[measure])
    page.show(_draw_note, note, of=("profiles", "settings"))
    page.show(_draw_choice, choice, of=("profiles", "settings"))
    page.show(_draw_plot, plot, of=("profiles", "settings"), inputs=[measure, theme])
    page.action(bar.act, _act, [measure], measure)
    page.action(choice.act, _choose_shown)


def _act(store: Store, measure: str, event: gr.EventData) -> str:
    asked = detail(event)
    if asked["do"] == "sweep":
        _submit(store, sweep_settings(store))
    elif asked["do"] == "go-on":
        going = store.profiles.get(int(asked["sweep"])).settings
        _submit(store, replace(going, weights=sweep_settings(store).weights))
    elif asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "measure":
        return str(asked["measure"])
    return measure


def _submit(store: Store, settings: SweepSettings) -> None:
    store.jobs.ask_for(SweepRequest(settings))
    store.settings.set("shown_sweep", None)


def _choose_shown(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    value = int(asked["value"]) if asked["value"] else None
    store.settings.set({"show": "shown_sweep", "overlay": "overlaid_sweep"}[asked["do"]], value)


def shown_sweep(store: Store) -> KeptSweep | None:
    """The sweep that is looked at: the chosen one, else the newest of the session's model."""
    found = store.profiles.sweeps(store.settings.model.name)
    chosen = store.settings.get("shown_sweep")
    return next((sweep for sweep in found if sweep.id == chosen), found[0] if found else None)


def _overlaid(store: Store, shown: KeptSweep) -> KeptSweep | None:
    chosen = store.settings.get("overlaid_sweep")
    found = store.profiles.sweeps(store.settings.model.name)
    return next((s for s in found if s.id == chosen and s.id != shown.id and s.rows), None)


def _draw_bar(store: Store, measure: str) -> Markup:
    shown, job = shown_sweep(store), open_job(store, "sweep")
    return render(
        "page/layers/sweep_bar.html",
        job=job,
        sweep=shown if shown is not None and shown.rows else None,
        measures=SHOWN.items(),
        measure=measure,
        session=store.id,
        time="" if job is not None else takes(store, SweepRequest(sweep_settings(store))),
    )


def _draw_choice(store: Store) -> Markup:
    found = [sweep for sweep in store.profiles.sweeps(store.settings.model.name) if sweep.rows]
    shown = shown_sweep(store)
    if shown is None or len(found) < 2:
        return Markup()
    named = [(str(sweep.id), _describe(sweep)) for sweep in found]
    overlaid = _overlaid(store, shown)
    return render(
        "page/layers/sweep_choice.html",
        sweeps=named,
        shown=str(shown.id),
        others=[("", "nothing"), *(pair for pair in named if pair[0] != str(shown.id))],
        overlaid=str(overlaid.id) if overlaid is not None else "",
    )


def _describe(sweep: KeptSweep) -> str:
    modules = sorted({row.at.partition(".")[2] or "whole layer" for row in sweep.rows})
    rates = sorted({row.learning_rate for row in sweep.rows})
    parts = [
        sweep.name,
        count(sweep.plan.sample, "fact"),
        *([f"{sweep.plan.budget:g} s"] if sweep.plan.budget else []),
        ", ".join(modules) if len(modules) < 3 else f"{len(modules)} modules",
        "lr " + ", ".join(f"{rate:g}" for rate in rates),
    ]
    if sweep.state != "done":
        parts.append(sweep.state)
    return " · ".join(parts)


def scored(sweep: KeptSweep, weights: ScoreWeights) -> pd.DataFrame:
    """The trials of a sweep with their scores, a row each; see `LocationScore.as_dict`."""
    return pd.DataFrame([score.as_dict() for score in score_rows(sweep.rows, weights)])


def recommended(sweep: KeptSweep, weights: ScoreWeights) -> Recommendation | None:
    """What a sweep speaks for, by weights that may be other than it had; None without trials."""
    return recommend(sweep.rows, weights, halved=bool(sweep.plan.rungs))


def _draw_plot(store: Store, measure: str, theme: ThemeName) -> Any:
    shown = shown_sweep(store)
    if shown is None or not shown.rows:
        return gr.Plot(visible=False)
    overlaid = _overlaid(store, shown)
    sweeps = [shown] if overlaid is None else [shown, overlaid]
    return gr.Plot(without_words(sweep_figure(store, sweeps, measure, theme)), visible=True)


def _draw_note(store: Store) -> Markup:
    shown = shown_sweep(store)
    if shown is None or not shown.rows:
        return Markup()
    sentence = (
        f"{shown.plan.note} Bands: where the middle 90% of 1,000 resamples of the facts lie. "
        f"{framed_words(store, 'Dotted')}Circled: recommended; squared: chosen."
    )
    return render("page/layers/note.html", sentence=sentence)


def sweep_figure(
    store: Store, sweeps: Sequence[KeptSweep], measure: str = "", theme: ThemeName = "light"
) -> Any:
    """One sweep, or two laid over each other, as a Plotly figure.

    Args:
        store: the session.
        sweeps: with at least one row each; the first one's recommendation is pointed at.
        measure: one measure; empty for all that can be told apart.
        theme: light or dark.
    """
    weights = sweep_weights(store)
    tables = [scored(sweep, weights) for sweep in sweeps]
    if len(sweeps) > 1:
        tables = [t.assign(sweep=s.name) for t, s in zip(tables, sweeps, strict=True)]
    found = recommended(sweeps[0], weights)
    preset, source = preset_mark(store)
    return sweep_curves(
        pd.concat(tables),
        measures=[measure] if measure else None,
        theme=theme,
        recommended=found.at if found is not None else "",
        chosen=chosen_locations(store),
        preset=preset,
        source=source,
        note=sweeps[0].plan.note,
    )
