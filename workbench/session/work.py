"""The kinds of work that the worker can do with the model in its memory.

Invariant: between two jobs the model is the untouched base of some session. Imports the engine,
so only the worker's process may import this module. Knows nothing about processes or the page.
"""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.engine.language_model import LanguageModel
from workbench.engine.models import load_model
from workbench.engine.patch import Patch
from workbench.engine.probe import Answer, probe
from workbench.recipe.errors import SessionError
from workbench.session.edit_work import edit_facts, kept_facts, measure_run
from workbench.session.probes import Answered
from workbench.session.settings import ModelChoice
from workbench.session.task import Task

__all__ = ["Workshop"]


class Workshop:
    """Does jobs, and keeps the model that the last one used."""

    def __init__(self) -> None:
        self._model: LanguageModel | None = None
        self._kinds: dict[str, Callable[[Task], dict[str, Any]]] = {
            "load": self._load,
            "ask": self._ask,
            "edit": self._edit,
            "evaluate": self._evaluate,
            "export": self._export,
        }
        self.choice: ModelChoice | None = None

    def do(self, task: Task) -> dict[str, Any]:
        """Does a task; returns its result.

        Raises:
            Cancelled: the person asked for its end.
            WorkbenchError: it cannot be done; the message says why.
        """
        task.check()
        return self._kinds[task.job.kind](task)

    def model(self, task: Task) -> LanguageModel:
        """The model of the task's session, loaded now when another one was in memory."""
        wanted = task.store.settings.model
        if self._model is None or self.choice != wanted:
            self._model, self.choice = None, None
            gc.collect()  # two models must never be in memory at once
            task.report(f"Loading {wanted.name}", now=True)
            self._model = load_model(wanted.name, device=wanted.device, dtype=wanted.dtype)
            self.choice = wanted
            task.check()
        summary = self._model.summary()
        if task.store.settings.summary != summary:
            task.store.settings.set("summary", summary)
        return self._model

    def _load(self, task: Task) -> dict[str, Any]:
        self.model(task)
        return {}

    def _ask(self, task: Task) -> dict[str, Any]:
        row = task.store.probes.get(task.job.params["probe"])
        if row is None:
            return {}
        model = self.model(task)
        run = task.store.settings.shown_run
        patch = None if run is None else _patch(task, run)
        task.report("Asking the model", now=True)
        found = probe(model, [row.prompt], patch, chat=row.chat)[0]
        task.store.probes.set_answers(
            row.id, model.name, run, _answered(found.before), _answered_or_none(found.after)
        )
        return {}

    def _edit(self, task: Task) -> dict[str, Any]:
        return edit_facts(task, self.model(task))

    def _evaluate(self, task: Task) -> dict[str, Any]:
        run = task.job.params["run"]
        model, patch = self.model(task), _patch(task, run)
        measure_run(task, model, run, kept_facts(task.store, run), patch)
        return {"run": run}

    def _export(self, task: Task) -> dict[str, Any]:
        run, folder = task.job.params["run"], Path(task.job.params["folder"]).expanduser()
        model, patch = self.model(task), _patch(task, run)
        task.report(f"Writing the full model to {folder}", now=True)
        patch.export(model, folder)
        return {"folder": str(folder)}


def _patch(task: Task, run: int) -> Patch:
    if task.store.runs.get(run).state != "done":
        raise SessionError(f"Run {run} has no patch yet. Let it finish first.")
    return Patch.load(task.store.runs.patch_folder(run))


def _answered(answer: Answer) -> Answered:
    return Answered(answer.text, answer.top)


def _answered_or_none(answer: Answer | None) -> Answered | None:
    return None if answer is None else _answered(answer)
