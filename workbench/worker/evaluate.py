"""Evaluating, as the worker does it: everything that was measured is kept in the session.

The shares and rows are kept before health and capability are looked at, which take longer.
Imports the engine, so only the worker's process may import this module.
"""

from typing import Any

import torch
import transformers

from workbench.facts.fact import facts_digest
from workbench.measure.evaluation import Evaluation
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.measures import Part, PartBegun, part_as_dict, part_name
from workbench.measure.measuring import measuring
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.store.fact_rows import FactRow
from workbench.work.events import Event
from workbench.worker.task import Task

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
    keeper = _Keeper(task, model.name, rows, run, settings)
    work = measuring(
        model,
        [row.fact for row in rows],
        patch,
        settings,
        _labels(task, rows, run),
        stop=task.stop,
        on_part=keeper.keep,
    )

    def begin(event: Event) -> None:
        if isinstance(event, PartBegun):
            task.begin(event.line, 0.0)

    task.follow(work, begin)
    return keeper.number


class _Keeper:
    """Keeps each part of an evaluation in the session as soon as it is whole."""

    def __init__(
        self,
        task: Task,
        model: str,
        rows: list[FactRow],
        run: int | None,
        settings: EvaluationSettings,
    ) -> None:
        self.number = 0
        self._store, self._model, self._rows = task.store, model, rows
        self._run, self._settings = run, settings

    def keep(self, part: Part) -> None:
        """Keeps a part; the shares come first, and the others belong to them."""
        if isinstance(part, Evaluation):
            self._begin(part)
        else:
            self._store.evaluations.extend(self.number, part_name(part), part_as_dict(part))

    def _begin(self, found: Evaluation) -> None:
        store, rows, run = self._store, self._rows, self._run
        facts = [row.fact for row in rows]
        report = {
            part_name(found): part_as_dict(found),
            "facts": {"count": len(facts), "digest": facts_digest(facts)},
            "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        }
        self.number = store.evaluations.add(
            run, self._model, self._settings, report, found.rows, [row.id for row in rows]
        )
        if run is not None and found.after is not None:
            store.runs.set_metrics(run, found.as_dict())
            said = zip(rows, found.before.answers, found.after.answers, strict=True)
            answers = [
                (row.id, old, new) for row, old, new in said if old is not None and new is not None
            ]
            store.runs.set_answers(run, answers)


def _labels(task: Task, rows: list[FactRow], run: int | None) -> dict[str, list[str | None]]:
    """What the session knows of the facts: their file, and when the run learned them."""
    sources = {row.id: row.source for row in task.store.facts}
    labels: dict[str, list[str | None]] = {"source": [sources.get(row.id) or None for row in rows]}
    learned: dict[int, Any] = {} if run is None else task.store.evaluations.learned_in(run)
    if learned:
        labels["learned in"] = [learned.get(row.id) for row in rows]
    return labels
