"""The settings of the next sweep, and how its measures are weighed."""

from dataclasses import replace

import gradio as gr

from workbench.page.kit.form import add_form
from workbench.page.kit.page import Page
from workbench.search.sweep_settings import SweepSettings
from workbench.search.weights import ScoreWeights
from workbench.store import Store

__all__ = ["add_sweep_fields", "sweep_settings", "sweep_weights"]


def add_sweep_fields(page: Page) -> None:
    """Builds the fields inside the current column."""
    with gr.Accordion("Settings of the sweep", open=False, elem_classes="plain"):
        add_form(
            page,
            SweepSettings,
            sweep_settings,
            _keep,
            automatic=_resolved,
            of=("settings", "facts"),
        )


def sweep_settings(store: Store) -> SweepSettings:
    """The settings of the next sweep."""
    kept = store.settings.get("sweep", {})
    # Earlier versions kept the weights apart.
    former = store.settings.get("sweep_weights")
    return SweepSettings.from_dict({"weights": former, **kept} if former else kept)


def sweep_weights(store: Store) -> ScoreWeights:
    """How the measures are weighed now."""
    return sweep_settings(store).score_weights


def _resolved(store: Store) -> SweepSettings | None:
    """The settings with what is automatic filled in; None while the model is unknown."""
    summary = store.settings.summary
    if summary is None:
        return None
    facts = store.facts.count(enabled=True)
    resolved = sweep_settings(store).resolved(facts, summary.preset, summary.layers)
    return replace(resolved, layers=())  # "all" says more than their numbers


def _keep(store: Store, settings: SweepSettings) -> None:
    store.settings.set("sweep", settings.as_dict())
