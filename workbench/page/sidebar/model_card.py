"""The model in the sidebar: which one is edited, and the choice of another.

What can be chosen is listed, and what a choice will take stands above the button that loads it.
Only that button loads anything, and only loading asks the network.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import gradio as gr
import psutil
from markupsafe import Markup

from workbench.errors import WorkbenchError
from workbench.model.choice import ModelChoice
from workbench.model.needs import Need, need_of
from workbench.model.offers import Offers, offers
from workbench.page.kit.form import Form, add_fields
from workbench.page.kit.html import detail, live_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.sidebar.foreign_model import add_foreign_model
from workbench.store import Library, Store
from workbench.store.requests import LoadRequest
from workbench.store.status import WorkerStatus
from workbench.work.templates import render
from workbench.work.words import model_name, size

__all__ = ["add_model_card", "draw_need", "draw_offers", "free_on"]


def add_model_card(page: Page) -> None:
    """Builds the card, and below it the choice of another model, which unfolds."""
    model = live_html(name="model-card")
    add_foreign_model(page)
    page.show(_draw_model(page), model, of=("settings", "jobs", PROGRESS))
    with gr.Accordion(
        "Use another model", open=False, elem_classes="plain", elem_id="model-picker"
    ):
        offered = live_html(name="model-offers")
        form = add_fields(ModelChoice, classes=None)
        need = live_html(name="model-need")
        load = gr.Button("Load", size="sm", elem_id="load-model")
    name, trust = (form.field(of) for of in ("name", "trust_remote_code"))
    page.show(
        lambda store, *values: _offered(page.library, form, values),
        offered,
        of=("settings", "runs", "jobs", PROGRESS),
        inputs=form.inputs,
    )
    page.show(
        lambda store, *values: _needed(page.library, form, values),
        need,
        of=("settings", "jobs", PROGRESS),
        inputs=form.inputs,
    )
    page.action(offered.act, _pick, outputs=name)
    for event in (load.click, name.submit):
        # Trust is in one model's authors: for the next model it is asked for anew.
        page.action(event, _choose_with(form), form.inputs, trust)


def _pick(store: Store, event: gr.EventData) -> str:
    return str(detail(event)["value"])


def _choose_with(form: Form[ModelChoice]) -> Callable[..., bool]:
    def choose_model(store: Store, *values: Any) -> bool:
        store.settings.choose_model(form.read(values, ModelChoice()))
        store.jobs.ask_for(LoadRequest())
        return False

    return choose_model


def _offered(library: Library, form: Form[ModelChoice], values: tuple[Any, ...]) -> Markup:
    typed = dict(zip((found.name for found in form.settings), values, strict=True))["name"]
    choice, device, _ = _read(library, form, values) or (ModelChoice(), "cpu", None)
    found = offers(library.models_used())
    sizes = {name: need_of(replace(choice, name=name), device).memory for name in found.hub}
    return draw_offers(found, str(typed or ""), sizes)


def draw_offers(found: Offers, chosen: str, sizes: Mapping[str, int | None]) -> Markup:
    """The list of models to choose from.

    Args:
        found: what there is.
        chosen: the name that stands in the field.
        sizes: bytes in memory of those that are not here yet.
    """
    groups = (
        ("On this machine", found.here),
        ("Used before", found.used),
        ("From the hub", found.hub),
    )
    return render(
        "page/sidebar/offers.html",
        groups=[(label, names) for label, names in groups if names],
        chosen=(chosen.strip() or "builtin"),
        known=found.names,
        sizes=sizes,
    )


def _needed(library: Library, form: Form[ModelChoice], values: tuple[Any, ...]) -> Markup:
    read = _read(library, form, values)
    if read is None:
        return Markup()  # what is wrong is said when it is asked for
    choice, device, status = read
    return draw_need(need_of(choice, device), device, free_on(device, status), choice.memory)


def _read(
    library: Library, form: Form[ModelChoice], values: tuple[Any, ...]
) -> tuple[ModelChoice, str, WorkerStatus | None] | None:
    """What stands in the fields, where it would be loaded, and what the worker says."""
    status = WorkerStatus.read(library.root)
    best = status.device if status is not None and status.device else "cpu"
    try:
        choice = form.read(values, ModelChoice())
    except WorkbenchError:
        return None
    return choice, choice.device or best, status


def free_on(device: str, status: WorkerStatus | None) -> int | None:
    """Bytes that a model can take on a device, once the present one is gone; None if unknown.

    Args:
        device: its name.
        status: of the worker, which sees what the page does not.
    """
    held = status.held if status is not None and status.held_on == device else 0
    if device == "cpu":
        return int(psutil.virtual_memory().available) + held
    return status.free + held if status is not None and status.device == device else None


def draw_need(need: Need, device: str, free: int | None, allowed: int | None = None) -> Markup:
    """What loading a model will take, in sentences.

    Args:
        need: what it takes.
        device: where it will be.
        free: bytes that it can take there; None when nobody knows.
        allowed: bytes that it may take; None for what is free.
    """
    takes = need.memory
    short = takes is not None and free is not None and takes > free
    limited = takes is not None and allowed is not None and takes > allowed
    return render(
        "page/sidebar/need.html",
        need=need,
        place="the CPU" if device == "cpu" else device,
        free=free,
        short=short and not limited,
        allowed=allowed if limited else None,
    )


def _draw_model(page: Page) -> Callable[[Store], Markup]:
    def draw_model(store: Store) -> Markup:
        settings = store.settings
        # What an imported session says of its model is not known here before it is loaded.
        summary = settings.summary if settings.model_is_confirmed else None
        choice = settings.model
        title = "built-in" if choice.name == "builtin" else model_name(choice.name)
        folder = choice.name if title not in ("built-in", choice.name) else ""
        if summary is None:
            why = _why_no_summary(page, store)
            return render(
                "page/sidebar/model.html", title=title, summary=None, folder=folder, why=why
            )
        family = summary.architecture.removesuffix("ForCausalLM")
        states = "kept, exact" if summary.states_kept else "not kept"
        rows = (
            ("layers", f"{summary.layers} × {family}"),
            ("device", f"{summary.device} · {summary.dtype}"),
            ("weights take" if summary.placement else "memory", size(summary.memory_bytes)),
            ("states", states),
            *([("weights", summary.origin)] if summary.origin else ()),
            *([("folder", folder)] if folder else ()),
        )
        return render(
            "page/sidebar/model.html", title=title, summary=summary, rows=rows, folder=folder
        )

    return draw_model


def _why_no_summary(page: Page, store: Store) -> str:
    if not store.settings.model_is_confirmed:
        return "Not loaded."
    last = store.jobs.latest("load")
    if last is not None and last.state == "failed":
        return "Could not be loaded."
    status = WorkerStatus.read(page.library.root)
    starting = status is None or status.state == "starting"
    return "The worker is starting." if starting else "Being loaded."
