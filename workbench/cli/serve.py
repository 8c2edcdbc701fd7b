"""`workbench serve`: the page."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["serve"]


def serve(
    host: Annotated[
        str,
        typer.Option("--host", help="The address to listen on; 127.0.0.1 is this machine only."),
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option("--port", help="The port; empty: 7860, or the next free one.")
    ] = None,
    sessions: Annotated[
        Path | None, typer.Option("--sessions", metavar="DIR", help="Where sessions are kept.")
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")
    ] = True,
) -> None:
    """Open the workbench in a browser."""
    from workbench.page.app import serve as serve_page

    serve_page(host=host, port=port, sessions=sessions, open_browser=browser)
