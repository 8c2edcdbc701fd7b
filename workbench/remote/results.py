"""What came of a job, read from its session, as JSON-ready data."""

import math
from dataclasses import asdict
from typing import Any

from workbench.errors import SessionError
from workbench.search.recommend import recommend
from workbench.search.score import score_rows
from workbench.store.jobs import Job
from workbench.store.probes import Answered, ProbeRow
from workbench.store.requests import AskRequest
from workbench.store.runs import Run
from workbench.store.store import Store
from workbench.work.records import as_data

__all__ = ["job_record", "result_of", "run_record"]

MOST_MISSED = 50


def job_record(store: Store, job: Job) -> dict[str, Any]:
    """A job: how far it is, and what came of it once it is done.

    Of what is not there, as what was deleted since, only the job's own word is told.
    """
    result: dict[str, Any] = {}
    if job.state == "done":
        try:
            result = result_of(store, job)
        except SessionError:
            result = job.result
    return {
        "session": store.id,
        "job": job.id,
        "action": "probe" if job.kind == "ask" else job.kind,
        "state": job.state,
        "progress": job.progress,
        "line": job.line,
        "error": job.error,
        "result": _plain(result),
    }


def run_record(store: Store, run: Run) -> dict[str, Any]:
    """A run: how it was made, and what is known of it."""
    learned, known = store.runs.learned(run.id)
    return {
        "run": run.id,
        "state": run.state,
        "model": run.model,
        "method": run.method,
        "at": list(run.at),
        "facts": run.facts,
        "learned": learned if known else None,
        "shown": store.settings.shown_run == run.id,
        "settings": run.settings.as_dict(),
        "outcome": _plain(run.outcome),
        "metrics": _plain(run.metrics),
    }


def result_of(store: Store, job: Job) -> dict[str, Any]:
    """What a job that is done found or made.

    Raises:
        SessionError: it is not there.
    """
    if job.kind == "edit":
        return _edited(store, _made(job, "run"))
    if job.kind == "ask" and isinstance(job.request, AskRequest):
        probes = store.probes.among(list(job.request.probes))
        return {"probes": [_probe(row) for row in probes]}
    if job.kind == "rephrase":
        return {**job.result, "rephrased": as_data(store.rephrasings.all())}
    if job.kind == "sweep":
        return _swept(store, _made(job, "sweep"))
    if job.kind == "scan":
        kept = store.profiles.latest_scan(store.settings.model.name)
        if kept is not None and kept.id == job.result.get("scan"):
            return {"scan": kept.id, **kept.result.as_dict()}
    if job.kind == "evaluate":
        kept_evaluation = store.evaluations.get(_made(job, "evaluation"))
        return {"run": kept_evaluation.run, **kept_evaluation.report}
    if job.kind == "study":
        return next(
            (s.record() for s in store.studies.all() if s.id == job.result.get("study")), job.result
        )
    return job.result


def _made(job: Job, what: str) -> int:
    """The number of what a job made.

    Raises:
        SessionError: it does not say, as a session from elsewhere may have it.
    """
    number = job.result.get(what)
    if not isinstance(number, int):
        raise SessionError(f"Job {job.id} does not say which {what} it made.")
    return number


def _plain(value: Any) -> Any:
    """The same without numbers that JSON has no word for, such as the loss of a run gone astray."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _edited(store: Store, number: int) -> dict[str, Any]:
    missed = store.runs.outcomes(number, 0, MOST_MISSED, missed=True)
    run = store.runs.get(number)
    return run_record(store, run) | {
        "missed": [{"fact": one.fact, "prompt": one.prompt, "said": one.after} for one in missed],
        "patch": str(store.runs.patch_folder(number)),
    }


def _swept(store: Store, number: int) -> dict[str, Any]:
    sweep = store.profiles.get(number)
    weights = sweep.settings.score_weights
    found = recommend(sweep.rows, weights, halved=bool(sweep.plan.rungs))
    scores = score_rows(sweep.rows, weights) if sweep.rows else []
    return {
        "sweep": number,
        "recommendation": found.as_dict() if found is not None else None,
        "trials": [score.as_dict() for score in scores],
    }


def _probe(row: ProbeRow) -> dict[str, Any]:
    before, after = row.before, row.after if row.after is not None else row.before
    return {
        "prompt": row.prompt,
        "before": _said(before),
        "after": _said(after),
        "run": row.run,
    }


def _said(answer: Answered | None) -> dict[str, Any] | None:
    return asdict(answer) if answer is not None else None
