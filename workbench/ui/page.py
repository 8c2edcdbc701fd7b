"""How the page is wired: views that follow the session, and actions that change it.

A view draws a part of the page from the store, and is drawn again when the tables it shows have
changed, by whomever. An action does one thing to the store. Views of the sessions and actions on
them work on the library instead, also when the session shown is gone. A timer asks for what has
changed, so a refresh, a second tab and a restarted server all show the same.
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

__all__ = ["PROGRESS", "QUIET", "Page", "notice"]

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
    _session_views: list[_View] = field(default_factory=list)
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
        view = _View(_guard_view(draw, len(places), self._open), list(inputs), places)
        self._views.setdefault(of, []).append(view)
        for component in inputs:
            component.change(view.draw, [self.session, *inputs], places, **_VIEW)

    def show_sessions(self, draw: Callable[[str], Any], output: Component) -> None:
        """Keeps an output up to date with the library.

        Args:
            draw: called with the id of the session shown, which may be gone, or empty.
            output: what it draws.
        """
        self._session_views.append(_View(_guard_view(draw, 1, str), [], [output]))

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
        return self._act(event, do, inputs, outputs, self.library.open)

    def act_on_sessions(
        self,
        event: Callable[..., Any],
        do: Callable[..., Any],
        inputs: Sequence[Component] = (),
        outputs: Block | Sequence[Block] = (),
    ) -> Any:
        """Like `action`, for what is done to sessions rather than in one.

        Args:
            event: such as ``button.click``.
            do: called with the id of the session shown, which may be gone, and the inputs' values.
            inputs: what it needs.
            outputs: what it sets.

        Returns:
            Gradio's event, to which more can be chained.
        """
        return self._act(event, do, inputs, outputs, str)

    def _act(
        self,
        event: Callable[..., Any],
        do: Callable[..., Any],
        inputs: Sequence[Component],
        outputs: Block | Sequence[Block],
        find: Callable[[str], Any],
    ) -> Any:
        places = [outputs] if isinstance(outputs, Block) else list(outputs)
        guarded = _guard_action(do, len(places), find)
        done = event(guarded, [self.session, *inputs], [*places, self.message], **_ACTION)
        self._actions.append(done)
        return done

    def finish(self) -> None:
        """Starts the timer; called once, when every view and action is there."""
        groups = list(self._views)
        marks = [gr.Textbox(visible="hidden", container=False) for _ in [None, *groups]]

        def look(session: str) -> list[Any]:
            # What cannot be looked at stays as it is; the views of the sessions say why.
            versions: list[Any] = [gr.skip()] * len(groups)
            store = self._open(session)
            if store is not None:
                versions = [f"{session} {self._version(store, group)}" for group in groups]
            return [f"{session} {self.library.version()}", *versions]

        look_safely = _guard_view(look, len(marks), str)

        timer = gr.Timer(LOOK_EVERY)
        for event in (timer.tick, self.session.change):
            event(look_safely, self.session, marks, **_VIEW)
        for action in self._actions:
            action.then(look_safely, self.session, marks, **_VIEW)
        shown = [self._session_views, *(self._views[group] for group in groups)]
        for mark, views in zip(marks, shown, strict=True):
            for view in _gathered(views):
                mark.change(view.draw, [self.session, *view.inputs], view.outputs, **_VIEW)

    def _open(self, session: str) -> Store | None:
        """The session, when it is there and can be opened."""
        try:
            return self.library.open(session)
        except WorkbenchError:
            return None

    def _version(self, store: Store, group: tuple[str, ...]) -> str:
        version = store.version(*(name for name in group if name != PROGRESS))
        if PROGRESS in group:
            status = WorkerStatus.read(self.library.root)
            version += f" {store.progress_version()} {status}"
        return version


def _gathered(views: list[_View]) -> list[_View]:
    """The views with those that need nothing but the session drawn together.

    A page asks for each view by a request of its own; fewer are quicker, above all at its start.
    """
    plain = [view for view in views if not view.inputs]
    if len(plain) < 2:
        return views

    def draw(session: str) -> list[Any]:
        drawn: list[Any] = []
        for view in plain:
            values = view.draw(session)
            drawn += [values] if len(view.outputs) == 1 else values
        return drawn

    together = _View(draw, [], [place for view in plain for place in view.outputs])
    return [together, *(view for view in views if view.inputs)]


def _guard_view(draw: Callable[..., Any], places: int, find: Callable[[str], Any]) -> Any:
    """Hands what was found to a view; what cannot be drawn now stays as it is."""

    @functools.wraps(draw)
    def guarded(session: str, *values: Any) -> Any:
        try:
            found = find(session)
            if found is not None:
                return draw(found, *values)
        except WorkbenchError as error:
            log.warning("%s: %s", draw.__name__, error)
        except Exception:
            log.exception("%s failed", draw.__name__)
        return [gr.skip()] * places if places > 1 else gr.skip()

    return guarded


def _guard_action(do: Callable[..., Any], places: int, find: Callable[[str], Any]) -> Any:
    """Hands what was found to an action, and its errors to the person."""

    @functools.wraps(do)
    def guarded(session: str, *values: Any) -> Any:
        try:
            done = do(find(session), *values)
        except WorkbenchError as error:
            return _results([gr.skip()] * places, notice(str(error)))
        except Exception:
            log.exception("%s failed", do.__name__)
            sentence = (
                "Something went wrong inside the workbench. The terminal it was started "
                "from has the details."
            )
            return _results([gr.skip()] * places, notice(sentence))
        return _results([done] if places == 1 else list(done or ()), "")

    return guarded


def _results(values: list[Any], message: str) -> Any:
    return [*values, message] if values else message


def notice(sentence: str) -> str:
    """What went wrong, as the place of errors shows it until it is dismissed."""
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
