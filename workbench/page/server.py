"""Serves the page: a port, a worker, and only this machine let in unless asked otherwise.

Invariants: every request passes the guard (`workbench.page.access.guard`), what is uploaded stays
inside the sessions' folder, and nothing calls out. Where another workbench has the sessions, they
are shown, no worker is started, and nothing is written.
"""

import asyncio
import contextlib
import logging
import os
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import uvicorn
from fastapi import FastAPI

from workbench.errors import SettingsError
from workbench.page.access.guard import Guard
from workbench.page.access.keys import Keys, kept_secret, new_token
from workbench.page.access.site import RootPath, host_name, is_loopback
from workbench.page.app import build
from workbench.page.changes import Changes, add_changes
from workbench.page.downloads import add_downloads
from workbench.page.edition import edition
from workbench.page.evaluate.files import add_report_downloads
from workbench.page.events import guard_gradio
from workbench.page.facts.files import add_fact_downloads
from workbench.page.kit import theme
from workbench.page.layers.files import add_profile_downloads
from workbench.page.listen import address_of, is_for_others, listen
from workbench.page.runs.files import add_run_downloads
from workbench.page.still import add_still_progress
from workbench.paths import assets_dir, sessions_dir
from workbench.remote.http import add_api
from workbench.store import Library
from workbench.store.lock import LOCK_NAME, FolderLock, FolderTaken, holder
from workbench.store.requests import LoadRequest
from workbench.worker.supervisor import Supervisor

__all__ = ["build_application", "serve", "serving"]

UPLOAD_LIMIT = "20gb"  # of a packed session; facts have a smaller limit of their own
QUEUE_LOOK_EVERY = 0.5  # seconds
TOKEN_VARIABLE = "WORKBENCH_TOKEN"  # for a token that no list of processes shows
ROOT_VARIABLE = "GRADIO_ROOT_PATH"  # Gradio's own, for those who have set it


def serve(
    host: str = "127.0.0.1",
    port: int | None = None,
    sessions: str | Path | None = None,
    open_browser: bool = True,
    token: str = "",
    root_path: str = "",
) -> None:
    """Opens the workbench and works until it is interrupted.

    Args:
        host: address to listen on; the default lets only this machine in, any other a token.
        port: port to listen on; None takes the first free one from 7860.
        sessions: folder of sessions; None takes `sessions_dir`.
        open_browser: whether to show the page in the browser.
        token: what the page's address must end with; empty for none where only this machine can
            reach it, and else for a new one, or that of the variable WORKBENCH_TOKEN.
        root_path: the path or the whole address under which a reverse proxy shows the page.

    Raises:
        SessionError: the port is taken, or the folder cannot be used.
        SettingsError: the token or the root path cannot be one.
    """
    with serving(host, port, sessions, token, root_path) as ready:
        print(f"LocFT Workbench: {ready.url}  (Ctrl-C ends it)", flush=True)
        if ready.elsewhere:
            there = "" if ready.elsewhere == ready.url else f" From elsewhere: {ready.elsewhere}"
            print(
                "It can be reached from beyond this machine: whoever has the token can do "
                f"everything that you can, and nobody else gets in.{there}",
                flush=True,
            )
        if ready.closed:
            print(ready.closed, flush=True)
        if open_browser:
            threading.Timer(1.0, webbrowser.open, [ready.url]).start()
        ready.server.run(sockets=[ready.listener])


@dataclass(frozen=True, slots=True)
class Ready:
    """A server that is ready to run.

    Args:
        server: call ``run(sockets=[listener])``.
        listener: its socket.
        url: where the page is, with the token where there is one.
        elsewhere: the same for other machines; empty when none can reach it.
        closed: why the sessions are only shown, for people; empty when they can be worked on.
    """

    server: uvicorn.Server
    listener: socket.socket
    url: str
    elsewhere: str
    closed: str


class _Server(uvicorn.Server):
    """Ends the pages' streams when it is told to end; it would wait for them otherwise."""

    def __init__(self, config: uvicorn.Config, changes: Changes) -> None:
        super().__init__(config)
        self._changes = changes

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._changes.end()
        await super().shutdown(sockets)


