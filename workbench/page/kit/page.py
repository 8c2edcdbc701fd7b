"""How the page is wired: views that follow the session, and actions that change it.

A view draws a part of the page from the store, and is drawn again when the tables it shows have
changed, by whomever. An action does one thing to the store. Views of the sessions and actions on
them work on the library instead, also when the session shown is gone. The server tells a page
when something has changed (see `workbench.page.changes`), and only then does the page ask for a
drawing, so a refresh, a second tab and a restarted server all show the same.
Invariant: the only thing that a tab of the browser knows is which session it shows.
Knows nothing about what the views look like.
"""

import functools
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component
from markupsafe import Markup

from workbench.errors import WorkbenchError
from workbench.page.changes import page_state
from workbench.page.kit.drawing import View, draw_changed
from workbench.page.kit.static import script
from workbench.store import Library, Store
from workbench.store.status import WorkerStatus
from workbench.work.templates import render

__all__ = ["PROGRESS", "QUIET", "Page", "notice"]

PROGRESS = "progress"  # what a view depends on when it shows how far the running job is

TURNS = 16  # sessions in which something can be done at the same time, at least mostly

log = logging.getLogger(__name__)


@dataclass
class Page:
    """The page while it is being built.

    Args:
        library: the sessions.
        session: the component that holds the id of the session shown.
        message: where errors are shown.
        seen: a hidden component; it holds the state of what is shown, as an action left it.
    """

    library: Library
    session: gr.Textbox
    message: gr.HTML
    seen: gr.Textbox
    _views: dict[tuple[str, ...], list[View]] = field(default_factory=dict)
    _session_views: list[View] = field(default_factory=list)
    _turns: list[threading.Lock] = field(
        default_factory=lambda: [threading.Lock() for _ in range(TURNS)]
    )

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
        view = View(_guard_view(draw, len(places), self._open), list(inputs), places)
        self._views.setdefault(of, []).append(view)

    def show_sessions(self, draw: Callable[[str], Any], output: Component) -> None:
        """Keeps an output up to date with the library.

        Args:
            draw: called with the id of the session shown, which may be gone, or empty.
            output: what it draws.
        """
        self._session_views.append(View(_guard_view(draw, 1, str), [], [output]))

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
        guarded = _guard_action(do, len(places), find, self.library)

        @functools.wraps(do)
        def act(session: str, *values: Any) -> list[Any]:
            # Two clicks in a row come in two threads: the second must see what the first did.
            with self._turns[hash(session) % len(self._turns)]:
                done = guarded(session, *values)
            return [*done, self.look(session)]

        shown = [*places, self.message, self.seen]
        return event(act, [self.session, *inputs], shown, **_ACTION, show_progress_on=self.seen)

    def finish(self) -> None:
        """Lets the page follow what changes; called once, when every view and action is there.

        One request draws what differs: when the server has told of another state than the one
        that is shown, when an action has left another one, or when an input has changed.
        """
        groups = [((), self._session_views), *self._views.items()]
        views = [view for _, members in groups for view in members]
        inputs = list({id(place): place for view in views for place in view.inputs}.values())
        drawn = gr.Textbox(visible="hidden", container=False)
        # Its value is the state that is shown; its script hears of another one.
        changes = gr.HTML("", js_on_load=script("changes.js"), visible="hidden")

        def draw(session: str, drawn: str, *values: Any) -> list[Any]:
            # Taken first: what changes during the drawing is drawn once more, never missed.
            state = page_state(self.library, session)
            given = {id(place): value for place, value in zip(inputs, values, strict=True)}
            found = zip(groups, self._versions(session), strict=True)
            versions = [version for (_, members), version in found for _ in members]
            return [state, *draw_changed(views, versions, session, given, drawn)]

        outputs = [changes, drawn, *(place for view in views for place in view.outputs)]
        # One listener for all, so that no older drawing can come after a newer one.
        gr.on(
            [
                changes.input,
                self.seen.change,
                self.session.change,
                *(place.change for place in inputs),
            ],
            _guard_view(draw, len(outputs), str),
            [self.session, drawn, *inputs],
            outputs,
            **_VIEW,
            show_progress_on=drawn,
        )

    def look(self, session: str) -> Any:
        """The value of `seen` now, which has a session drawn that is in another state than before.

        Args:
            session: the id of the session shown; it may be gone, or empty.
        """
        return _guard_view(lambda shown: page_state(self.library, shown), 1, str)(session)

    def _open(self, session: str) -> Store | None:
        """The session, when it is there and can be opened."""
        try:
            return self.library.open(session)
        except WorkbenchError:
            return None

    def _versions(self, session: str) -> list[str]:
        """What the library and groups of tables of a session are at; the same, the same drawing.

        When the session cannot be opened its views stay as they are; those of the sessions say why.
        """
        store = self._open(session)
        status = f"{WorkerStatus.read(self.library.root)}" if store is not None else ""
        found = [f"{session} {self.library.version()}"]
        for group in self._views:
            version = store.version(*(name for name in group if name != PROGRESS)) if store else ""
            if store is not None and PROGRESS in group:
                version += f" {store.progress_version()} {status}"
            found.append(f"{session} {version}")
        return found


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


def _guard_action(
    do: Callable[..., Any], places: int, find: Callable[[str], Any], library: Library
) -> Any:
    """Hands what was found to an action, and its errors to the person."""

    @functools.wraps(do)
    def guarded(session: str, *values: Any) -> Any:
        try:
            done = do(find(session), *values)
        except WorkbenchError as error:
            lost = bool(session) and session not in library
            return [*[gr.skip()] * places, notice(str(error), lost=lost)]
        except Exception:
            log.exception("%s failed", do.__name__)
            sentence = (
                "Something went wrong inside the workbench. The terminal it was started "
                "from has the details."
            )
            return [*[gr.skip()] * places, notice(sentence)]
        return [*([done] if places == 1 else list(done or ())), ""]

    return guarded


def notice(sentence: str, lost: bool = False) -> Markup:
    """What went wrong, as the place of errors shows it until it is dismissed.

    Args:
        sentence: for people.
        lost: whether the session shown is gone, so that a way to another one is needed.
    """
    return render("page/notice.html", sentence=sentence, lost=lost)


# Views and actions have their progress noted at one hidden component (`show_progress_on`), else it
# is noted at each output, and each is brought up to date when they begin and end.
QUIET: dict[str, Any] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    # Answered in the same request: an event stream is opened anew for each queued event, and one
    # that is lost while another closes would leave its view waiting for good.
    "queue": False,
}
_VIEW = {**QUIET, "trigger_mode": "always_last"}  # only the newest state is worth drawing
_ACTION = {**QUIET, "trigger_mode": "multiple"}  # none may be dropped
