"""An evaluation and a stress as reports to download: HTML, Markdown or JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response

from workbench.actions import command_line
from workbench.errors import SessionError, WorkbenchError
from workbench.measure.report import FORMS, build_report
from workbench.measure.report.stress import STRESS_FORMS, build_stress_report
from workbench.measure.stress_settings import StressSettings
from workbench.model.choice import ModelChoice
from workbench.page.downloads import Number
from workbench.page.layers.sweep_card import recommended
from workbench.page.layers.sweep_fields import sweep_weights
from workbench.store import Library, Store
from workbench.store.evaluations import KeptEvaluation
from workbench.store.jobs import Job
from workbench.store.patch_header import read_patch_header
from workbench.store.requests import StressRequest
from workbench.store.runs import Run
from workbench.store.stresses import KeptStress

__all__ = ["add_report_downloads", "reason_for_location", "session_report", "stress_report"]

KINDS = {"html": "text/html", "md": "text/markdown", "json": "application/json"}


def add_report_downloads(application: FastAPI, library: Library) -> None:
    """Adds the addresses of the reports.

    Args:
        application: what serves the page.
        library: the sessions.
    """

    @application.get("/reports/{session}/{evaluation}.{form}")
    def download_report(session: str, evaluation: Number, form: str) -> Response:
        with _found(form):
            store = library.open(session)
            kept = store.evaluations.get(evaluation)
            text = FORMS["." + form](session_report(store, kept))
        return _file(text, f"report-{_what(kept.run)}", form)

    @application.get("/stresses/{session}/{job}.{form}")
    def download_stress(session: str, job: Number, form: str) -> Response:
        with _found(form):
            store = library.open(session)
            kept = store.jobs.get(job)
            text = STRESS_FORMS["." + form](stress_report(store, kept))
        return _file(text, f"stress-{_what(kept.params.get('run'))}", form)


@contextmanager
def _found(form: str) -> Iterator[None]:
    """Says that a report is not there where it cannot be made."""
    if form not in KINDS:
        raise HTTPException(404, f"There is no report as '{form}'.")
    try:
        yield
    except WorkbenchError as error:
        raise HTTPException(404, str(error)) from None


def _file(text: str, name: str, form: str) -> Response:
    return Response(
        text,
        media_type=f"{KINDS[form]}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.{form}"'},
    )


def _what(run: int | None) -> str:
    return "base" if run is None else f"run-{run}"


def stress_report(store: Store, job: Job) -> dict[str, Any]:
    """All that a session knows of a stress, and of its run while that is there.

    Args:
        store: the session.
        job: the one that stressed.

    Raises:
        WorkbenchError: it keeps no answers, or what it keeps cannot be read.
    """
    kept = KeptStress.of(job)
    asked = job.request
    assert isinstance(asked, StressRequest)
    stress = kept.stress
    return build_stress_report(
        stress.as_dict(),
        facts={"count": kept.facts.count, "digest": kept.facts.digest},
        command=command_line(
            "stress",
            StressSettings.from_dict(stress.settings),
            model=_model_of(store, stress.model),
            patch="" if asked.run is None else f"run-{asked.run}",
        ),
        versions=kept.versions,
        run=None if asked.run is None else _stressed_run(store, asked.run),
    )


def _stressed_run(store: Store, run: int) -> dict[str, Any] | None:
    """What a report says of a run; None when it is gone."""
    try:
        found = store.runs.get(run)
    except SessionError:
        return None
    header = read_patch_header(store.runs.patch_folder(run))
    created = {} if header is None else {"created": header.created}
    return {"settings": found.settings.as_dict(), "at": list(found.at), **created}


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
            model=_model_of(store, kept.model),
            patch="" if kept.run is None else f"run-{kept.run}",
        ),
        title=f"{store.settings.name}: {'base' if kept.run is None else f'run {kept.run}'}",
    )


def _model_of(store: Store, measured: str) -> ModelChoice:
    """The model that was measured, and where it runs if it still is the session's."""
    choice = store.settings.model
    return choice if choice.name == measured else ModelChoice(measured)


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
