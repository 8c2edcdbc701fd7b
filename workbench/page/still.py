"""Keeps Gradio's progress from counting when nobody sees it.

Each place where Gradio shows progress counts the seconds it waits, in every frame; that of the
loading screen goes on for ever, because it is taken from the page while it counts. The page shows
no such seconds, so its script gets no frames. With a Gradio in which that script has another name
or asks for frames in another way, the page works the same and is only busier.
"""

from pathlib import Path

import gradio as gr
from fastapi import FastAPI, HTTPException
from fastapi.responses import Response

__all__ = ["add_still_progress"]

ASSETS = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
FRAMES = "window.requestAnimationFrame"
NO_FRAMES = "(() => 0)"
CACHED = {"Cache-Control": "max-age=86400"}  # the script's name is another one for another text


def add_still_progress(application: FastAPI) -> None:
    """Answers for the script of Gradio's progress, before Gradio does.

    Args:
        application: the server.
    """

    @application.get("/assets/statustracker-{version}.js")
    def still_progress(version: str) -> Response:
        try:
            path = ASSETS / f"statustracker-{version}.js"
            script = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            raise HTTPException(404, "There is no such script.") from None
        return Response(script.replace(FRAMES, NO_FRAMES), 200, CACHED, "text/javascript")
