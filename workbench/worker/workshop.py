"""The kinds of work that the worker can do with the model in its memory.

Invariant: between two jobs the model is the untouched base of some session. Imports the engine,
so only the worker's process may import this module. Knows nothing about processes or the page.
"""

import contextlib
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

from workbench.errors import SessionError
from workbench.facts.fact import Fact
from workbench.model.base_files import base_path
from workbench.model.devices import choose_device, device_count
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.memory import free_memory, release_cache
from workbench.model.patch import Patch
from workbench.ship.export import shipping
from workbench.ship.run_lines import run_lines
from workbench.ship.told import result_lines
from workbench.store.amounts import COUNTED
from workbench.store.fact_rows import FactRow
from workbench.store.requests import (
    AskRequest,
    EvaluateRequest,
    ExportRequest,
    FillRequest,
    FirstBatchRequest,
    RippleRequest,
    StressRequest,
    TalkRequest,
)
from workbench.store.settings import ModelChoice
from workbench.store.store import Store
from workbench.work.files import replacing
from workbench.work.stop import Stop
from workbench.work.words import one_line
from workbench.worker.ask import answer_probes
from workbench.worker.ask_facts import fill_old_answers
from workbench.worker.edit import edit_facts
from workbench.worker.estimate import estimate_next_run, estimate_next_scan
from workbench.worker.evaluate import measure
from workbench.worker.kept_facts import kept_facts
from workbench.worker.layers import scan_layers, sweep_layers
from workbench.worker.lengths import LengthKeeper
from workbench.worker.look import find_ripple, first_batch, look_inside
from workbench.worker.patches import Patches
from workbench.worker.rephrase import rephrase_facts
from workbench.worker.sharing import edit_shared, is_shared
from workbench.worker.stress import stress_run
from workbench.worker.study import run_study
from workbench.worker.talk import answer_talk
from workbench.worker.task import Task

__all__ = ["MemoryNow", "Workshop"]


class MemoryNow(TypedDict):
    """Memory as `WorkerStatus` tells it."""

    device: str
    free: int
    held: int
    held_on: str
    devices: int


