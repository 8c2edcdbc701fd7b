"""What the next evaluation measures: fields that are kept in the session."""

import importlib.util

import gradio as gr

from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.page.kit.action_form import add_action_form
from workbench.page.kit.page import Page
from workbench.store import Store

__all__ = ["add_evaluation_fields", "evaluation_settings", "harness_note"]

MISSING = (
    "General capability needs lm-evaluation-harness, which is not installed: "
    "pip install 'locft-workbench[capability]'."
)


def add_evaluation_fields(page: Page) -> None:
    """Builds the fields inside the current column."""
    with gr.Accordion("What is measured", open=False, elem_classes="plain"):
        add_action_form(page, "evaluate")


def evaluation_settings(store: Store) -> EvaluationSettings:
    """What the next evaluation measures."""
    found: EvaluationSettings = store.settings.of("evaluate")
    return found


def harness_note(settings: EvaluationSettings) -> str:
    """Says that the harness is missing, where it is wanted; else empty."""
    if not settings.capability or importlib.util.find_spec("lm_eval") is not None:
        return ""
    return MISSING
