"""Facts and reports of imports as files to download, written piece by piece."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from workbench.errors import WorkbenchError
from workbench.facts import report_csv, write_facts
from workbench.facts.write import Schema
from workbench.page.downloads import Number
from workbench.store import Library
from workbench.store.found import found_facts
from workbench.store.imports import ImportTable

__all__ = ["FACT_FILES", "add_fact_downloads"]

FACT_FILES: dict[str, tuple[str, Schema, str]] = {
    "csv": ("facts.csv", "own", "text/csv"),
    "jsonl": ("facts.jsonl", "own", "application/jsonl"),
    "counterfact": ("counterfact.json", "counterfact", "application/json"),
}
"""The kinds of files that facts are written to: name, schema, media type."""

_AT_ONCE = 5000


def add_fact_downloads(application: FastAPI, library: Library) -> None:
    """Adds the addresses of the files.

    Args:
        application: what serves the page.
        library: the sessions.
    """

    @application.get("/facts/{session}.{kind}")
    def download_facts(
        session: str, kind: str, show: str = "ticked", search: str = ""
    ) -> FileResponse:
        if kind not in FACT_FILES:
            raise HTTPException(404, f"Facts are written as {', '.join(FACT_FILES)}.")
        name, schema, media = FACT_FILES[kind]
        with tempfile.NamedTemporaryFile(suffix=Path(name).suffix, delete=False) as file:
            path = Path(file.name)
        try:
            store = library.open(session)
            found = found_facts(search, show, store.settings.shown_run)
            write_facts(store.facts.one_by_one(found), path, schema)
        except WorkbenchError as error:
            path.unlink()
            raise HTTPException(404, str(error)) from None
        done = BackgroundTask(path.unlink)
        return FileResponse(path, filename=name, media_type=media, background=done)

    @application.get("/imports/{session}/{number}.csv")
    def download_report(session: str, number: Number) -> StreamingResponse:
        try:
            imports = library.open(session).imports
            imports.get(number)
        except WorkbenchError as error:
            raise HTTPException(404, str(error)) from None
        name = {"Content-Disposition": f'attachment; filename="import-{number}.csv"'}
        return StreamingResponse(_report(imports, number), media_type="text/csv", headers=name)


def _report(imports: ImportTable, number: int) -> Iterator[str]:
    """The table of an import's problems, with one header."""
    yield report_csv([])
    header = len(report_csv([]))
    offset = 0
    while problems := imports.problems(number, offset, _AT_ONCE):
        yield report_csv(problems)[header:]
        offset += len(problems)
