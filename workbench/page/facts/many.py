"""The part of the Facts tab that changes all that is found at once, seen before it is done."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from workbench.errors import FactsError
from workbench.facts.many import FIELDS, ManyChange
from workbench.page.kit.html import live_html
from workbench.page.kit.page import Page
from workbench.store import Store
from workbench.store.fact_versions import Preview
from workbench.store.found import found_facts
from workbench.work.templates import render

__all__ = ["add_many", "draw_preview"]

_KINDS = (("Find and replace", "replace"), ("Set", "set"), ("Split at", "split"))
_FIELDS = [(label[0].upper() + label[1:], name) for name, label in FIELDS.items()]


def add_many(page: Page, looking: Sequence[Any]) -> None:
    """Builds the part.

    Args:
        page: the page.
        looking: the components that hold the search and the filter.
    """
    with gr.Accordion("Change all that is found", open=False, elem_classes="plain"):
        with gr.Row():
            kind = _choice("What to do", _KINDS, "replace", "many-kind")
            field = _choice("In the", _FIELDS, "prompt", "many-field")
            into = _choice("What follows goes to the", _FIELDS, "target_new", "many-into", False)
        with gr.Row():
            find = gr.Textbox(label="Find", elem_id="many-find", min_width=120)
            text = gr.Textbox(label="Replace by", elem_id="many-text", min_width=120)
        shown = live_html(name="many-preview")
        change = gr.Button("Change them", size="sm", elem_id="many-change")
    asked = [kind, field, find, text, into]
    kind.change(_arrange, kind, [find, text, into], queue=False, show_progress="hidden")
    page.show(_draw, shown, of=("facts", "runs"), inputs=[*looking[:2], *asked])
    page.action(change.click, _change, [*looking[:2], *asked], [find, text])


def _choice(
    label: str, choices: Sequence[tuple[str, str]], value: str, name: str, visible: bool = True
) -> gr.Dropdown:
    return gr.Dropdown(
        list(choices), value=value, label=label, elem_id=name, min_width=120, visible=visible
    )


def _arrange(kind: str) -> tuple[Any, Any, Any]:
    """The fields that a kind of change has."""
    return (
        gr.update(visible=kind != "set", label="At" if kind == "split" else "Find"),
        gr.update(visible=kind != "split", label="To" if kind == "set" else "Replace by"),
        gr.update(visible=kind == "split"),
    )


def _asked(kind: str, field: str, find: str | None, text: str | None, into: str) -> ManyChange:
    return ManyChange(kind, field, find or "", text or "", into)  # type: ignore[arg-type]


def _draw(store: Store, search: str, show: str, *asked: Any) -> str:
    # Nothing was asked for yet, so nothing is wrong.
    if not any(asked[2:4]):
        return ""
    found = found_facts(search, show, store.settings.shown_run)
    try:
        change = _asked(*asked)
        return draw_preview(change, store.versions.preview(found, change))
    except FactsError as error:
        return render("page/facts/note.html", note=str(error), doubts=[])


def draw_preview(change: ManyChange, preview: Preview) -> str:
    """What a change would do, with the first facts before and after.

    Args:
        change: the change.
        preview: what it would do.
    """
    fields = [change.field, *([change.into] if change.kind == "split" else [])]
    examples = [
        (
            " · ".join(getattr(before, field) for field in fields),
            " · ".join(getattr(after, field) for field in fields),
        )
        for before, after in preview.examples
    ]
    return render("page/facts/many.html", preview=preview, examples=examples)


def _change(store: Store, search: str, show: str, *asked: Any) -> tuple[str, str]:
    found = found_facts(search, show, store.settings.shown_run)
    change = _asked(*asked)
    if not store.versions.change(found, change):
        raise FactsError(
            f"No fact found has '{change.find}' in its {FIELDS[change.field]}; nothing was changed."
            if change.kind != "set"
            else "Every fact found says so already; nothing was changed."
        )
    return "", ""
