"""The settings of the next sweep, and the command that does the same."""

from dataclasses import replace

import gradio as gr
from markupsafe import Markup

from workbench.actions import command_line
from workbench.page.kit.action_form import add_action_form
from workbench.page.kit.html import live_html
from workbench.page.kit.page import Page
from workbench.search.sweep_settings import SweepSettings
from workbench.search.weights import ScoreWeights
from workbench.store import Store
from workbench.work.templates import render

__all__ = ["add_sweep_fields", "sweep_settings", "sweep_weights"]


def add_sweep_fields(page: Page) -> None:
    """Builds the fields inside the current column."""
    with gr.Accordion("Settings of the sweep", open=False, elem_classes="plain"):
        add_action_form(page, "sweep", automatic=_resolved, of=("settings", "facts"))
        same = live_html(name="sweep-command")
    page.show(_draw_command, same, of=("settings",))


def sweep_settings(store: Store) -> SweepSettings:
    """The settings of the next sweep."""
    found: SweepSettings = store.settings.of("sweep")
    return found


def sweep_weights(store: Store) -> ScoreWeights:
    """How the measures are weighed now."""
    return sweep_settings(store).score_weights


def _resolved(store: Store) -> SweepSettings | None:
    """The settings with what is automatic filled in; None while the model is unknown."""
    summary = store.settings.summary
    if summary is None:
        return None
    facts = store.facts.count(enabled=True)
    resolved = sweep_settings(store).resolved(facts, summary.preset, summary.where)
    return replace(resolved, layers=())  # "all" says more than their numbers


def _draw_command(store: Store) -> Markup:
    line = command_line("sweep", sweep_settings(store), model=store.settings.model)
    return render("page/command.html", line=line, session=store.id)
