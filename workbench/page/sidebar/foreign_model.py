"""The model that an imported session names: shown, and loaded once a person has confirmed it.

Until then the name is all there is: nothing is read for it, and no network asked.
"""

from pathlib import Path

import gradio as gr
from markupsafe import Markup

from workbench.model.choice import ModelChoice
from workbench.page.kit.html import detail, live_html
from workbench.page.kit.page import Page
from workbench.store import Store
from workbench.store.requests import LoadRequest
from workbench.work.templates import render

__all__ = ["add_foreign_model"]


def add_foreign_model(page: Page) -> None:
    """Builds the place below the model's card, which is empty for sessions made here."""
    place = live_html(name="foreign-model")
    page.show(_draw, place, of=("settings",))
    page.action(place.act, _confirm)


def _confirm(store: Store, event: gr.EventData) -> None:
    store.settings.confirm_model(str(detail(event)["model"]))
    store.jobs.ask_for(LoadRequest())


def _draw(store: Store) -> Markup:
    if store.settings.model_is_confirmed:
        return Markup()
    model = store.settings.model
    return render("page/sidebar/foreign_model.html", name=model.name, where=_where(model))


def _where(model: ModelChoice) -> str:
    """What loading the model will ask for, in words."""
    # A foreign path may lead to another machine, so that even to look at it would ask the network.
    if model.is_path or _is_here(model.name):
        return "It is read from this folder of your machine; no network is asked for it."
    return (
        "The Hugging Face hub will be asked for it, with your access token if this machine has one."
    )


def _is_here(name: str) -> bool:
    """Whether a name that looks like a hub id is a folder below where the workbench was started."""
    try:
        return Path(name).exists()
    except OSError:
        return False
