"""Editing, as the worker does it: runs `Edit`, and keeps all that it says in the session.

Invariant: what the page was told stays true when the process dies at any moment: facts are kept
with the run before its first step, a checkpoint every so often, the patch before anything is
measured on it. Imports the engine, so only the worker's process may import this module.
"""

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from workbench.errors import ModelError, SessionError
from workbench.facts import Fact, Question
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.probe import probe
from workbench.methods import events
from workbench.methods.locft_bf import Edit
from workbench.methods.locft_settings import EditSettings
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.store.database import to_json
from workbench.store.facts import FactRow
from workbench.store.probes import Answered
from workbench.store.store import Store
from workbench.work.events import Event
from workbench.worker.ask import answer_probes, answered
from workbench.worker.evaluate import measure
from workbench.worker.patches import Patches
from workbench.worker.task import Cancelled, Countdown, Task, time_left

__all__ = ["edit_facts", "kept_facts"]

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
    run, rows, edit = _prepare(task, model)
    keeper = _Keeper(task, model, run, edit, len(rows))
    for event in edit.events():
        keeper.take(event)
    keeper.flush()
    finished = keeper.finished
    if finished is None:
        raise Cancelled
    task.report("Checking which facts were learned", now=True)
    learned = edit.learned()
    patch = edit.patch({"reliability_strict": sum(learned) / len(learned)})
    patch.save(task.store.runs.patch_folder(run))
    ids = [row.id for row in rows]
    task.store.runs.set_learned(run, zip(ids, learned, strict=True))
    epochs = edit.learned_in()
    if epochs is not None:
        task.store.evaluations.set_learned_in(run, zip(ids, epochs, strict=True))
    task.store.runs.end(run, "done", asdict(finished))
    patches.keep(task.store, run, patch)
    task.store.settings.set("shown_run", run)
    _answer_pinned_again(task, model, run, patches)
    _measure_run(task, model, run, rows, patch)
    return {"run": run}


def _answer_pinned_again(task: Task, model: LanguageModel, run: int, patches: Patches) -> None:
    """The pinned prompts, before and after the run that is shown from now on."""
    pinned = task.store.probes.pinned()
    if pinned:
        task.report("Asking the pinned prompts", now=True)
        with contextlib.suppress(ModelError):
            answer_probes(task, model, pinned, (task.store.settings.before_run, run), patches)


def _prepare(task: Task, model: LanguageModel) -> tuple[int, list[FactRow], Edit]:
    """The run to work on, its facts, and the edit that does it."""
    store, earlier = task.store, task.job.params.get("resume")
    if earlier is not None:
        found = store.runs.get(earlier)
        if found.model != model.name:
            raise SessionError(
                f"Run {earlier} edits {found.model}, but the session's model is {model.name} "
                "now. Choose that model again to let the run go on."
            )
        rows = kept_facts(store, earlier)
        checkpoint = store.runs.folder(earlier) / "checkpoint.pt"
        edit = Edit(
            model,
            [row.fact for row in rows],
            found.settings,
            checkpoint=checkpoint if checkpoint.exists() else None,
        )
        store.runs.again(earlier, task.job.id)
        return earlier, rows, edit
    rows = store.facts.enabled()
    if not rows:
        raise SessionError("No fact is ticked. Tick at least one on the Facts tab.")
    settings = EditSettings.from_dict(task.job.params.get("settings", {}))
    task.report(f"Preparing {len(rows)} facts", now=True)
    edit = Edit(model, [row.fact for row in rows], settings)
    run = store.runs.begin(task.job.id, model.name, edit.settings, rows)
    _keep_facts(store, run, rows)
    return run, rows, edit


