"""The sessions in the sidebar: pick, new, rename, copy, export, import, delete and bring back.

Drawn from the library, so that every tab of the browser sees the same. Knows nothing about what
is in a session.
"""

from collections.abc import Callable
from pathlib import Path

import gradio as gr
from markupsafe import Markup

from workbench.page.kit.html import detail, live_html, still_html
from workbench.page.kit.page import QUIET, Page
from workbench.store import Library, Store
from workbench.store.kept_states import STATES_LIMIT, clear_states, states_bytes
from workbench.work.templates import render

__all__ = [
    "act_on_sessions",
    "add_banner",
    "add_session_card",
    "clear_kept_states",
    "draw_card",
    "draw_states",
]

SHOWN_DISCARDED = 3


def add_session_card(page: Page) -> None:
    """Builds the card, and the part below it that unfolds."""
    card = live_html(name="session-card")
    with gr.Accordion(
        "Rename, copy, export, delete", open=False, elem_classes="plain", elem_id="session-tools"
    ):
        tools = live_html(name="session-tools-card")
        going = live_html(name="session-going")
        states = live_html(name="session-states")
        still_html(render("page/sidebar/import_label.html"))
        file = gr.File(
            file_types=[".zip"],
            show_label=False,
            height=52,
            elem_id="session-import",
            elem_classes="upload",
        )
    actions = _Actions(page.library)
    page.show_sessions(lambda session: draw_card(page.library, session), card)
    page.show_sessions(lambda session: _draw_tools(page.library, session), tools)
    page.show(_draw_going, going, of=("jobs",))
    page.show(draw_states, states, of=("jobs", "runs"))
    page.action(states.act, clear_kept_states, outputs=states)
    for place in (card, tools):
        page.act_on_sessions(place.act, actions.act, outputs=page.session)
    brought = page.act_on_sessions(file.upload, actions.bring_in, [file], page.session)
    brought.then(_no_file, outputs=file, **QUIET)


def add_banner(page: Page) -> None:
    """Builds the place above the tabs that says when nothing can be done here, and why."""
    banner = live_html(name="banner")
    page.show_sessions(lambda session: _draw_banner(page.library, session), banner)
    page.act_on_sessions(banner.act, _Actions(page.library).act, outputs=page.session)


def act_on_sessions(library: Library) -> Callable[[str, gr.EventData], str]:
    """What the controls of a session do, for a place that shows some of them elsewhere.

    Args:
        library: the sessions.

    Returns:
        A function of the session shown and the event, which returns the session to show then;
        what it does not know leaves everything as it is.
    """
    return _Actions(library).act


class _Actions:
    """What can be done to sessions; each returns the id of the session to show then."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def act(self, session: str, event: gr.EventData) -> str:
        asked = detail(event)
        do = asked.get("do", "")  # an event that says nothing does nothing
        if do == "open":
            return self._library.enter(asked["value"]).id
        if do == "new":
            return self._library.enter(self._create().id).id
        if do == "latest":
            return self._library.enter(self._library.latest().id).id
        if do == "restore":
            return self._library.enter(self._library.restore(asked["session"]).id).id
        if do == "empty":
            self._library.empty_trash()
        elif do == "name":
            name = " ".join(str(asked["value"]).split())
            self._library.open(session).settings.set("name", name or "Untitled")
        elif do == "duplicate":
            return self._library.enter(self._library.duplicate(session).id).id
        elif do == "delete":
            self._library.discard(session)
            return self._library.enter(self._library.latest().id).id
        return session

    def bring_in(self, session: str, path: str | None) -> str:
        if path is None:
            return session
        try:
            return self._library.enter(self._library.bring_in(Path(path)).id).id
        finally:
            Path(path).unlink(missing_ok=True)

    def _create(self) -> Store:
        return self._library.create(f"Session {len(self._library.ids()) + 1}")


def _no_file() -> None:
    """Makes room for the next file, whether this one could be read or not."""


def draw_card(library: Library, session: str) -> Markup:
    """The sessions to choose from, those that cannot be read with the reason, and the trash.

    Args:
        library: the sessions.
        session: the id of the one that is shown; it may be gone.
    """
    known = sorted(
        ((store.id, store.settings.name) for store in library.sessions()),
        key=lambda pair: pair[1].casefold(),
    )
    if session not in library:
        known.insert(0, (session, "choose a session"))
    discarded = library.discarded()
    return render(
        "page/sidebar/session.html",
        sessions=known,
        unreadable=library.unreadable(),
        session=session,
        discarded=discarded[:SHOWN_DISCARDED],
        older=len(discarded) - SHOWN_DISCARDED,
    )


def _draw_tools(library: Library, session: str) -> Markup:
    name = library.open(session).settings.name if session in library else None
    trash = bool(library.discarded())
    return render("page/sidebar/tools.html", name=name, session=session, trash=trash)


def _draw_going(store: Store) -> Markup:
    if all(job.kind == "load" for job in store.jobs.open_jobs()):
        return Markup()
    return render("page/sidebar/going.html")


def draw_states(store: Store) -> Markup:
    """The line that says what the session's kept hidden states take."""
    taken = states_bytes(store.folder)
    return render("page/sidebar/states.html", taken=taken, limit=STATES_LIMIT)


def clear_kept_states(store: Store) -> Markup:
    """Forgets them; returns the line as it is then."""
    clear_states(store.folder)
    return draw_states(store)


def _draw_banner(library: Library, session: str) -> Markup:
    sentence, is_leading = ("", False) if session in library else _gone(library, session)
    standing = library.closed or library.trouble
    if not standing and not sentence:
        return Markup()
    trashed = any(entry.id == session for entry in library.discarded())
    return render(
        "page/sidebar/banner.html",
        closed=standing,
        sentence=sentence,
        ways=is_leading,
        trashed=trashed and not library.closed,
        session=session,
    )


def _gone(library: Library, session: str) -> tuple[str, bool]:
    """What is said of a session that is not there, and whether a way to another one is shown."""
    if not library.ids() and library.closed:
        return "There is no session to show.", False
    if not session:
        return "", False
    names = [f" “{entry.name}”" for entry in library.discarded() if entry.id == session]
    name = names[0] if names else ""
    return f"The session{name} was deleted in another tab; nothing more is kept in it.", True
