"""Editing, as the worker does it: runs `Edit`, and keeps all that it says in the session.

Invariant: what the page was told stays true when the process dies at any moment: facts are kept
with the run before its first step, a checkpoint every so often, the patch before anything is
measured on it. Imports the engine, so only the worker's process may import this module.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from workbench.errors import ModelError, SessionError
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.probe import probe
from workbench.methods.base import Method, MethodRun, find_method
from workbench.methods.edit import EditResult, editing, left_by
from workbench.methods.events import BatchDone, EpochDone, Finished, Started, Stopped
from workbench.methods.onto import start_run
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.states_store import StatesStore
from workbench.store.facts import FactRow
from workbench.store.kept_states import STATES_LIMIT, states_folder
from workbench.store.probes import Answered
from workbench.store.requests import EditRequest, EvaluateRequest, ResumeRequest
from workbench.work.events import Event, Work, mapped
from workbench.work.records import as_data
from workbench.worker.ask import answer_probes, answered
from workbench.worker.evaluate import measure
from workbench.worker.kept_facts import keep_facts
from workbench.worker.onto import basis_again, basis_of
from workbench.worker.patches import Patches
from workbench.worker.task import Cancelled, Task

__all__ = ["EventKeeper", "edit_facts", "keep_result", "measure_result", "prepare"]

FLUSH_EVERY = 0.15  # seconds between two writes of events
FIRST_ANSWERS = 50  # with more facts than this, the first are answered before all are evaluated
CHECKPOINT_SHARE = 0.1  # of a run's time that saving checkpoints may take


def edit_facts(task: Task, model: LanguageModel, patches: Patches) -> dict[str, Any]:
    """Compiles the session's enabled facts into a patch, or lets an earlier run go on.

    Args:
        task: the job.
        model: the base.
        patches: where the new patch is kept.

    Returns:
        The number of the run.

    Raises:
        Cancelled: the person asked for the end; the run can be resumed.
        WorkbenchError: the run cannot be made; the message says why.
    """
    asked = task.job.request
    if isinstance(asked, ResumeRequest) and asked.keep:
        return _keep_run(task, model, patches, asked.resume)
    number, rows, run = prepare(task, model, patches)
    keeper = _Keeper(task, model, number, run)
    task.begin(f"Preparing {len(rows)} facts")
    result = task.follow(_said(editing(run), task), keeper.take)
    keeper.flush()
    if result is None:
        raise Cancelled
    _finish(task, model, patches, number, rows, result)
    return {"run": number}


def _keep_run(task: Task, model: LanguageModel, patches: Patches, number: int) -> dict[str, Any]:
    """Makes a patch of what a run that was stopped came to.

    Raises:
        WorkbenchError: it cannot be read; the run can still go on then.
    """
    runs = task.store.runs
    if runs.get(number).state == "done":
        return {"run": number}  # it came to its end before it could be stopped
    if not runs.checkpoint(number).exists():
        raise SessionError(f"Run {number} left nothing to keep. Let it go on, or start another.")
    task.begin(f"Keeping what run {number} came to")
    rows, run = _made_again(task, model, patches, number)
    result = left_by(run, _ended(task, number, run.plan().resumed_epoch))
    runs.again(number, task.job.id)
    _finish(task, model, patches, number, rows, result)
    return {"run": number}


def _ended(task: Task, run: int, epochs: int) -> Finished:
    """How a run ended that was stopped after some epochs, as far as its record tells."""
    runs = task.store.runs
    # A run that goes on after a crash does some epochs again.
    done = {found.epoch: found for found in runs.events(run, EpochDone) if found.epoch <= epochs}
    steps = {found.step: found for found in runs.events(run, BatchDone)}
    return Finished(
        reason="enough",
        epochs=epochs,
        steps=sum(not found.skipped for found in steps.values()),
        seconds=max((found.seconds for found in done.values()), default=0.0),
        losses=tuple(done[epoch].loss for epoch in sorted(done)),
    )


def _finish(
    task: Task,
    model: LanguageModel,
    patches: Patches,
    number: int,
    rows: list[FactRow],
    result: EditResult,
) -> None:
    """Keeps what a run leaves, shows it, and measures it."""
    keep_result(task, patches, number, rows, result)
    measure_result(task, model, patches, number, rows, result.patch)


def keep_result(
    task: Task, patches: Patches, number: int, rows: list[FactRow], result: EditResult
) -> None:
    """Keeps what a run leaves, which is done then, and shows it.

    Args:
        task: the job.
        patches: where the new patch is kept.
        number: of the run.
        rows: its facts.
        result: what it came to.

    Raises:
        PatchError: the patch cannot be written.
    """
    result.patch.save(task.store.runs.patch_folder(number))
    ids = [row.id for row in rows]
    task.store.runs.set_learned(number, zip(ids, result.learned, strict=True))
    if result.learned_in is not None:
        epochs = zip(ids, result.learned_in, strict=True)
        task.store.evaluations.set_learned_in(number, epochs)
    task.store.runs.end(number, "done", as_data(result.finished))
    patches.keep(task.store, number, result.patch)
    task.store.settings.set("shown_run", number)


def measure_result(
    task: Task,
    model: LanguageModel,
    patches: Patches,
    number: int,
    rows: list[FactRow],
    patch: Patch,
) -> None:
    """Asks and measures a run that is done.

    Args:
        task: the job.
        model: the base.
        patches: of the session's runs.
        number: of the run.
        rows: its facts.
        patch: what it left.
    """
    _answer_pinned_again(task, model, number, patches)
    _measure_run(task, model, number, rows, patch)


def _said(work: Work[EditResult | None], task: Task) -> Work[EditResult | None]:
    """The same work, with a word on what goes on after its last event, and on every step."""
    steps = 0

    def look(event: Event) -> Event:
        nonlocal steps
        if isinstance(event, Started):
            steps = event.steps
        elif isinstance(event, BatchDone) and event.step < steps:
            task.tick(event.step / steps)
        elif isinstance(event, Finished):
            task.report("Checking which facts were learned", now=True)
        return event

    return mapped(work, look)


def _answer_pinned_again(task: Task, model: LanguageModel, run: int, patches: Patches) -> None:
    """The pinned prompts, before and after the run that is shown from now on."""
    pinned = task.store.probes.pinned()
    if pinned:
        task.report("Asking the pinned prompts", now=True)
        with contextlib.suppress(ModelError):
            settings = task.store.settings
            runs = (settings.before_run, run)
            answer_probes(task, model, pinned, runs, patches, settings.of("probe"))


def prepare(
    task: Task, model: LanguageModel, patches: Patches
) -> tuple[int, list[FactRow], MethodRun]:
    """The run to work on: its number, its facts, and what makes it."""
    asked = task.job.request
    if isinstance(asked, ResumeRequest):
        return _resumed(task, model, patches, asked.resume)
    request = task.request(EditRequest)
    basis = basis_of(task.store, model.name, patches, request, task.facts())
    method = find_method(request.method)
    settings = method.settings.from_dict(request.settings)
    known = _known(task, method)
    run = start_run(method, model, basis.facts, settings, basis.onto, stop=task.stop, **known)
    runs = task.store.runs
    number = runs.begin(
        task.job.id,
        model.name,
        run.settings,
        basis.rows,
        method=method.key,
        at=run.plan().at,
        onto=basis.record,
    )
    keep_facts(task.store, number, basis.rows)
    return number, basis.rows, run


def _resumed(
    task: Task, model: LanguageModel, patches: Patches, earlier: int
) -> tuple[int, list[FactRow], MethodRun]:
    rows, run = _made_again(task, model, patches, earlier)
    task.store.runs.again(earlier, task.job.id)
    return earlier, rows, run


def _made_again(
    task: Task, model: LanguageModel, patches: Patches, earlier: int
) -> tuple[list[FactRow], MethodRun]:
    """The facts of a run that ended early, and the run where it was."""
    store = task.store
    found = store.runs.get(earlier)
    if found.model != model.name:
        raise SessionError(
            f"Run {earlier} edits {found.model}, but the session's model is {model.name} "
            "now. Choose that model again to let the run go on."
        )
    basis, checkpoint = basis_again(store, patches, found), store.runs.checkpoint(earlier)
    method = find_method(found.method)
    run = start_run(
        method,
        model,
        basis.facts,
        found.settings,
        basis.onto,
        stop=task.stop,
        checkpoint=checkpoint if checkpoint.exists() else None,
        **_known(task, method),
    )
    return basis.rows, run


def _known(task: Task, method: Method) -> dict[str, Any]:
    """What a method is spared: states that the session has kept are not computed again."""
    if not method.keeps:
        return {}
    return {"store": StatesStore(states_folder(task.store.folder), STATES_LIMIT)}


class EventKeeper:
    """Keeps what one run says in its record.

    Args:
        task: the job.
        number: of the run.
        epochs: that it has done before.
    """

    def __init__(self, task: Task, number: int, epochs: int = 0) -> None:
        self._task, self._number, self._epochs = task, number, epochs
        self._waiting: list[Event] = []
        self._flushed_at = time.monotonic()

    def take(self, event: Event) -> None:
        """Keeps an event; the run goes on when this returns."""
        self._waiting.append(event)
        if isinstance(event, EpochDone):
            self._epochs = event.epoch
        if time.monotonic() - self._flushed_at >= FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        """Writes the events that wait."""
        if self._waiting:
            self._task.store.runs.add_events(self._number, self._waiting)
            self._waiting = []
        self._flushed_at = time.monotonic()

    def end(self) -> None:
        """The run ended early, and can go on."""
        self._task.store.runs.end(self._number, "stopped", {"epochs": self._epochs})


class _Keeper(EventKeeper):
    """Also answers pinned prompts meanwhile, and saves checkpoints."""

    def __init__(self, task: Task, model: LanguageModel, number: int, run: MethodRun) -> None:
        super().__init__(task, number)
        self._model, self._run = model, run
        self._checkpoint = _Share(self._save_checkpoint)

    def take(self, event: Event) -> None:
        """Keeps an event; the run goes on when this returns."""
        if isinstance(event, Started):
            self._answer_pinned(event.resumed_epoch)
        elif isinstance(event, EpochDone):
            self._answer_pinned(event.epoch)
            self._checkpoint.maybe()
        elif isinstance(event, Stopped):
            self._save_checkpoint()
            self._epochs = event.epoch
            self.end()
        super().take(event)

    def _answer_pinned(self, epoch: int) -> None:
        """Answers the pinned prompts with the weights so far, unless the run is to end.

        A prompt that this model cannot be asked must not end the run.
        """
        pinned = self._task.store.probes.pinned()
        said: list[tuple[int, Answered]] = []
        for chat in (False, True):
            some = [row for row in pinned if row.chat == chat]
            with contextlib.suppress(Cancelled, ModelError), self._run.applied():
                found = generate(
                    self._model,
                    [row.prompt for row in some],
                    chat=chat,
                    cancel=self._task.stop,
                    **self._task.store.settings.of("probe").decoding,
                )
                said += [(row.id, answered(a)) for row, a in zip(some, found, strict=True)]
        if said:
            self._task.store.probes.add_pinned_answers(self._number, epoch, said)

    def _save_checkpoint(self) -> None:
        if self._run.can_resume:
            self._run.save_checkpoint(self._task.store.runs.checkpoint(self._number))


class _Share:
    """Does something beside the run, but only for a small share of the time."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._spent = 0.0
        self._since = time.monotonic()

    def maybe(self) -> None:
        """Does it, unless it has had its share."""
        before = time.monotonic()
        if self._spent <= CHECKPOINT_SHARE * (before - self._since):
            self._action()
            self._spent += time.monotonic() - before


def _measure_run(
    task: Task, model: LanguageModel, run: int, rows: list[FactRow], patch: Patch
) -> None:
    """Answers some facts before and after, then measures the run by every protocol."""
    if len(rows) > FIRST_ANSWERS:
        first = rows[:FIRST_ANSWERS]
        task.report("Asking the first facts before and after", now=True)
        prompts = [row.fact.prompt for row in first]
        probes = probe(model, prompts, patch, stop="sentence", cancel=task.stop)
        before = [found.before.text for found in probes]
        after = [found.after.text for found in probes if found.after is not None]
        _keep_answers(task, run, first, before, after)

    settings = EvaluationSettings()
    with task.timed(EvaluateRequest(run, settings)):
        measure(task, model, rows, run, patch, settings)


def _keep_answers(
    task: Task, run: int, rows: list[FactRow], before: Sequence[str], after: Sequence[str]
) -> None:
    ids = [row.id for row in rows]
    task.store.runs.set_answers(run, zip(ids, before, after, strict=True))
