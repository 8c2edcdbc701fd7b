"""Evaluating, as the worker does it: everything that was measured is kept in the session.

The shares and rows are kept before health and capability are looked at, which take longer.
Imports the engine, so only the worker's process may import this module.
"""

from collections.abc import Callable
from typing import Any

import torch
import transformers

from workbench.facts.fact import Fact, facts_digest
from workbench.measure.capability import measure_capability
from workbench.measure.evaluate import evaluate
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.health import measure_health
from workbench.measure.report.contents import evaluation_part
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.store.fact_rows import FactRow
from workbench.worker.task import Countdown, Task

__all__ = ["measure"]


def measure(
    task: Task,
    model: LanguageModel,
    rows: list[FactRow],
    run: int | None,
    patch: Patch | None,
    settings: EvaluationSettings,
) -> int:
    """Measures the base, or a run, on facts, and keeps it.

    Args:
        task: the job.
        model: the base.
        rows: the facts.
        run: the run; None for the base alone.
        patch: its patch.
        settings: what is measured.

    Returns:
        The evaluation's number.

    Raises:
        Cancelled: the person asked for the end; what is whole by then is kept.
        WorkbenchError: it cannot be measured; the message says why.
    """
    facts = [row.fact for row in rows]
    found = evaluate(
        model,
        facts,
        patch,
        written=settings.written_of(len(facts)),
        seed=settings.seed,
        labels=_labels(task, rows, run),
        on_progress=_reporting(task, f"Evaluating on {len(rows)} facts"),
    )
    report = {
        "evaluation": evaluation_part(found),
        "facts": {"count": len(facts), "digest": facts_digest(facts)},
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }
    store = task.store
    number = store.evaluations.add(
        run, model.name, settings, report, found.rows, [row.id for row in rows]
    )
    if run is not None and found.after is not None:
        store.runs.set_metrics(run, found.as_dict())
        said = zip(rows, found.before.answers, found.after.answers, strict=True)
        answers = [
            (row.id, old, new) for row, old, new in said if old is not None and new is not None
        ]
        store.runs.set_answers(run, answers)
    _look_further(task, model, facts, patch, settings, number)
    return number


def _look_further(
    task: Task,
    model: LanguageModel,
    facts: list[Fact],
    patch: Patch | None,
    settings: EvaluationSettings,
    number: int,
) -> None:
    """Health and capability, each kept as soon as it is there."""
    if settings.health:
        health = measure_health(
            model,
            facts,
            patch,
            seed=settings.seed,
            on_progress=_reporting(task, "Looking at the writing"),
        )
        told = {**health.as_dict(), "sentence": health.sentence}
        task.store.evaluations.extend(number, "health", told)
    if settings.capability:
        tell = _reporting(task, "General capability")
        capability = measure_capability(
            model,
            settings.capability,
            patch,
            facts=facts,
            limit=settings.limit,
            network=settings.network,
            seed=settings.seed,
            on_progress=lambda done, steps, name: tell(done, steps),
        )
        task.store.evaluations.extend(number, "capability", capability.as_dict())


def _reporting(task: Task, line: str) -> Callable[[int, int], None]:
    countdown = Countdown()
    task.report(line, 0.0, now=True)

    def report(done: int, total: int) -> None:
        task.check()
        share = done / max(1, total)
        task.report(f"{line}{countdown.left(share)}", share)

    return report


def _labels(task: Task, rows: list[FactRow], run: int | None) -> dict[str, list[str | None]]:
    """What the session knows of the facts: their file, and when the run learned them."""
    sources = {row.id: row.source for row in task.store.facts}
    labels: dict[str, list[str | None]] = {"source": [sources.get(row.id) or None for row in rows]}
    learned: dict[int, Any] = {} if run is None else task.store.evaluations.learned_in(run)
    if learned:
        labels["learned in"] = [learned.get(row.id) for row in rows]
    return labels
