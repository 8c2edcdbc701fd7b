"""How the page is wired: views that follow the session, and actions that change it.

A view draws a part of the page from the store, and is drawn again when the tables it shows have
changed, by whomever. An action does one thing to the store. A timer asks for what has changed,
so a refresh, a second tab and a restarted server all show the same.
Invariant: the only thing that a tab of the browser knows is which session it shows.
Knows nothing about what the views look like.
"""

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from workbench.recipe.errors import WorkbenchError
from workbench.session import Library, Store
from workbench.session.status import WorkerStatus
from workbench.ui.html import button, text

__all__ = ["PROGRESS", "QUIET", "Page"]

LOOK_EVERY = 0.5  # seconds between two looks at what changed
PROGRESS = "progress"  # what a view depends on when it shows how far the running job is

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _View:
    draw: Callable[..., Any]
    inputs: list[Component]
    outputs: list[Component]


@dataclass
class Page:
    """The page while it is being built.

    Args:
        library: the sessions.
        session: the component that holds the id of the session shown.
        message: where errors are shown.
    """

    library: Library
    session: gr.Textbox
    message: gr.HTML
    _views: dict[tuple[str, ...], list[_View]] = field(default_factory=dict)
    _actions: list[Any] = field(default_factory=list)

    def show(
        self,
        draw: Callable[..., Any],
        outputs: Component | Sequence[Component],
        of: tuple[str, ...],
        inputs: Sequence[Component] = (),
    ) -> None:
        """Keeps outputs up to date.

        Args:
            draw: called with the store and the inputs' values; returns the outputs' values.
            outputs: what it draws.
            of: the tables it shows (see `Store.version`), and `PROGRESS`.
            inputs: what else it depends on; drawn again when they change.
        """
        places = [outputs] if isinstance(outputs, Block) else list(outputs)
        view = _View(self._guard_view(draw, len(places)), list(inputs), places)
        self._views.setdefault(of, []).append(view)
        for component in inputs:
            component.change(view.draw, [self.session, *inputs], places, **_VIEW)

    def action(
        self,
        event: Callable[..., Any],
        do: Callable[..., Any],
        inputs: Sequence[Component] = (),
        outputs: Block | Sequence[Block] = (),
    ) -> Any:
        """Does something when an event happens, then draws what has changed.

        Args:
            event: such as ``button.click``.
            do: called with the store and the inputs' values; returns the outputs' values.
            inputs: what it needs.
            outputs: what it sets, such as a text box that it empties.

        Returns:
            Gradio's event, to which more can be chained.
        """
        places = [outputs] if isinstance(outputs, Block) else list(outputs)
        guarded = self._guard_action(do, len(places))
        done = event(guarded, [self.session, *inputs], [*places, self.message], **_ACTION)
        self._actions.append(done)
        return done

    def finish(self) -> None:
        """Starts the timer; called once, when every view and action is there."""
        groups = list(self._views)
        marks = [gr.Textbox(visible="hidden", container=False) for _ in groups]

        def look(store: Store) -> list[str]:
            return [f"{store.id} {self._version(store, group)}" for group in groups]

        look_safely = self._guard_view(look, len(marks))

        timer = gr.Timer(LOOK_EVERY)
        for event in (timer.tick, self.session.change):
            event(look_safely, self.session, marks, **_VIEW)
        for action in self._actions:
            action.then(look_safely, self.session, marks, **_VIEW)
        for group, mark in zip(groups, marks, strict=True):
            for view in self._views[group]:
                mark.change(view.draw, [self.session, *view.inputs], view.outputs, **_VIEW)

    def _version(self, store: Store, group: tuple[str, ...]) -> str:
        version = store.version(*(name for name in group if name != PROGRESS))
        if PROGRESS in group:
            status = WorkerStatus.read(self.library.root)
            version += f" {store.progress_version()} {status}"
        return version

    def _guard_view(self, draw: Callable[..., Any], places: int) -> Callable[..., Any]:
        """Hands the store to a view; what cannot be drawn now stays as it is."""

        @functools.wraps(draw)
        def guarded(session: str, *values: Any) -> Any:
            try:
                if session:
                    return draw(self.library.open(session), *values)
            except WorkbenchError as error:
                log.warning("%s: %s", draw.__name__, error)
            except Exception:
                log.exception("%s failed", draw.__name__)
            return [gr.skip()] * places if places > 1 else gr.skip()

        return guarded

    def _guard_action(self, do: Callable[..., Any], places: int) -> Callable[..., Any]:
        """Hands the store to an action, and its errors to the person."""

        @functools.wraps(do)
        def guarded(session: str, *values: Any) -> Any:
            try:
                done = do(self.library.open(session), *values)
            except WorkbenchError as error:
                return _results([gr.skip()] * places, _error(str(error)))
            except Exception:
                log.exception("%s failed", do.__name__)
                sentence = (
                    "Something went wrong inside the workbench. The terminal it was started "
                    "from has the details."
                )
                return _results([gr.skip()] * places, _error(sentence))
            return _results([done] if places == 1 else list(done or ()), "")

        return guarded


def _results(values: list[Any], message: str) -> Any:
    return [*values, message] if values else message


def _error(sentence: str) -> str:
    return (
        f'<div class="notice wrong" role="alert"><span>{text(sentence)}</span>'
        f"{button('Dismiss', 'dismiss', 'small')}</div>"
    )


QUIET: dict[str, Any] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    # Answered in the same request: an event stream is opened anew for each queued event, and one
    # that is lost while another closes would leave its view waiting for good.
    "queue": False,
}
_VIEW = {**QUIET, "trigger_mode": "always_last"}  # only the newest state is worth drawing
_ACTION = {**QUIET, "trigger_mode": "multiple"}  # none may be dropped
