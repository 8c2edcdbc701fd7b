"""Scans and sweeps as files to download: their numbers as CSV, their plots as HTML."""

import re
import tempfile
from pathlib import Path

import pandas as pd
from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from workbench.errors import WorkbenchError
from workbench.page.layers.heat_card import scan_figure
from workbench.page.layers.sweep_card import scored, sweep_figure
from workbench.page.layers.sweep_fields import sweep_weights
from workbench.plots.style import write_html
from workbench.store import Library, Store

__all__ = ["add_profile_downloads"]


def add_profile_downloads(application: FastAPI, library: Library) -> None:
    """Adds the addresses of the files.

    Args:
        application: what serves the page.
        library: the sessions.
    """

    @application.get("/profiles/{session}/{what}.csv")
    def download_numbers(session: str, what: str) -> Response:
        table, _ = _find(library, session, what)
        name = {"Content-Disposition": f'attachment; filename="{what}.csv"'}
        return Response(table.to_csv(index=False), media_type="text/csv", headers=name)

    @application.get("/profiles/{session}/{what}.html")
    def download_plot(session: str, what: str) -> FileResponse:
        _, figure = _find(library, session, what)
        with tempfile.NamedTemporaryFile(suffix=".html", delete=False) as file:
            path = Path(file.name)
        write_html(path, [figure], what)
        return FileResponse(
            path,
            filename=f"{what}.html",
            media_type="text/html",
            background=BackgroundTask(path.unlink),
        )


def _find(library: Library, session: str, what: str) -> tuple[pd.DataFrame, object]:
    """The numbers and the figure of ``scan`` or ``sweep-3``.

    Raises:
        HTTPException: there is no such thing.
    """
    try:
        found = _scan(library.open(session)) if what == "scan" else None
        kind, _, number = what.partition("-")
        if kind == "sweep" and re.fullmatch("[0-9]{1,18}", number):
            found = _sweep(library.open(session), int(number))
    except WorkbenchError as error:
        raise HTTPException(404, str(error)) from None
    if found is None:
        raise HTTPException(404, f"There is no {what} here.")
    return found


def _scan(store: Store) -> tuple[pd.DataFrame, object] | None:
    kept = store.profiles.latest_scan(store.settings.model.name)
    return None if kept is None else (pd.DataFrame(kept.result.rows), scan_figure(store))


def _sweep(store: Store, number: int) -> tuple[pd.DataFrame, object] | None:
    kept = store.profiles.get(number)
    if not kept.rows:
        return None
    return scored(kept, sweep_weights(store)), sweep_figure(store, [kept])