@contextmanager
def serving(
    host: str,
    port: int | None,
    sessions: str | Path | None,
    token: str = "",
    root_path: str = "",
) -> Iterator[Ready]:
    """A server that is ready to run, with its worker started; both end with the block.

    Where another workbench has the sessions, they are only shown, and there is no worker.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)
    of_gradio = os.environ.pop(ROOT_VARIABLE, "")  # which would otherwise follow it by itself
    root = RootPath.read(root_path or of_gradio)
    token = _checked(token or os.environ.get(TOKEN_VARIABLE, ""))
    library = Library(Path(sessions) if sessions is not None else sessions_dir())
    listener = listen(host, port)
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(listener.close)
        try:
            cleanup.callback(FolderLock(library.root / LOCK_NAME).release)
        except FolderTaken:
            library = Library(library.root, closed=holder(library.root / LOCK_NAME))
            uploads = cleanup.enter_context(tempfile.TemporaryDirectory())
        else:
            _start_work(library, cleanup)
            uploads = str(library.root / ".uploads")
        told = {host_name(root.authority)} - {""}
        public = is_for_others(listener) or not is_loopback(told)
        secret = kept_secret(library.root, may_write=not library.closed)
        keys = Keys(secret, token or (new_token() if public else ""))
        application, changes = asyncio.run(build_application(library, Path(uploads)))
        names = {"localhost", "127.0.0.1", "::1", host.strip("[]").lower(), *told}
        guard = Guard(application, root, names, keys, scripts=[theme.head_script()])
        config = uvicorn.Config(guard, log_level="warning", access_log=False, proxy_headers=False)
        server = _Server(config, changes)
        here, there = (
            _opened_at(address_of(listener, host, elsewhere), root, keys)
            for elsewhere in (False, True)
        )
        yield Ready(server, listener, here, there if public else "", library.closed)


def _opened_at(address: str, root: RootPath, keys: Keys) -> str:
    """What people open, behind a proxy or not."""
    base = f"{root.scheme}://{root.authority}/" if root.authority else address
    return base + (f"{root.prefix[1:]}/" if root.prefix else "") + keys.query


def _checked(token: str) -> str:
    if any(letter.isspace() or not letter.isprintable() for letter in token):
        raise SettingsError("token has spaces in it; write it without.")
    return token


def _start_work(library: Library, cleanup: contextlib.ExitStack) -> None:
    """Starts the worker, and lets it load the model, so that it is there when somebody looks."""
    library.tidy()
    latest = library.latest()
    loading = any(job.kind == "load" for job in latest.jobs.open_jobs())
    if latest.settings.model_is_confirmed and not loading:
        latest.jobs.ask_for(LoadRequest())
    supervisor = Supervisor(library)
    supervisor.start()
    cleanup.callback(supervisor.stop)


async def build_application(library: Library, uploads: Path) -> tuple[FastAPI, Changes]:
    """Everything that is served, without its guard, and what tells pages of changes.

    It is awaited, though it waits for nothing: Gradio makes event loops when it finds none running,
    and never closes them.

    Args:
        library: the sessions.
        uploads: where Gradio puts what is uploaded.
    """
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    application = FastAPI(title="LocFT Workbench", docs_url=None, redoc_url=None, openapi_url=None)
    changes = add_changes(application, library, edition())
    add_api(application, library, lambda: changes.ended)
    add_still_progress(application)
    add_downloads(application, library)
    add_fact_downloads(application, library)
    add_profile_downloads(application, library)
    add_report_downloads(application, library)
    add_run_downloads(application, library)
    blocks = build(library)
    _rest_queue(blocks)
    gr.mount_gradio_app(
        application,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=UPLOAD_LIMIT,
        ssr_mode=False,
        theme=theme.theme(),
        css=theme.stylesheet(),
        head=theme.head(),
        favicon_path=str(assets_dir() / "favicon.svg"),
    )
    guard_gradio(application, blocks, uploads)
    return application, changes


def _rest_queue(blocks: gr.Blocks) -> None:
    """Lets Gradio's queue, into which it looks a thousand times a second, rest.

    Nothing of the page is queued (see `workbench.page.kit.page.QUIET`).
    """
    blocks._queue.sleep_when_free = QUEUE_LOOK_EVERY
    blocks._queue.progress_update_sleep_when_free = QUEUE_LOOK_EVERY
