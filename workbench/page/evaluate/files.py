"""An evaluation as a report to download: HTML, Markdown or JSON."""

from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response

from workbench.actions import command_line
from workbench.errors import WorkbenchError
from workbench.measure.report import FORMS, build_report
from workbench.model.choice import ModelChoice
from workbench.page.downloads import Number
from workbench.page.layers.sweep_card import recommended
from workbench.page.layers.sweep_fields import sweep_weights
from workbench.store import Library, Store
from workbench.store.evaluations import KeptEvaluation
from workbench.store.runs import Run

__all__ = ["add_report_downloads", "reason_for_location", "session_report"]

KINDS = {"html": "text/html", "md": "text/markdown", "json": "application/json"}


def add_report_downloads(application: FastAPI, library: Library) -> None:
    """Adds the address of the reports.

    Args:
        application: what serves the page.
        library: the sessions.
    """

    @application.get("/reports/{session}/{evaluation}.{form}")
    def download_report(session: str, evaluation: Number, form: str) -> Response:
        if form not in KINDS:
            raise HTTPException(404, f"There is no report as '{form}'.")
        try:
            store = library.open(session)
            kept = store.evaluations.get(evaluation)
            text = FORMS["." + form](session_report(store, kept))
        except WorkbenchError as error:
            raise HTTPException(404, str(error)) from None
        name = f"report-{'base' if kept.run is None else f'run-{kept.run}'}.{form}"
        return Response(
            text,
            media_type=f"{KINDS[form]}; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def session_report(store: Store, kept: KeptEvaluation) -> dict[str, Any]:
    """All that a session knows of an evaluation, its run, and its model's studies.

    Args:
        store: the session.
        kept: the evaluation.

    Raises:
        SessionError: the run is gone.
    """
    run = None
    if kept.run is not None:
        found = store.runs.get(kept.run)
        run = {
            "settings": found.settings.as_dict(),
            "why": reason_for_location(store, found),
            **found.outcome,
        }
    studies = [study for study in store.studies.all() if study.model == kept.model]
    newest = {study.result.settings.kind: study.record() for study in reversed(studies)}
    return build_report(
        evaluation=kept.report["evaluation"],
        facts=kept.report["facts"],
        model=kept.model,
        run=run,
        health=kept.report.get("health"),
        capability=kept.report.get("capability"),
        studies=[record for record in newest.values() if record["rows"]],
        versions=kept.report.get("versions"),
        command=command_line(
            "evaluate",
            kept.settings,
            model=_model_of(store, kept),
            patch="" if kept.run is None else f"run-{kept.run}",
        ),
        title=f"{store.settings.name}: {'base' if kept.run is None else f'run {kept.run}'}",
    )


def _model_of(store: Store, kept: KeptEvaluation) -> ModelChoice:
    """The model that was measured, and where it runs if it still is the session's."""
    choice = store.settings.model
    return choice if choice.name == kept.model else ModelChoice(kept.model)


def reason_for_location(store: Store, run: Run) -> str:
    """Why a run tuned where it did: a sweep before it said so, the preset did, or a person chose.

    Args:
        store: the session.
        run: one of its runs.
    """
    at, summary = run.at, store.settings.summary
    parts = []
    for sweep in store.profiles.sweeps(run.model):
        found = recommended(sweep, sweep_weights(store))
        if found is not None and (found.at,) == at and sweep.created < run.created:
            parts.append(f"Recommended by {sweep.name}: {found.reason}")
            break
    if summary is not None and summary.preset.at == at:
        parts.append(f"The preset '{summary.preset.name}': {summary.preset.source}.")
    return " ".join(parts) or "Chosen by hand."
