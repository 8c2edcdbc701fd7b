"""Pieces of HTML, and the component that shows them and reports what a person does in them.

HTML is in templates, which escape every value; the pieces here are those of ``kit.html``.
A button, select, tick box, text field or editable cell that carries ``data-do`` raises the
component's ``act`` event with all of its ``data-`` values; `detail` reads them.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup, escape

from workbench.page.kit.static import script
from workbench.work.templates import macro

__all__ = ["button", "detail", "heading", "live_html", "still_html", "text"]

KIT = "page/kit.html"


def live_html(*classes: str, name: str | None = None) -> gr.HTML:
    """An empty place for HTML whose controls raise ``act``.

    Args:
        classes: CSS classes of the place.
        name: its id in the page.
    """
    return gr.HTML(
        "",
        js_on_load=script("act"),
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


def text(value: object) -> Markup:
    """Any text as HTML that shows exactly that text; HTML from a template stays as it is."""
    return escape(value)


def heading(title: str, sentence: str = "") -> Markup:
    """A card's question and the grey sentence that says what is shown."""
    return macro(KIT, "heading", title, sentence)


def button(label: str, do: str, kind: str = "", **data: object) -> Markup:
    """A button that raises ``act``.

    Args:
        label: what it says.
        do: which action; comes back under ``do``.
        kind: extra CSS classes, such as ``primary``.
        data: values that come back with the event, as text.
    """
    return macro(KIT, "button", label, do, kind, **data)
