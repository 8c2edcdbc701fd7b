"""Views, and what of them differs from what a tab of the browser shows already.

With each request a tab hands back digests of what was drawn for it: for each view, of what it was
drawn from and of what each of its outputs got. What would be the same is left alone, so that a
field in which somebody types is not overwritten because something else has changed.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

__all__ = ["View", "draw_changed"]


@dataclass(frozen=True, slots=True)
class View:
    """A part of the page.

    Args:
        draw: called with a session's id and the inputs' values; returns the outputs' values.
        inputs: what it depends on besides the session.
        outputs: what it draws.
    """

    draw: Callable[..., Any]
    inputs: list[Component]
    outputs: list[Component]

    def results(self, session: str, values: Sequence[Any]) -> list[Any]:
        """What each of the outputs should show."""
        found = self.draw(session, *values)
        return list(found) if len(self.outputs) > 1 else [found]


def draw_changed(
    views: Sequence[View],
    versions: Sequence[str],
    session: str,
    given: dict[int, Any],
    drawn: str,
) -> list[Any]:
    """Draws the views that have something else to show.

    Args:
        views: all of the page.
        versions: for each, a text that differs after any change of the tables that it shows.
        session: the id of the session shown.
        given: the values of the views' inputs, by `id` of the component.
        drawn: what this gave as its first result the last time; empty at first.

    Returns:
        The new `drawn`, then a value for each output of each view in turn.
    """
    known = json.loads(drawn) if drawn else {}
    before = known["views"] if known.get("session") == session else [[] for _ in views]
    now: list[list[Any]] = []
    results: list[Any] = []
    for view, version, last in zip(views, versions, before, strict=True):
        values = [given[id(place)] for place in view.inputs]
        source = _digest([version, *values])
        if last and last[0] == source:
            now.append(last)
            results += [gr.skip()] * len(view.outputs)
            continue
        found = view.results(session, values)
        digests = [_digests(value) for value in found]
        shown = last[1:] or [""] * len(found)
        now.append([source, *digests])
        for value, digest, old in zip(found, digests, shown, strict=True):
            results.append(_news(value, digest, old))
    return [json.dumps({"session": session, "views": now}), *results]


def _digests(value: Any) -> str | dict[str, str]:
    """What tells a value of an output from another one; of an update, for each part of it."""
    if isinstance(value, dict) and value.get("__type__") == "update":
        return {part: _digest(content) for part, content in value.items()}
    return _digest(_content(value))


def _news(value: Any, digests: str | dict[str, str], old: str | dict[str, str]) -> Any:
    """What an output gets that has got another value before."""
    if digests == old:
        return gr.skip()
    if isinstance(digests, dict) and isinstance(old, dict):
        same = {part for part, digest in digests.items() if digest == old.get(part)}
        # What stands in a field may be typed just now, and is not there yet.
        if {"value", "placeholder"} >= digests.keys() - same - {"__type__"}:
            return {part: value[part] for part in value if part not in same - {"__type__"}}
    return value


def _content(value: Any) -> Any:
    """What tells a value of an output from another one, a component by what it was made with."""
    return [type(value).__name__, value.constructor_args] if isinstance(value, Block) else value


def _digest(content: Any) -> str:
    text = json.dumps(content, default=str)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:12]