class Workshop:
    """Does jobs, and keeps the model that the last one used."""

    def __init__(self) -> None:
        self._model: LanguageModel | None = None
        self._patches = Patches()
        self._lengths = LengthKeeper()
        self._kinds: dict[str, Callable[[Task], dict[str, Any]]] = {
            "load": self._load,
            "ask": self._ask,
            "look": self._look,
            "rephrase": lambda task: rephrase_facts(task, self.model(task)),
            "scan": lambda task: scan_layers(task, self.model(task)),
            "sweep": lambda task: sweep_layers(task, self.model(task)),
            "edit": self._edit,
            "evaluate": self._evaluate,
            "stress": self._stress,
            "study": lambda task: run_study(task, self.model(task)),
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
        work, request = self._kinds[task.job.kind], task.job.request
        if not isinstance(request, COUNTED):
            return work(task)
        self.model(task)  # what loading takes is none of it
        with task.timed(request):
            return work(task)

    def use_idle_time(self, store: Store, stop: Stop) -> None:
        """Prepares what the session may ask for next, as long as nothing waits.

        Args:
            store: the session opened last.
            stop: the wish to give way, because something waits.
        """
        settings = store.settings
        if (
            self._model is not None
            and self.choice == settings.model
            and settings.model_is_confirmed
        ):
            estimate_next_run(store, self._model, stop)
            estimate_next_scan(store, self._model, stop)
            self._lengths.measure(store, self._model, stop)

    def memory(self) -> MemoryNow:
        """What the machine's best device has free, and what the model in memory takes."""
        device, model = choose_device(None), self._model
        return MemoryNow(
            device=str(device),
            free=free_memory(device),
            held=model.held_bytes if model is not None else 0,
            held_on=str(model.device) if model is not None else "",
            devices=device_count(),
        )

    def model(self, task: Task) -> LanguageModel:
        """The model of the task's session, loaded now when another one was in memory.

        Raises:
            SessionError: the session came from elsewhere, and nobody here confirmed its model.
            ModelError: see `load_model`.
        """
        wanted = task.store.settings.model
        if not task.store.settings.model_is_confirmed:
            raise SessionError(
                f"This session came from elsewhere and names the model '{one_line(wanted.name)}'. "
                "Load it under Model in the sidebar, or choose another one there."
            )
        if self._model is None or self.choice != wanted:
            self._model, self.choice = None, None
            gc.collect()  # two models must never be in memory at once
            task.report(f"Loading {wanted.name}", now=True)
            self._model = load_model(
                wanted.name,
                device=wanted.device,
                dtype=wanted.dtype,
                trust_remote_code=wanted.trust_remote_code,
                memory=wanted.memory,
            )
            self.choice = wanted
            task.check()
        summary = self._model.summary()
        if task.store.settings.summary != summary:
            task.store.settings.keep_summary(summary)
        return self._model

    def _let_go(self) -> None:
        """Gives the model's memory back."""
        if self._model is not None:
            device = self._model.device
            self._model, self.choice = None, None
            gc.collect()
            release_cache(device)

    def _load(self, task: Task) -> dict[str, Any]:
        self.model(task)
        return {}

    def _ask(self, task: Task) -> dict[str, Any]:
        if isinstance(task.job.request, FillRequest):
            return fill_old_answers(task, self.model(task))
        if isinstance(task.job.request, TalkRequest):
            talked = task.request(TalkRequest)
            talk, model = task.store.talks.get(talked.talk), self.model(task)
            if talk.model == model.name:
                answer_talk(task, model, talk, self._patches, talked.settings)
            return {}
        request = task.request(AskRequest)
        rows = task.store.probes.among(list(request.probes))
        model = self.model(task)
        runs = (task.store.settings.before_run, task.store.settings.shown_run)
        task.report("Asking the model", now=True)
        answer_probes(task, model, rows, runs, self._patches, request.settings)
        return {}

    def _look(self, task: Task) -> dict[str, Any]:
        model = self.model(task)
        if isinstance(task.job.request, FirstBatchRequest):
            return first_batch(task, model)
        if isinstance(task.job.request, RippleRequest):
            asked = task.request(RippleRequest)
            rows, patch = self._of(task, asked.run)
            return find_ripple(task, model, rows, patch, asked.run)
        return look_inside(task, model, self._patches)

    def _edit(self, task: Task) -> dict[str, Any]:
        if is_shared(task):
            return edit_shared(task, lambda: self.model(task), self._let_go, self._patches)
        return edit_facts(task, self.model(task), self._patches)

    def _evaluate(self, task: Task) -> dict[str, Any]:
        asked = task.request(EvaluateRequest)
        run, settings, model = asked.run, asked.settings, self.model(task)
        rows, patch = self._of(task, run)
        return {"run": run, "evaluation": measure(task, model, rows, run, patch, settings)}

    def _stress(self, task: Task) -> dict[str, Any]:
        asked = task.request(StressRequest)
        model = self.model(task)
        rows, patch = self._of(task, asked.run)
        return {"run": asked.run, **stress_run(task, model, rows, patch, asked.settings)}

    def _of(self, task: Task, run: int | None) -> tuple[list[FactRow], Patch | None]:
        """A run's facts and its patch; those that are ticked, and none, for the base alone."""
        if run is None:
            return task.facts(), None
        return kept_facts(task.store, run), self._patches.of(task.store, run)

    def _export(self, task: Task) -> dict[str, Any]:
        asked = task.request(ExportRequest)
        out = Path(asked.folder).expanduser()
        model, patch = self.model(task), self._patches.of(task.store, asked.run)
        task.report(f"Writing to {out}", now=True)
        facts: list[Fact] = []
        with contextlib.suppress(SessionError):  # of a run that kept none, others are asked
            facts = [row.fact for row in kept_facts(task.store, asked.run)]
        try:
            with replacing(out) if asked.replaces else contextlib.nullcontext():
                work = shipping(model, patch, out, facts, asked.settings, task.stop)
                done = task.follow(work)
        finally:
            if not model.is_whole:
                self._model, self.choice = None, None
        rank = int(done.told.get("rank", 0))
        return {
            "folder": str(out),
            "checked": done.checked,
            "form": done.form,
            "lines": result_lines(done),
            "run": run_lines(done.form, str(out), base_path(model), rank=rank),
        }