class _Keeper:
    """Takes the events of one run: into the record, onto the progress line, to the extras."""

    def __init__(self, task: Task, model: LanguageModel, run: int, edit: Edit, facts: int) -> None:
        self.finished: events.Finished | None = None
        self._task, self._model, self._run, self._edit, self._facts = task, model, run, edit, facts
        self._waiting: list[Event] = []
        self._flushed_at = time.monotonic()
        self._keeping = Countdown()
        self._checkpoint = _Share(self._save_checkpoint)

    def take(self, event: Event) -> None:
        """Keeps an event; the engine goes on when this returns."""
        self._waiting.append(event)
        if isinstance(event, events.Started):
            self._answer_pinned(event.resumed_epoch)
        elif isinstance(event, events.EpochDone):
            self._answer_pinned(event.epoch)
            self._checkpoint.maybe()
        elif isinstance(event, events.Finished):
            self.finished = event
        elif isinstance(event, events.Stopped):
            self._save_checkpoint()
            self._task.store.runs.end(self._run, "stopped", {"epochs": event.epoch})
        if time.monotonic() - self._flushed_at >= FLUSH_EVERY:
            self.flush()
        self._say(event)
        if self._task.cancelled:
            self._edit.stop()

    def flush(self) -> None:
        """Writes the events that wait."""
        if self._waiting:
            self._task.store.runs.add_events(self._run, self._waiting)
            self._waiting = []
        self._flushed_at = time.monotonic()

    def _say(self, event: Event) -> None:
        if isinstance(event, events.StatesProgress):
            still = self._keeping.left(event.done / max(1, event.facts))
            self._task.report(f"Keeping hidden states, {event.done} of {event.facts} facts{still}")
        elif isinstance(event, events.EpochDone):
            learned = round(event.learned * self._facts)
            left = event.seconds / event.epoch * (event.epochs - event.epoch)
            self._task.report(
                f"epoch {event.epoch} of {event.epochs} · {learned} learned · "
                f"at most {time_left(left)}",
                event.epoch / event.epochs,
            )

    def _answer_pinned(self, epoch: int) -> None:
        """Answers the pinned prompts with the weights so far, unless the run is to end.

        A prompt that this model cannot be asked must not end the run.
        """
        pinned = self._task.store.probes.pinned()
        said: list[tuple[int, Answered]] = []
        for chat in (False, True):
            some = [row for row in pinned if row.chat == chat]
            with contextlib.suppress(Cancelled, ModelError), self._edit.applied():
                found = generate(
                    self._model,
                    [row.prompt for row in some],
                    chat=chat,
                    on_text=lambda texts: self._task.check(),
                )
                said += [(row.id, answered(a)) for row, a in zip(some, found, strict=True)]
        if said:
            self._task.store.probes.add_pinned_answers(self._run, epoch, said)

    def _save_checkpoint(self) -> None:
        self._edit.save_checkpoint(self._task.store.runs.folder(self._run) / "checkpoint.pt")


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
        probes = probe(model, [row.fact.prompt for row in first], patch, stop="sentence")
        before = [found.before.text for found in probes]
        after = [found.after.text for found in probes if found.after is not None]
        _keep_answers(task, run, first, before, after)

    measure(task, model, rows, run, patch, EvaluationSettings())


def _keep_answers(
    task: Task, run: int, rows: list[FactRow], before: Sequence[str], after: Sequence[str]
) -> None:
    ids = [row.id for row in rows]
    task.store.runs.set_answers(run, zip(ids, before, after, strict=True))


def _keep_facts(store: Store, run: int, rows: list[FactRow]) -> None:
    """Keeps the facts as they are now, so that a resumed run sees the same ones."""
    folder = store.runs.folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / "facts.part"
    with beside.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(to_json({"id": row.id, **asdict(row.fact)}) + "\n")
    beside.replace(folder / "facts.jsonl")


def kept_facts(store: Store, run: int) -> list[FactRow]:
    """The facts of a run as they were when it began.

    Raises:
        SessionError: the worker died before they were kept.
    """
    path = store.runs.folder(run) / "facts.jsonl"
    if not path.exists():
        raise SessionError(
            f"Run {run} was interrupted before anything was done. Start a new one instead."
        )
    rows = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            data = json.loads(line)
            row = data.pop("id")
            for name in ("locality_prompts", "portability_prompts"):
                data[name] = tuple(Question(**question) for question in data[name])
            data["rephrase_prompts"] = tuple(data["rephrase_prompts"])
            rows.append(FactRow(row, Fact(**data), enabled=True, source=""))
    return rows
