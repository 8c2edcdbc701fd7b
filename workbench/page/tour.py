"""The tour: five steps on the first start, each at a real control, after which an edit is done.

A card beside the work, never over what it points at. It goes on when a step was really done, or by
its button; the browser keeps how far it is, and that it is over. All of its words stand here.
"""

from dataclasses import dataclass

import gradio as gr

from workbench.page.kit.html import still_html
from workbench.page.kit.page import Page
from workbench.page.kit.static import script
from workbench.store import Library, Store
from workbench.work.templates import render

__all__ = ["STEPS", "TourStep", "add_tour", "tour_signs"]


@dataclass(frozen=True, slots=True)
class TourStep:
    """One step.

    Args:
        tab: where it is done.
        title: what it is about.
        sentence: what to do.
        points: selectors of the control, of which the first that is there is pointed at.
        sign: what changes once it is done (see `tour_signs`); empty for nothing.
        without_run: what is said in its place until a run is done; empty for the same.
    """

    tab: str
    title: str
    sentence: str
    points: tuple[str, ...]
    sign: str = ""
    without_run: str = ""


STEPS = (
    TourStep(
        "facts",
        "What should the model say?",
        "Each line is a fact: a prompt and the answer that you want. Tick or untick one, change an "
        "answer, or add your own.",
        ("#facts-table tr:nth-child(2)", "#facts-table [data-do=samples]", "#facts-table"),
        "facts",
    ),
    TourStep(
        "layers",
        "Where should it be tuned?",
        "Each square is a matrix of the model; the framed one is tuned. It is a good start: go on, "
        "or click another.",
        ("#layer-grid .cell[aria-pressed=true]", "#layer-grid .heat", "#layer-grid"),
        "place",
    ),
    TourStep(
        "edit",
        "Make the edit",
        "Press Start. The loss falls and facts are learned; above the button stands how long it "
        "takes at most.",
        ("#start",),
        "run",
    ),
    TourStep(
        "probe",
        "Ask it something",
        "Ask what no fact asks in these words, and press Enter: before and after stand side by "
        "side.",
        ("#prompt",),
        "asked",
        "Answers differ once a run is done. Go back a step and press Start.",
    ),
    TourStep(
        "evaluate",
        "Did it work, and what did it break?",
        "Your first edit is done, and measured. Here is what it learned and what it left alone; "
        "untick a fact, start again, and it is undone.",
        ("#evaluation .protocol:first-of-type tr:nth-child(2)", "#evaluation"),
        without_run="No edit is done yet. Go back to Start; what came of it stands here.",
    ),
)


def add_tour(page: Page) -> None:
    """Builds the card inside the current column, hidden until the tour begins.

    Args:
        page: the page.
    """
    still_html(render("page/tour.html", steps=STEPS), name="tour-place")
    signs = gr.HTML("", js_on_load=script("tour.js"), visible="hidden")
    library = page.library
    page.show(
        lambda store: tour_signs(library, store),
        signs,
        of=("facts", "settings", "runs", "profiles", "probes"),
    )


def tour_signs(library: Library, store: Store) -> str:
    """What the session has come to, as ``name=value`` pairs; a step is done when its own differs.

    ``first`` is 1 on the first start: one session, in which no run was begun.

    Args:
        library: the sessions.
        store: the one shown.
    """
    runs = store.runs.all()
    done = next((run.id for run in runs if run.state == "done"), "")
    is_first = not runs and not library.closed and library.ids() == [store.id]
    _, _, facts = store.version("facts").rpartition(" ")
    _, _, profiles = store.version("profiles").rpartition(" ")
    signs = {
        "session": store.id,
        "first": int(is_first),
        "facts": facts,
        "place": "+".join((*store.settings.edit.at, profiles)),
        "run": done,
        "asked": store.probes.count(),
    }
    return " ".join(f"{name}={value}" for name, value in signs.items())
