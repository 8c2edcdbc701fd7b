"""What the next evaluation measures: fields that are kept in the session."""

import importlib.util
from typing import Any

import gradio as gr

from workbench.errors import SettingsError
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.page.kit.page import Page
from workbench.store import Store

__all__ = ["add_evaluation_fields", "evaluation_settings", "harness_note"]

LABELS = {
    "capability": "General capability",
    "limit": "Items a task",
    "written": "Written answers",
    "seed": "Seed of the evaluation",
}
SWITCHES = {"health": "Health of the writing", "network": "Allow the network"}
MISSING = (
    "General capability needs lm-evaluation-harness, which is not installed: "
    "pip install 'locft-workbench[capability]'."
)


def add_evaluation_fields(page: Page) -> None:
    """Builds the fields inside the current column."""
    sentences = EvaluationSettings.help()
    with gr.Accordion("What is measured", open=False, elem_classes="plain"):
        fields: dict[str, Any] = {
            "health": gr.Checkbox(label=SWITCHES["health"], info=sentences["health"])
        }
        for name, label in LABELS.items():
            fields[name] = gr.Textbox(
                label=label,
                info=sentences[name],
                placeholder="none" if name == "capability" else "automatic",
                elem_classes="setting short",
            )
        fields["network"] = gr.Checkbox(label=SWITCHES["network"], info=sentences["network"])
    every = list(fields.values())
    page.show(_draw, every, of=("settings",))
    for name, field in fields.items():
        page.action(field.input if name in SWITCHES else field.blur, _keep, every)


def evaluation_settings(store: Store) -> EvaluationSettings:
    """What the next evaluation measures."""
    return EvaluationSettings.from_dict(store.settings.get("evaluation", {}))


def harness_note(settings: EvaluationSettings) -> str:
    """Says that the harness is missing, where it is wanted; else empty."""
    if not settings.capability or importlib.util.find_spec("lm_eval") is not None:
        return ""
    return MISSING


def _draw(store: Store) -> list[Any]:
    settings = evaluation_settings(store)
    written = "" if settings.written is None else str(settings.written)
    limit = "" if settings.limit is None else str(settings.limit)
    values = [", ".join(settings.capability), limit, written, str(settings.seed)]
    boxes = [gr.Textbox(value=value) for value in values]
    return [gr.Checkbox(value=settings.health), *boxes, gr.Checkbox(value=settings.network)]


def _keep(
    store: Store,
    health: bool,
    capability: str | None,
    limit: str | None,
    written: str | None,
    seed: str | None,
    network: bool,
) -> None:
    names = tuple(name.strip() for name in (capability or "").split(",") if name.strip())
    settings = EvaluationSettings(
        written=_whole("written", written),
        health=bool(health),
        capability=names,
        limit=_whole("limit", limit),
        network=bool(network),
        seed=_whole("seed", seed) or 0,
    )
    store.settings.set("evaluation", settings.as_dict())


def _whole(name: str, entered: str | None) -> int | None:
    entered = (entered or "").strip()
    if not entered:
        return None
    if not entered.isdecimal():
        raise SettingsError(
            f"{LABELS[name]} is '{entered}'; write a whole number, or leave it empty."
        )
    return int(entered)
