"""The components that show HTML, and report what a person does in it.

The HTML itself is in templates, which escape every value.
A button, select, tick box, text field or editable cell that carries ``data-do`` raises the
component's ``act`` event with all of its ``data-`` values; `detail` reads them.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from workbench.page.kit.static import script
from workbench.work.templates import macro

__all__ = ["detail", "heading", "live_html", "still_html"]


def live_html(*classes: str, name: str | None = None) -> gr.HTML:
    """An empty place for HTML whose controls raise ``act``.

    Args:
        classes: CSS classes of the place.
        name: its id in the page.
    """
    return gr.HTML(
        "",
        js_on_load=script("act.js"),
        elem_classes=list(classes),
        elem_id=name,
        apply_default_css=False,
    )


def still_html(value: str, behaviour: str | None = None, name: str | None = None) -> gr.HTML:
    """HTML of ours that stays as it is.

    Args:
        value: the HTML.
        behaviour: a script of ``static`` that runs once, with `element` as the place.
        name: its id in the page.
    """
    does = None if behaviour is None else script(behaviour)
    return gr.HTML(value, js_on_load=does, elem_id=name, apply_default_css=False)


def detail(event: gr.EventData) -> dict[str, Any]:
    """The ``data-`` values of what raised an ``act`` event, with ``value`` or ``many``."""
    return dict(event._data or {})


def heading(title: str, sentence: str = "") -> Markup:
    """A card's question and the grey sentence that says what is shown."""
    return macro("page/kit.html", "heading", title, sentence)
