"""The Layers tab: where the next run tunes, and what scan, sweep and runs know about the places."""

from dataclasses import replace

import gradio as gr

from workbench.model.location import Location
from workbench.page.kit.html import detail, heading, live_html
from workbench.page.kit.page import Page
from workbench.page.kit.plot_bridge import add_plot_bridge
from workbench.page.kit.profile_html import chosen_locations
from workbench.page.layers.heat_card import add_heat_card, finished_runs
from workbench.page.layers.location_card import location_card
from workbench.page.layers.sweep_card import add_sweep_card, recommended, shown_sweep
from workbench.page.layers.sweep_fields import sweep_weights
from workbench.page.layers.trials import recommendation_card, trials_table
from workbench.search.score import score_rows
from workbench.store import Store

__all__ = ["add_layers_tab"]


def add_layers_tab(page: Page) -> None:
    """Builds the tab's inside."""
    theme = add_plot_bridge(page, _click)
    with gr.Row(elem_classes="columns", elem_id="layers-plots"):
        with gr.Column(scale=5, min_width=320):
            add_heat_card(page, _act)
            add_sweep_card(page, theme)
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            card = live_html(name="location-card")
            typed = gr.Textbox(
                label="Or write the location",
                info="Such as 6.mlp.down_proj, 6.mlp, 6.mlp.experts.7 for one expert, or 6 for the "
                "whole layer; commas between several; empty for the preset.",
                placeholder="6.mlp.down_proj",
            )
            trials = live_html(name="trials")
    page.show(_draw_card, card, of=("settings", "runs", "facts"))
    page.show(_draw_trials, trials, of=("settings", "profiles"))
    page.show(_draw_typed, typed, of=("settings",))
    for place in (card, trials):
        page.action(place.act, _act)
    page.action(typed.submit, _type_locations, [typed])
    page.action(typed.blur, _type_locations, [typed])


def _draw_card(store: Store) -> str:
    summary = store.settings.summary
    if summary is None:
        return heading("Where to tune", "The model is being loaded.")
    return location_card(
        chosen_locations(store),
        bool(store.settings.edit.at),
        summary.preset,
        finished_runs(store),
        store.estimate(),
    )


def _draw_trials(store: Store) -> str:
    shown, summary = shown_sweep(store), store.settings.summary
    if shown is None or not shown.rows or summary is None:
        return ""
    chosen, weights = chosen_locations(store), sweep_weights(store)
    table = trials_table(score_rows(shown.rows, weights), chosen, summary.preset.at)
    rate = None
    if len({row.learning_rate for row in shown.rows}) > 1:
        rate = store.settings.edit.learning_rate or summary.preset.learning_rate
    return recommendation_card(recommended(shown, weights), chosen, rate) + table


def _draw_typed(store: Store) -> str:
    return ", ".join(store.settings.edit.at)


def _act(store: Store, event: gr.EventData) -> None:
    asked = detail(event)
    if asked["do"] == "preset":
        _choose(store, ())
    elif asked["do"] == "use":
        rate = float(asked["rate"])
        summary = store.settings.summary
        usual = summary is not None and summary.preset.learning_rate == rate
        _choose(store, (asked["at"],), None if usual else rate)
    else:
        _click(store, asked["at"], bool(asked["many"]))


def _click(store: Store, at: str, many: bool) -> None:
    """Chooses a place alone, or beside those chosen already."""
    where = Location.parse(at)
    present = [Location.parse(text) for text in chosen_locations(store)]
    if many and where in present:
        present.remove(where)
    elif many:
        present = [other for other in present if not other.overlaps(where)] + [where]
    else:
        present = [where]
    _choose(store, tuple(str(location) for location in present))


def _type_locations(store: Store, typed: str) -> None:
    at = tuple(part.strip() for part in typed.split(",") if part.strip())
    summary = store.settings.summary
    if summary is not None:
        for location in map(Location.parse, at):
            summary.where.require(location)
    _choose(store, at)


def _choose(store: Store, at: tuple[str, ...], learning_rate: float | None = None) -> None:
    settings = replace(store.settings.edit, at=at)
    if learning_rate is not None:
        settings = replace(settings, learning_rate=learning_rate)
    store.settings.set("edit", settings.as_dict())
