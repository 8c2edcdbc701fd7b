"""Asking, as the worker does it: prompts before and after, their answers shown as they grow.

Imports the engine, so only the worker's process may import this module.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from workbench.measure.probe_settings import ProbeSettings
from workbench.model.generate import Answer, generate
from workbench.model.language_model import LanguageModel
from workbench.store.probes import Answered, ProbeRow, Side
from workbench.worker.patches import Patches
from workbench.worker.task import Task

__all__ = ["answer_probes", "answered"]

SHOW_EVERY = 0.1  # seconds between two looks at an answer that is being written
SIDES: tuple[Side, Side] = ("before", "after")

Runs = tuple[int | None, int | None]


def answer_probes(
    task: Task,
    model: LanguageModel,
    rows: Sequence[ProbeRow],
    runs: Runs,
    patches: Patches,
    settings: ProbeSettings,
) -> None:
    """Answers probes and keeps the answers.

    Args:
        task: the job.
        model: the base.
        rows: the probes.
        runs: what "before" and "after" are; None for the base. Two bases are asked once.
        patches: the runs' patches.
        settings: how they are answered; whether through the chat template is each probe's own.

    Raises:
        Cancelled: the person asked for the end; probes without both answers keep none.
        WorkbenchError: a prompt cannot be asked, or a patch does not fit.
    """
    for chat in (False, True):
        some = [row for row in rows if row.chat == chat]
        if some:
            _answer(task, model, some, runs, patches, settings)


def _answer(
    task: Task,
    model: LanguageModel,
    rows: list[ProbeRow],
    runs: Runs,
    patches: Patches,
    settings: ProbeSettings,
) -> None:
    said: dict[Side, list[Answer]] = {}
    for side, run in zip(SIDES, runs, strict=True):
        if side == "after" and runs == (None, None):
            break
        with _state(task, model, run, patches):
            said[side] = generate(
                model,
                [row.prompt for row in rows],
                chat=rows[0].chat,
                **settings.decoding,
                on_text=_Writing(task, side, rows),
                cancel=task.stop,
            )
    for place, row in enumerate(rows):
        after = answered(said["after"][place]) if "after" in said else None
        task.store.probes.set_answers(
            row.id, model.name, runs, answered(said["before"][place]), after
        )


def _state(
    task: Task, model: LanguageModel, run: int | None, patches: Patches
) -> AbstractContextManager[None]:
    return nullcontext() if run is None else patches.of(task.store, run).applied(model)


def answered(answer: Answer) -> Answered:
    """An answer of the engine as the session keeps it."""
    return Answered(answer.text, answer.top, answer.how)


class _Writing:
    """Keeps what is said so far, a few times a second."""

    def __init__(self, task: Task, side: Side, rows: list[ProbeRow]) -> None:
        self._task, self._side, self._rows = task, side, rows
        self._shown_at = time.monotonic()

    def __call__(self, texts: Mapping[int, str]) -> None:
        moment = time.monotonic()
        if moment - self._shown_at >= SHOW_EVERY:
            self._shown_at = moment
            by_probe = {self._rows[place].id: text for place, text in texts.items()}
            self._task.store.probes.set_partial(self._side, by_probe)
