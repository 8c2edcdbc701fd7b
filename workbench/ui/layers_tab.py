"""The Layers tab: where the next run tunes, and what is known about the places."""

from dataclasses import replace

import gradio as gr

from workbench.recipe.errors import LocationError
from workbench.recipe.location import Location
from workbench.session import Store
from workbench.session.runs import Run
from workbench.ui.html import detail, heading, live_html, still_html
from workbench.ui.layers_html import location_card, location_grid
from workbench.ui.page import Page

__all__ = ["add_layers_tab"]


def add_layers_tab(page: Page) -> None:
    """Builds the tab's inside."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=5, min_width=320, elem_classes="card"):
            still_html(
                heading(
                    "Where should the edit go?",
                    "Every layer and matrix of the model. Click one to tune it; Shift-click for "
                    "several. The number is the generalization that a run reached there.",
                )
            )
            grid = live_html("scroll", name="layer-grid")
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            card = live_html(name="location-card")
            typed = gr.Textbox(
                label="Or write the location",
                info="Such as 6.mlp.down_proj, 6.mlp, or 6 for the whole layer; commas between "
                "several; empty for the preset.",
                placeholder="6.mlp.down_proj",
            )
    page.show(_draw_grid, grid, of=("settings", "runs"))
    page.show(_draw_card, card, of=("settings", "runs"))
    page.action(grid.act, _click_cell, outputs=typed)
    page.action(card.act, _use_preset, outputs=typed)
    page.action(typed.submit, _type_locations, [typed])
    page.action(typed.blur, _type_locations, [typed])


def chosen_locations(store: Store) -> tuple[str, ...]:
    """Where the next run tunes: what was chosen, else the preset; empty while unknown."""
    chosen = store.settings.edit.at
    summary = store.settings.summary
    return chosen or (tuple(summary["preset"]["at"]) if summary else ())


def finished_runs(store: Store) -> list[Run]:
    """The finished runs on the session's model, newest first."""
    model = store.settings.model.name
    return [run for run in store.runs.all() if run.state == "done" and run.model == model]


def _draw_grid(store: Store) -> str:
    summary = store.settings.summary
    if summary is None:
        return '<div class="empty">The layers stand here once the model is loaded.</div>'
    return location_grid(
        layers=summary["layers"],
        matrices=summary["matrices"],
        chosen=chosen_locations(store),
        preset=tuple(summary["preset"]["at"]),
        runs=finished_runs(store),
    )


def _draw_card(store: Store) -> str:
    summary = store.settings.summary
    if summary is None:
        return heading("Where to tune", "The model is being loaded.")
    return location_card(
        chosen_locations(store),
        bool(store.settings.edit.at),
        summary["preset"],
        finished_runs(store),
    )


def _click_cell(store: Store, event: gr.EventData) -> str:
    asked = detail(event)
    where = Location.parse(asked["at"])
    present = [Location.parse(text) for text in chosen_locations(store)]
    if asked["many"] and where in present:
        present.remove(where)
    elif asked["many"]:
        present = [other for other in present if not other.overlaps(where)] + [where]
    else:
        present = [where]
    return _choose(store, tuple(str(location) for location in present))


def _use_preset(store: Store) -> str:
    return _choose(store, ())


def _type_locations(store: Store, typed: str) -> None:
    at = tuple(part.strip() for part in typed.split(",") if part.strip())
    summary = store.settings.summary
    if summary is not None:
        for location in map(Location.parse, at):
            _require_in_model(location, summary["layers"], summary["matrices"])
    _choose(store, at)


def _require_in_model(location: Location, layers: int, matrices: list[str]) -> None:
    if location.layer >= layers:
        raise LocationError(f"'{location}' is not in this model: its layers are 0 to {layers - 1}.")
    inside = [m for m in matrices if m == location.module or m.startswith(location.module + ".")]
    if location.module and not inside:
        raise LocationError(
            f"'{location}' is not in this model. A layer has {', '.join(matrices)}."
        )


def _choose(store: Store, at: tuple[str, ...]) -> str:
    store.settings.set("edit", replace(store.settings.edit, at=at).as_dict())
    return ", ".join(store.settings.edit.at)
