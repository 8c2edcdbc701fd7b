"""Answering a conversation, as the worker does it: each side goes on from its own answers.

Imports the engine, so only the worker's process may import this module.
"""

import time
from collections.abc import Mapping
from contextlib import nullcontext

from workbench.measure.probe_settings import ProbeSettings
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.store.talks import BASE, Talk, Turn
from workbench.worker.ask import SHOW_EVERY, answered
from workbench.worker.patches import Patches
from workbench.worker.task import Task

__all__ = ["ANSWER_TOKENS", "answer_talk"]

ANSWER_TOKENS = 128  # most of an answer, unless the settings of Probe allow more


def answer_talk(
    task: Task, model: LanguageModel, talk: Talk, patches: Patches, settings: ProbeSettings
) -> None:
    """Gives every answer that is missing in a conversation, side by side, turn by turn.

    Args:
        task: the job.
        model: the base.
        talk: the conversation.
        patches: the runs' patches.
        settings: how answers are written; whether through the chat template is the
            conversation's own.

    Raises:
        Cancelled: the person asked for the end; whole answers are kept.
        WorkbenchError: something said is too long, or a patch does not fit.
    """
    for side in talk.sides:
        turns = task.store.talks.turns(talk.id)
        if side not in task.store.talks.get(talk.id).sides:
            continue  # it was taken off, or its run deleted, meanwhile
        if all(side in turn.answers for turn in turns):
            continue
        task.report("The base answers" if side == BASE else f"Run {side} answers", now=True)
        state = nullcontext() if side == BASE else patches.of(task.store, int(side)).applied(model)
        with state:
            _answer_side(task, model, talk, side, turns, settings)


def _answer_side(
    task: Task,
    model: LanguageModel,
    talk: Talk,
    side: str,
    turns: list[Turn],
    settings: ProbeSettings,
) -> None:
    decoding = settings.decoding | {
        "top_k": 1,
        "max_new_tokens": max(ANSWER_TOKENS, settings.max_new_tokens),
    }
    before: list[tuple[str, str]] = []
    for turn in turns:
        found = turn.answers.get(side)
        if found is None:
            (answer,) = generate(
                model,
                [turn.said],
                chat=talk.chat,
                system=talk.system,
                history=before,
                on_text=_Writing(task, turn.id, side),
                cancel=task.stop,
                **decoding,
            )
            found = answered(answer)
            task.store.talks.set_answer(turn.id, side, found)
        before.append((turn.said, found.text))


class _Writing:
    """Keeps what is said so far, a few times a second."""

    def __init__(self, task: Task, turn: int, side: str) -> None:
        self._task, self._turn, self._side = task, turn, side
        self._shown_at = 0.0

    def __call__(self, texts: Mapping[int, str]) -> None:
        moment = time.monotonic()
        if moment - self._shown_at >= SHOW_EVERY:
            self._shown_at = moment
            for text in texts.values():
                self._task.store.talks.set_partial(self._turn, self._side, text)
