"""What has changed, pushed to the open pages as server-sent events.

One watcher for the whole server looks at the sessions' files, asks the databases of those that
look different, and tells every listener which sessions are in another state. It rests while
nobody listens. A state is a short digest; `page_state` is what a page compares it with.
Knows nothing about Gradio, nor about which session a page shows.
"""

import asyncio
import hashlib
import json
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from workbench.errors import SessionError
from workbench.store import Library
from workbench.store.glance import Glance, file_mark, session_marks
from workbench.store.library import TRASH_NAME
from workbench.store.status import STATUS_NAME, WorkerStatus

__all__ = ["Changes", "add_changes", "page_state"]

LOOK_EVERY = 0.15  # seconds between two looks at the files
TELL_EVERY = 0.2  # seconds between two changes that are told
BEAT_EVERY = 15.0  # seconds after which a listener hears that the server is still there
RETRY = 1000  # milliseconds after which a browser comes back when it has lost the server

LIBRARY = ""  # where the state of the library as a whole stands among those of the sessions

log = logging.getLogger(__name__)

# The states of sessions by id, and of the library; None for a session that is gone.
States = dict[str, str | None]


def page_state(library: Library, session: str) -> str:
    """The session, and the states of the library and of it; the same, the same page.

    Args:
        library: the sessions.
        session: the id of the one that is shown; it may be gone, or empty.
    """
    return f"{session} {_library_state(library)} {_session_state(library, session)}"


def _library_state(library: Library) -> str:
    return _digest(f"{library.version()} {WorkerStatus.read(library.root)}")


def _session_state(library: Library, session: str) -> str:
    try:
        return _digest(library.open(session).state())
    except (SessionError, sqlite3.Error):
        return ""


def _digest(content: str) -> str:
    return hashlib.sha1(content.encode(), usedforsecurity=False).hexdigest()[:12]


class _Listener:
    """One open page; holds what it was not told yet. Only its event loop may touch it."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.greeted = False  # whether the watcher has given it all states
        self._news = asyncio.Event()
        self._untold: States = {}
        self._whole = False

    def tell(self, states: States, whole: bool) -> None:
        self._untold.update(states)
        self._whole = self._whole or whole
        self._news.set()

    async def hear(self) -> str:
        """The next event, as soon as there is one; a beat when there is none for long."""
        try:
            await asyncio.wait_for(self._news.wait(), BEAT_EVERY)
        except TimeoutError:
            return "event: beat\ndata: {}\n\n"
        name, told = "all" if self._whole else "some", json.dumps(self._untold)
        self._untold, self._whole = {}, False
        self._news.clear()
        return f"event: {name}\ndata: {told}\n\n"


class Changes:
    """Watches a folder of sessions for all listeners.

    Args:
        library: the sessions.
        edition: of the server; a page of another one loads itself anew. Empty: none is told.
    """

    def __init__(self, library: Library, edition: str = "") -> None:
        self._library = library
        self._edition = edition
        self._states: States = {}
        self._glances: dict[str, Glance] = {}
        self._listeners: list[_Listener] = []
        self._changed_listeners = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    @property
    def ended(self) -> bool:
        """Whether every stream is to end."""
        return self._ended

    async def follow(self) -> AsyncIterator[str]:
        """The events for one listener: ``all`` states at first, then ``some`` that changed."""
        listener = _Listener()
        self._listeners.append(listener)
        self._wake()
        try:
            yield f"retry: {RETRY}\n\n"
            if self._edition:
                yield f"event: edition\ndata: {json.dumps(self._edition)}\n\n"
            while not self._ended:
                yield await listener.hear()
        finally:
            self._listeners.remove(listener)

    def end(self) -> None:
        """Ends every stream, since a server that ends waits for what it still answers."""
        self._ended = True
        self._changed_listeners.set()
        for listener in self._listeners:
            listener.tell({}, whole=False)

    def _wake(self) -> None:
        """Lets the watcher look now; the first listener starts it."""
        self._changed_listeners.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="changes", daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        pause: float | None = None
        while not self._ended:
            # Waits until somebody listens, or until it is time to look again.
            self._changed_listeners.wait(pause if self._listeners else None)
            self._changed_listeners.clear()
            try:
                changed = self._look()
                self._tell(changed)
            except Exception:
                log.exception("Looking for changes failed")
                changed = {}
            pause = TELL_EVERY if changed else LOOK_EVERY

    def _tell(self, changed: States) -> None:
        for listener in list(self._listeners):
            whole = not listener.greeted
            if not whole and not changed:
                continue
            listener.greeted = True
            told = dict(self._states if whole else changed)
            try:
                listener.loop.call_soon_threadsafe(listener.tell, told, whole)
            except RuntimeError:
                continue  # its event loop has ended, and the listener with it

    def _look(self) -> States:
        """What is in another state than at the last look."""
        root = self._library.root
        marks = session_marks(root)
        found: States = {}
        for gone in self._states.keys() - marks.keys() - {LIBRARY}:
            found[gone] = None
        for session, mark in marks.items():
            if self._may_differ(session, mark):
                found[session] = _session_state(self._library, session)
        around = (file_mark(root / TRASH_NAME), file_mark(root / STATUS_NAME))
        if self._may_differ(LIBRARY, (frozenset(marks.items()), around)):
            found[LIBRARY] = _library_state(self._library)
        changed = {name: state for name, state in found.items() if self._states.get(name) != state}
        self._states |= changed
        for name in [name for name, state in changed.items() if state is None]:
            del self._states[name], self._glances[name]
        return changed

    def _may_differ(self, name: str, marks: object) -> bool:
        glance = self._glances.get(name)
        if glance is None:
            glance = self._glances[name] = Glance()
        return glance.differs(marks)


def add_changes(application: FastAPI, library: Library, edition: str = "") -> Changes:
    """Lets open pages follow the library at ``/changes``.

    Args:
        application: the server.
        library: the sessions.
        edition: of the server, see `Changes`.
    """
    changes = Changes(library, edition)

    @application.get("/changes")
    async def follow() -> StreamingResponse:
        # Neither a browser nor something between it and this server may hold events back.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(changes.follow(), media_type="text/event-stream", headers=headers)

    return changes
