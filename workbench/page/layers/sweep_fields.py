"""The settings of the next sweep, and how its measures are weighed."""

from dataclasses import astuple, dataclass, replace

import gradio as gr

from workbench.page.kit.form import add_form
from workbench.page.kit.page import Page
from workbench.search.score import ScoreWeights
from workbench.search.sweep_settings import SweepSettings
from workbench.store import Store
from workbench.work.settings import SettingsRecord, setting

__all__ = ["Weighing", "add_sweep_fields", "sweep_settings", "sweep_weights"]


@dataclass(frozen=True, slots=True)
class Weighing(SettingsRecord):
    """The three weights of the score as one field, since only their ratios matter."""

    weights: ScoreWeights = setting(
        ScoreWeights(),
        "How much reliability, generalization and locality count. The plot follows at once; a "
        "sweep looks again where this score is best.",
        label="Weights of the score",
        parse=ScoreWeights.from_text,
        write=ScoreWeights.as_text,
    )


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
        add_form(page, Weighing, lambda store: Weighing(sweep_weights(store)), _keep_weights)


def sweep_settings(store: Store) -> SweepSettings:
    """The settings of the next sweep."""
    return SweepSettings.from_dict(store.settings.get("sweep", {}))


def sweep_weights(store: Store) -> ScoreWeights:
    """How the measures are weighed now."""
    return ScoreWeights(*store.settings.get("sweep_weights", (1.0, 1.0, 1.0)))


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


def _keep_weights(store: Store, weighing: Weighing) -> None:
    store.settings.set("sweep_weights", list(astuple(weighing.weights)))
