"""The settings of the next sweep, and how its measures are weighed."""

from typing import Any

import gradio as gr

from workbench.errors import SettingsError
from workbench.page.kit.page import Page
from workbench.search.score import ScoreWeights
from workbench.search.sweep_settings import SweepSettings, parse_layers
from workbench.store import Store

__all__ = ["add_sweep_fields", "sweep_settings", "sweep_weights"]

LABELS = {
    "sample": "Sample",
    "layers": "Layers",
    "modules": "Modules",
    "learning_rates": "Learning rates",
    "epochs": "Epochs of a short run",
    "full_runs": "Full runs",
    "seed": "Seed of the sample",
}
WEIGHTS = "Weights of the score"


def add_sweep_fields(page: Page) -> None:
    """Builds the fields inside the current column."""
    sentences = SweepSettings.help()
    with gr.Accordion("Settings of the sweep", open=False, elem_classes="plain"):
        fields = {
            name: gr.Textbox(label=label, info=sentences[name], elem_classes="setting short")
            for name, label in LABELS.items()
        }
        weights = gr.Textbox(
            label=WEIGHTS,
            info="How much reliability, generalization and locality count. The plot follows at "
            "once; a sweep looks again where this score is best.",
            elem_classes="setting short",
        )
    every: list[Any] = [*fields.values(), weights]
    page.show(_draw_fields, every, of=("settings",))
    for field in every:
        page.action(field.blur, _keep, every)


def sweep_settings(store: Store) -> SweepSettings:
    """The settings of the next sweep."""
    return SweepSettings.from_dict(store.settings.get("sweep", {}))


def sweep_weights(store: Store) -> ScoreWeights:
    """How the measures are weighed now."""
    return ScoreWeights(*store.settings.get("sweep_weights", (1.0, 1.0, 1.0)))


def _draw_fields(store: Store) -> list[Any]:
    settings, preset = sweep_settings(store), (store.settings.summary or {}).get("preset", {})
    default = SweepSettings()
    weights = store.settings.get("sweep_weights", (1.0, 1.0, 1.0))
    places = {
        "layers": "all",
        "modules": ", ".join(at.partition(".")[2] or "layer" for at in preset.get("at", ())),
        "learning_rates": f"{preset['learning_rate']:g}" if preset else "",
    }
    drawn: list[Any] = []
    for name in LABELS:
        value = getattr(settings, name)
        shown = "" if value == getattr(default, name) and name in places else _written(value)
        drawn.append(gr.Textbox(value=shown, placeholder=places.get(name) or "automatic"))
    return [*drawn, gr.Textbox(value=", ".join(f"{weight:g}" for weight in weights))]


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in value)
    return "" if value is None else str(value)


def _keep(store: Store, *entered: str | None) -> None:
    *values, weights = ((value or "").strip() for value in entered)
    data: dict[str, Any] = SweepSettings().as_dict()
    for name, value in zip(LABELS, values, strict=True):
        if not value:
            continue
        if name == "layers":
            data[name] = list(parse_layers(value))
        elif name == "modules":
            data[name] = [part.strip() for part in value.split(",") if part.strip()]
        elif name == "learning_rates":
            data[name] = [_number(name, part, float) for part in value.split(",")]
        else:
            data[name] = _number(name, value, int)
    settings = SweepSettings.from_dict(data)
    parts = [_number(WEIGHTS, part, float) for part in (weights or "1,1,1").split(",")]
    if len(parts) != len(ScoreWeights.__slots__):
        raise SettingsError(f"{WEIGHTS} holds {len(parts)} numbers; write three, such as 1, 1, 1.")
    ScoreWeights(*parts)
    store.settings.set("sweep", settings.as_dict())
    store.settings.set("sweep_weights", parts)


def _number(name: str, entered: str, kind: type) -> Any:
    try:
        return kind(entered.strip())
    except ValueError:
        word = "a number" if kind is float else "a whole number"
        raise SettingsError(
            f"{LABELS.get(name, name)} is '{entered.strip()}'; write {word}, or leave it empty."
        ) from None
