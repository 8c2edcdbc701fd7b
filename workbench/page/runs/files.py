"""The runs of a session as a table to download."""

import csv
import io
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response

from workbench.errors import WorkbenchError
from workbench.store import Library, Store

__all__ = ["add_run_downloads", "runs_csv"]


def add_run_downloads(application: FastAPI, library: Library) -> None:
    """Adds the address of the table.

    Args:
        application: what serves the page.
        library: the sessions.
    """

    @application.get("/runs/{session}.csv")
    def download_runs(session: str) -> Response:
        try:
            text = runs_csv(library.open(session))
        except WorkbenchError as error:
            raise HTTPException(404, str(error)) from None
        name = {"Content-Disposition": 'attachment; filename="runs.csv"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=name)


def runs_csv(store: Store) -> str:
    """Every run in a row: what it is, its settings, how it ended, its measures after the edit.

    Args:
        store: the session.
    """
    names = store.settings.run_names
    rows: list[dict[str, Any]] = []
    for run in reversed(store.runs.all()):
        losses = store.runs.losses(run)
        row: dict[str, Any] = {
            "run": run.id,
            "name": names.get(run.id, ""),
            "state": run.state,
            "model": run.model,
            "method": run.method,
            "at": run.at,
            "facts": run.facts,
            "epochs": run.outcome.get("epochs", len(losses)),
            "seconds": run.outcome.get("seconds", ""),
            "loss": losses[-1] if losses else "",
        }
        after = run.metrics.get("after") or {}
        settings = run.settings.as_dict().items()
        row |= {f"setting.{name}": value for name, value in settings}
        row |= after
        rows.append({_cell(name): _cell(value) for name, value in row.items()})
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or ["run"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """A value as it stands in a table, for whose program no text of it is a formula."""
    if isinstance(value, list | tuple):
        value = ",".join(str(part) for part in value)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@")):
        return f"'{value}"
    return "" if value is None else value
