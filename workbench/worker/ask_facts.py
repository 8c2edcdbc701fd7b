"""Asking the base model what it says of facts now, as the worker does it: fills old answers.

Invariant: what was filled is kept batch by batch, so that cancelling loses none of it; an answer
goes only to a fact that still has the prompt that was asked. Imports the engine, so only the
worker's process may import this module.
"""

from typing import Any

from workbench.facts.answers import plain_answer
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.store.requests import FillRequest
from workbench.worker.countdown import Countdown
from workbench.worker.task import Task

__all__ = ["fill_old_answers"]

BATCH = 64  # facts between two writes


def fill_old_answers(task: Task, model: LanguageModel) -> dict[str, Any]:
    """Lets the base answer facts' prompts, and keeps what it says as their old answers.

    What is asked for is a `FillRequest`. The setting ``asked_facts`` says how it went, also while
    it goes on.

    Returns:
        How many were asked and filled, how many got no answer, and how many say the new answer.

    Raises:
        Cancelled: the person asked for the end; what was filled stays.
        WorkbenchError: a prompt cannot be asked.
    """
    request = task.request(FillRequest)
    wanted, overwrite = set(request.facts), request.overwrite
    rows = [
        (row.id, row.fact.prompt)
        for row in task.store.facts
        if row.id in wanted and (overwrite or not row.fact.ground_truth)
    ]
    said = {"facts": len(rows), "asked": 0, "filled": 0, "silent": 0, "same": 0}
    countdown = Countdown()
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        share = start / len(rows)
        task.report(f"Asked {start:,} of {len(rows):,} facts{countdown.left(share)}", share)
        prompts = [prompt for _, prompt in some]
        answers = generate(model, prompts, stop="sentence", cancel=task.stop)
        _keep(task, some, [answer.text for answer in answers], overwrite, said)
    task.store.settings.set("asked_facts", said)
    return said


def _keep(
    task: Task,
    rows: list[tuple[int, str]],
    answers: list[str],
    overwrite: bool,
    said: dict[str, int],
) -> None:
    pairs = [
        (row, prompt, answer)
        for (row, prompt), answer in zip(rows, answers, strict=True)
        if answer.strip()
    ]
    filled = task.store.facts.fill_old_answers(pairs, overwrite)
    said["asked"] += len(rows)
    said["filled"] += len(filled)
    said["silent"] += len(rows) - len(pairs)
    said["same"] += sum(
        plain_answer(row.fact.ground_truth) == plain_answer(row.fact.target_new) for row in filled
    )
    task.store.settings.set("asked_facts", said)
