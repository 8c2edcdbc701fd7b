"""A run's patch and a whole session as files to download."""

import contextlib
import re
from typing import Annotated

from fastapi import FastAPI, HTTPException
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from workbench.errors import WorkbenchError
from workbench.store import Library

__all__ = ["Number", "add_downloads"]

Number = Annotated[int, InPath(ge=0, lt=2**63)]
"""The number of something that a session keeps, as an address names it; no larger one is kept."""


def add_downloads(application: FastAPI, library: Library) -> None:
    """Adds the addresses of the files.

    Args:
        application: what serves the page.
        library: the sessions.
    """

    @application.get("/patches/{session}/{run}")
    def download_patch(session: str, run: Number) -> FileResponse:
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
