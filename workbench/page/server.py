"""Serves the page: a port, a worker, and only this machine let in unless asked otherwise.

Invariants: requests are answered only for names of this machine (against DNS rebinding), what
is uploaded stays inside the sessions' folder, and nothing calls out. Where another workbench has
the sessions, they are shown, no worker is started, and nothing is written.
"""

import contextlib
import logging
import os
import re
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import psutil
import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask
from starlette.middleware.trustedhost import TrustedHostMiddleware

from workbench.errors import SessionError, WorkbenchError
from workbench.page.app import build
from workbench.page.changes import Changes, add_changes
from workbench.page.evaluate.files import add_report_downloads
from workbench.page.facts.files import add_fact_downloads
from workbench.page.kit import theme
from workbench.page.layers.files import add_profile_downloads
from workbench.page.still import add_still_progress
from workbench.paths import assets_dir, sessions_dir
from workbench.store import Library
from workbench.store.lock import FolderLock, FolderTaken, holder
from workbench.store.requests import LoadRequest
from workbench.worker.supervisor import Supervisor

__all__ = ["serve", "serving"]

FIRST_PORT = 7860
PORTS_TRIED = 20
UPLOAD_LIMIT = "20gb"  # of a packed session; facts have a smaller limit of their own
LOCK_NAME = "workbench.lock"
QUEUE_LOOK_EVERY = 0.5  # seconds


def serve(
    host: str = "127.0.0.1",
    port: int | None = None,
    sessions: str | Path | None = None,
    open_browser: bool = True,
) -> None:
    """Opens the workbench and works until it is interrupted.

    Args:
        host: address to listen on; the default lets only this machine in.
        port: port to listen on; None takes the first free one from 7860.
        sessions: folder of sessions; None takes `sessions_dir`.
        open_browser: whether to show the page in the browser.

    Raises:
        SessionError: the port is taken, or the folder cannot be used.
    """
    with serving(host, port, sessions) as ready:
        print(f"LocFT Workbench: {ready.url}  (Ctrl-C ends it)", flush=True)
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
        url: where the page is.
        closed: why the sessions are only shown, for people; empty when they can be worked on.
    """

    server: uvicorn.Server
    listener: socket.socket
    url: str
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
def serving(host: str, port: int | None, sessions: str | Path | None) -> Iterator[Ready]:
    """A server that is ready to run, with its worker started; both end with the block.

    Where another workbench has the sessions, they are only shown, and there is no worker.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)
    library = Library(Path(sessions) if sessions is not None else sessions_dir())
    listener = _listen(host, port)
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
        os.environ["GRADIO_TEMP_DIR"] = uploads
        application, changes = _application(library, host)
        config = uvicorn.Config(application, log_level="warning", access_log=False)
        server = _Server(config, changes)
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        url = f"http://{shown}:{listener.getsockname()[1]}/"
        yield Ready(server, listener, url, library.closed)


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


def _application(library: Library, host: str) -> tuple[FastAPI, Changes]:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    application = FastAPI(title="LocFT Workbench", docs_url=None, redoc_url=None, openapi_url=None)
    application.add_middleware(TrustedHostMiddleware, allowed_hosts=_names(host))
    changes = add_changes(application, library)
    add_still_progress(application)
    _add_downloads(application, library)
    add_fact_downloads(application, library)
    add_profile_downloads(application, library)
    add_report_downloads(application, library)
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
    return application, changes


def _rest_queue(blocks: gr.Blocks) -> None:
    """Lets Gradio's queue, into which it looks a thousand times a second, rest.

    Nothing of the page is queued (see `workbench.page.kit.page.QUIET`).
    """
    blocks._queue.sleep_when_free = QUEUE_LOOK_EVERY
    blocks._queue.progress_update_sleep_when_free = QUEUE_LOOK_EVERY


def _add_downloads(application: FastAPI, library: Library) -> None:
    @application.get("/patches/{session}/{run}")
    def download_patch(session: str, run: int) -> FileResponse:
        try:
            path = library.open(session).runs.patch_folder(run) / "patch.safetensors"
        except WorkbenchError as error:
            raise HTTPException(404, str(error)) from None
        if not path.is_file():
            raise HTTPException(404, f"Run {run} has no patch.")
        return FileResponse(path, filename=f"run-{run}.safetensors")

    @application.get("/sessions/{session}.zip")
    def download_session(session: str) -> FileResponse:
        packed = contextlib.ExitStack()
        try:
            name = library.open(session).settings.name
            path = packed.enter_context(library.packed(session))
        except WorkbenchError as error:
            raise HTTPException(404, str(error)) from None
        plain = re.sub(r"[^\w ()-]+", "_", name).strip() or "session"
        done = BackgroundTask(packed.close)
        return FileResponse(path, filename=f"{plain}.zip", background=done)


def _names(host: str) -> list[str]:
    """The names under which this machine may be asked for the page."""
    names = {"localhost", "127.0.0.1", "[::1]", host}
    if host in ("0.0.0.0", "::"):
        names |= {socket.gethostname(), socket.getfqdn()}
        for addresses in psutil.net_if_addrs().values():
            names |= {entry.address for entry in addresses if entry.family == socket.AF_INET}
    return sorted(names)


def _listen(host: str, port: int | None) -> socket.socket:
    """A listening socket on the port that was asked for, else on the first free one.

    Raises:
        SessionError: the port is taken, or the address is not this machine's.
    """
    ports = [port] if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    for candidate in ports:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(128)
        except OSError:
            listener.close()
        else:
            return listener
    tried = f"Port {port} on {host}" if port is not None else f"No port from {FIRST_PORT} on {host}"
    raise SessionError(
        f"{tried} can be used; another program may have it. Choose another with --port."
    )
