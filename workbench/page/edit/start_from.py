"""What the next run starts from: the base, or an earlier run, to whose edit it adds facts."""

from typing import Literal

import gradio as gr
from markupsafe import Markup

from workbench.page.kit.html import detail, live_html
from workbench.page.kit.page import Page
from workbench.store import Store
from workbench.store.runs import Run
from workbench.work.templates import render

__all__ = ["add_start_from", "start_from"]

SETTING = "start_from"  # such as "3 continue"
MOST = 6  # runs that are offered, the newest
Way = Literal["", "recompile", "continue"]
WAYS: tuple[tuple[Way, str], ...] = (
    ("continue", "on top of it"),
    ("recompile", "made anew with its facts"),
)


def add_start_from(page: Page) -> None:
    """Builds the choice inside the current column; it is there once a run is done."""
    choice = live_html(name="start-from")
    page.show(_draw, choice, of=("runs", "settings"))
    page.action(choice.act, _choose)


def start_from(store: Store) -> tuple[int | None, Way]:
    """The run that the next one starts from, and how; none where it is gone or of another model."""
    number, _, way = str(store.settings.get(SETTING, "")).partition(" ")
    found = [run for run in _offered(store) if str(run.id) == number]
    ways = [known for known, _ in WAYS if known == way]
    return (found[0].id, ways[0]) if found and ways else (None, "")


def _offered(store: Store) -> list[Run]:
    model = store.settings.model.name
    done = [run for run in store.runs.all() if run.state == "done" and run.model == model]
    return done[:MOST]


def _draw(store: Store) -> Markup:
    runs = _offered(store)
    if not runs:
        return Markup()
    run, way = start_from(store)
    pairs = [("", "the base")]
    pairs += [(f"{r.id} {key}", f"run {r.id}, {words}") for r in runs for key, words in WAYS]
    chosen = "" if run is None else f"{run} {way}"
    return render("page/edit/start_from.html", pairs=pairs, chosen=chosen, way=way)


def _choose(store: Store, event: gr.EventData) -> None:
    store.settings.set(SETTING, str(detail(event)["value"]))
