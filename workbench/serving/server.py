"""Serves a base and its edits as an OpenAI-compatible endpoint, until it is interrupted.

Who may come in is decided as for the page: without a token only whoever is on this machine, under
its own names and from no other site; with one, whoever sends it as the key.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket

import uvicorn
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from workbench.errors import SessionError, SettingsError
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.page.access.guard import Guard, Refused
from workbench.page.access.keys import Keys, new_token
from workbench.page.access.site import NO_ROOT
from workbench.page.listen import address_of, is_for_others, listen
from workbench.paths import sessions_dir
from workbench.serving.app import build_app
from workbench.serving.engine import Engine
from workbench.serving.shelf import BASE, Shelf
from workbench.serving.wrong import Wrong
from workbench.ship.serve_settings import ServeModelSettings
from workbench.store.library import Library
from workbench.store.lock import LOCK_NAME, FolderLock
from workbench.store.store import Store

__all__ = ["Ready", "named_patches", "opened_session", "serve_model", "serving_model"]

FIRST_PORT = 8000
TOKEN_VARIABLE = "WORKBENCH_TOKEN"
RUN = r"run-\d+"  # how a session's runs are called
GRACE = 3  # seconds that answers have when the server ends


@dataclass(frozen=True, slots=True)
class Ready:
    """An endpoint that is ready to run.

    Args:
        server: call ``run(sockets=[listener])``.
        listener: its socket.
        url: what clients are given as the base URL.
        elsewhere: the same for other machines; empty when none can reach it.
        key: what they must send as the key; empty for none.
        shelf: what is served.
    """

    server: uvicorn.Server
    listener: socket
    url: str
    elsewhere: str
    key: str
    shelf: Shelf


class _Server(uvicorn.Server):
    """Ends what is being answered when it is told to end; it would wait for it otherwise."""

    def __init__(self, config: uvicorn.Config, engine: Engine) -> None:
        super().__init__(config)
        self._engine = engine

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._engine.end()
        await super().shutdown(sockets)


class _Keys(Keys):
    """Where no token is demanded, clients show nothing: they have seen no page."""

    def fit(self, headers: Headers, query: bytes = b"") -> bool:
        return not self.demanded or super().fit(headers, query)


def serve_model(
    model: LanguageModel,
    patches: Mapping[str, Patch] | None = None,
    settings: ServeModelSettings | None = None,
    store: Store | None = None,
) -> None:
    """Answers until it is interrupted.

    Args:
        model: the base.
        patches: edits of it by the names under which they are served.
        settings: where.
        store: a session whose finished runs are served, too.

    Raises:
        SessionError: the port is taken.
        SettingsError: the token cannot be one, or an edit has the name of the base or of a run.
        PatchError: an edit is of another base.
    """
    with serving_model(model, patches or {}, settings or ServeModelSettings(), store) as ready:
        print(f"OpenAI-compatible endpoint: {ready.url}  (Ctrl-C ends it)", flush=True)
        print("Models: " + ", ".join(one.name for one in ready.shelf.served()), flush=True)
        if ready.key:
            there = f" From elsewhere: {ready.elsewhere}" if ready.elsewhere else ""
            print(f"Clients send the key {ready.key}.{there}", flush=True)
        ready.server.run(sockets=[ready.listener])


@contextmanager
def serving_model(
    model: LanguageModel,
    patches: Mapping[str, Patch],
    settings: ServeModelSettings,
    store: Store | None = None,
) -> Iterator[Ready]:
    """An endpoint that is ready to run, whose engine ends with the block; see `serve_model`."""
    token = settings.token or os.environ.get(TOKEN_VARIABLE, "")
    if any(letter.isspace() or not letter.isprintable() for letter in token):
        raise SettingsError("token has spaces in it; write it without.")
    for name, patch in patches.items():
        if name in (BASE, model.name) or (store is not None and re.fullmatch(RUN, name)):
            raise SettingsError(
                f"A patch is called '{name}', as the base or a run is. Rename its folder."
            )
        patch.check(model)
    shelf = Shelf(model, patches, store, int(time.time()))
    listener = listen(settings.host, settings.port, FIRST_PORT)
    with ExitStack() as cleanup:
        cleanup.callback(listener.close)
        public = is_for_others(listener)
        keys = _Keys(os.urandom(32), token or (new_token() if public else ""))
        engine = cleanup.enter_context(Engine(shelf))
        names = {"localhost", "127.0.0.1", "::1", settings.host.strip("[]").lower()}
        app = build_app(shelf, engine)
        guard = Guard(app, NO_ROOT, names, keys, opens_page=False, refuse=_refusal)
        config = uvicorn.Config(
            guard,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE,
        )
        here, there = (address_of(listener, settings.host, far) + "v1" for far in (False, True))
        elsewhere = there if public else ""
        yield Ready(_Server(config, engine), listener, here, elsewhere, keys.token, shelf)


def _refusal(refused: Refused, scope: Scope) -> Response:
    status = 401 if refused.asks else refused.status
    told = (
        "Send the token that the terminal showed as the key."
        if refused.asks
        else refused.sentence
        if status == 404
        else "This endpoint answers programs on this machine, at localhost or 127.0.0.1, and no "
        "pages of other sites. With --token it answers under any name, to whoever sends that."
    )
    return JSONResponse(Wrong(told, status=status).as_dict(), status)


def named_patches(folders: list[Path]) -> dict[str, Patch]:
    """Patches by the names under which they are served: those of their folders.

    Raises:
        PatchError: there is none in one of them.
        SettingsError: two would have one name.
    """
    found: dict[str, Patch] = {}
    for folder in folders:
        name = folder.resolve().name
        if name in found:
            raise SettingsError(f"Two patches are called '{name}'. Rename one of their folders.")
        found[name] = Patch.load(folder)
    return found


def _bring_up(root: Path) -> None:
    """Brings sessions of earlier versions to the form of this one, where nobody works on them.

    Whoever works on them has done it.
    """
    if not root.is_dir():
        return
    try:
        lock = FolderLock(root / LOCK_NAME)
    except SessionError:
        return
    try:
        Library(root).sessions()
    finally:
        lock.release()


def opened_session(name: str, sessions: Path | None) -> Store:
    """A session by its folder's name or its own, to be looked at only.

    Raises:
        SessionError: there is none, or several have the name, or nobody here chose its model.
    """
    root = Path(sessions or sessions_dir())
    _bring_up(root)
    library = Library(root, closed="Serving changes no session.")
    if name in library:
        found = [library.open(name)]
    else:
        found = [store for store in library.sessions() if store.settings.name == name]
    if len(found) != 1:
        what = "There is no session" if not found else "Several sessions are called"
        there = [f"{s.id} ({s.settings.name})" for s in library.sessions()]
        there += [f"{session} (cannot be opened)" for session in library.unreadable()]
        told = f"{what} '{name}' in {library.root}. There are: {', '.join(there) or 'none'}."
        raise SessionError(told)
    if not found[0].settings.model_is_confirmed:
        raise SessionError(
            f"The session '{name}' came from elsewhere. Load its model on the page first."
        )
    return found[0]
