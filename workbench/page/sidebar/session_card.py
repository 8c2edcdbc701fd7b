"""The sessions in the sidebar: pick, new, rename, copy, export, import, delete and bring back.

Drawn from the library, so that every tab of the browser sees the same. Knows nothing about what
is in a session.
"""

from pathlib import Path

import gradio as gr

from workbench.page.kit.html import button, detail, live_html, options, still_html, text
from workbench.page.kit.page import QUIET, Page
from workbench.store import Library, Store
from workbench.store.library import Discarded
from workbench.work.words import count

__all__ = ["add_banner", "add_session_card"]

SHOWN_DISCARDED = 3
EMPTY_TRASH = "Delete the sessions in the trash for good? This cannot be undone."


def add_session_card(page: Page) -> None:
    """Builds the card, and the part below it that unfolds."""
    card = live_html(name="session-card")
    with gr.Accordion(
        "Rename, copy, export, delete", open=False, elem_classes="plain", elem_id="session-tools"
    ):
        tools = live_html(name="session-tools-card")
        going = live_html(name="session-going")
        still_html('<div class="label">Import a session</div>')
        file = gr.File(
            file_types=[".zip"],
            show_label=False,
            height=52,
            elem_id="session-import",
            elem_classes="upload",
        )
    actions = _Actions(page.library)
    page.show_sessions(lambda session: _draw_card(page.library, session), card)
    page.show_sessions(lambda session: _draw_tools(page.library, session), tools)
    page.show(_draw_going, going, of=("jobs",))
    for place in (card, tools):
        page.act_on_sessions(place.act, actions.act, outputs=page.session)
    brought = page.act_on_sessions(file.upload, actions.bring_in, [file], page.session)
    brought.then(_no_file, outputs=file, **QUIET)


def add_banner(page: Page) -> None:
    """Builds the place above the tabs that says when nothing can be done here, and why."""
    banner = live_html(name="banner")
    page.show_sessions(lambda session: _draw_banner(page.library, session), banner)
    page.act_on_sessions(banner.act, _Actions(page.library).act, outputs=page.session)


class _Actions:
    """What can be done to sessions; each returns the id of the session to show then."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def act(self, session: str, event: gr.EventData) -> str:
        asked = detail(event)
        do = asked["do"]
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


def _draw_card(library: Library, session: str) -> str:
    known = sorted(
        ((store.id, store.settings.name) for store in library.sessions()),
        key=lambda pair: pair[1].casefold(),
    )
    if session not in library:
        known.insert(0, (session, "choose a session"))
    discarded = library.discarded()
    rows = "".join(_discarded_row(entry) for entry in discarded[:SHOWN_DISCARDED])
    more = len(discarded) - SHOWN_DISCARDED
    below = f'<p class="quiet">and {count(more, "older one")} in the trash</p>' if more > 0 else ""
    trash = f'<div class="trash" role="status">{rows}{below}</div>' if rows else ""
    return (
        '<label class="label" for="session-list">Session</label><div class="pair">'
        f'<select id="session-list" data-do="open">{options(known, session)}</select>'
        f"{button('New', 'new', 'small')}</div>{trash}"
    )


def _discarded_row(entry: Discarded) -> str:
    return (
        f'<div class="pair"><span title="{text(entry.name)}">Deleted: {text(entry.name)}</span>'
        f"{button('Restore', 'restore', 'small', session=entry.id)}</div>"
    )


def _draw_tools(library: Library, session: str) -> str:
    if session not in library:
        return '<p class="quiet">No session is shown.</p>'
    store = library.open(session)
    empty = ""
    if library.discarded():
        empty = button("Empty the trash", "empty", "small bare", confirm=EMPTY_TRASH)
    return (
        '<label class="label" for="session-name">Name</label>'
        f'<input id="session-name" type="text" data-do="name" value="{text(store.settings.name)}" '
        'autocomplete="off" maxlength="200">'
        f'<div class="pair tools">{button("Duplicate", "duplicate", "small")}'
        f'<a class="btn small" href="sessions/{text(session)}.zip" download>Export</a>'
        f"{button('Delete', 'delete', 'small')}{empty}</div>"
    )


def _draw_going(store: Store) -> str:
    if all(job.kind == "load" for job in store.jobs.open_jobs()):
        return ""
    return (
        '<p class="quiet">A copy or an export holds everything up to this moment; a run that is '
        "going can be resumed in it. Deleting has to wait.</p>"
    )


def _draw_banner(library: Library, session: str) -> str:
    closed = f"<p>{text(library.closed)}</p>" if library.closed else ""
    gone = "" if session in library else _gone(library, session)
    if not closed and not gone:
        return ""
    return f'<div class="notice warn" role="status">{closed}{gone}</div>'


def _gone(library: Library, session: str) -> str:
    """What to say when the session that this tab shows is not there any more."""
    there = library.ids()
    if not there and library.closed:
        return "<p>There is no session to show.</p>"
    if not session:
        return ""
    buttons = button("Open the latest session", "latest", "small")
    trashed = [entry for entry in library.discarded() if entry.id == session]
    if trashed and not library.closed:
        buttons += button("Restore this one", "restore", "small", session=session)
    name = f" “{trashed[0].name}”" if trashed else ""
    sentence = f"The session{name} was deleted in another tab; nothing more is kept in it."
    return f'<p>{text(sentence)}</p><div class="pair">{buttons}</div>'
