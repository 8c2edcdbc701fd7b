"""Some answers side by side, with whatever weights are in the model.

Every answer has its own way of choosing tokens, its own end and its own listener; they share the
passes through the model alone. Invariant: no answer waits for another to be told.
"""

from collections.abc import Sequence

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from workbench.model.decoding import end_tokens, greedy_tokens
from workbench.model.language_model import LanguageModel
from workbench.model.memory import is_out_of_memory, release_cache
from workbench.model.states import run
from workbench.serving.picking import Picked, told
from workbench.serving.row import Row

__all__ = ["answer"]

TOKENS_SCORED = 2048  # side by side, for each of which all the vocabulary has a score


def answer(model: LanguageModel, rows: Sequence[Row]) -> None:
    """Makes answers to their ends.

    Args:
        model: with whatever weights are swapped in.
        rows: the answers.

    Raises:
        ModelError: the model cannot write, or not even one answer fits in its memory.
    """
    ends = frozenset(end_tokens(model))
    for row in rows:
        row.stand_in(model)
    scored = [row for row in rows if row.scores_prompt and not row.is_over]
    for some in _of_like_length(scored):
        _score(model, some, ends)
    for row in rows:
        if not row.scores_prompt:
            row.begin()
        if not row.room and not row.is_over:
            row.end_empty()
    left = [row for row in rows if not row.is_over]
    if not left:
        return
    by_place = dict(enumerate(left))
    lengths = [len(row.read) for row in left]
    for group in model.answering.groups(list(by_place), lengths):
        _write(model, [by_place[place] for place in group], ends)


def _of_like_length(rows: Sequence[Row]) -> list[list[Row]]:
    """Prompts in passes that are not too large."""
    passes: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: len(row.read)):
        if not passes or len(row.read) * (len(passes[-1]) + 1) > TOKENS_SCORED:
            passes.append([])
        passes[-1].append(row)
    return passes


@torch.no_grad()
def _score(model: LanguageModel, rows: list[Row], ends: frozenset[int]) -> None:
    """Tells prompts with their log-probabilities; where one token follows, it is picked here.

    Padding stands on the right, where a decoder does not look.
    """
    longest = max(len(row.read) for row in rows)
    ids = torch.zeros((len(rows), longest), dtype=torch.long)
    for place, row in enumerate(rows):
        ids[place, : len(row.read)] = torch.tensor(row.read)
    logits = run(model, ids.to(model.device))
    for row, found in zip(rows, logits, strict=True):
        top = row.sampling.top or 0
        likely = (
            told(found[place - 1 + (len(row.added) if place >= row.at else 0)], token, top)
            for place, token in enumerate(row.prompt[1:], start=1)
        )
        row.begin([Picked(row.prompt[0]), *likely])
        if row.room == 1 and not row.is_over:
            row.take(row.picker.pick(found[len(row.read) - 1]), ends)


def _write(model: LanguageModel, rows: list[Row], ends: frozenset[int]) -> None:
    """Writes answers side by side; when memory runs out before they begin, fewer at once."""
    try:
        while left := [row for row in rows if not row.is_over]:
            _generate(model, left, ends)
    except Exception as error:
        if not is_out_of_memory(error) or len(rows) == 1 or any(row.written for row in rows):
            raise
        release_cache(model.device)
        half = len(rows) // 2
        _write(model, rows[:half], ends)
        _write(model, rows[half:], ends)


@torch.no_grad()
def _generate(model: LanguageModel, rows: list[Row], ends: frozenset[int]) -> None:
    """Writes until all answers are over, or one has filled the model: its places go on with the
    others', and where positions are learned there are no more of them.
    """
    padding = model.tokenizer.pad_token_id
    padding = padding if padding is not None else min(ends, default=0)
    longest = max(len(row.read) for row in rows)
    room = max(row.room - row.written for row in rows)
    if model.longest is not None:
        room = min(room, model.longest - longest)
    input_ids = torch.full((len(rows), longest), padding)
    mask = torch.zeros_like(input_ids)
    for place, row in enumerate(rows):
        input_ids[place, longest - len(row.read) :] = torch.tensor(row.read)
        mask[place, longest - len(row.read) :] = 1
    greedy_tokens(
        model,
        {"input_ids": input_ids.to(model.device), "attention_mask": mask.to(model.device)},
        room,
        ends,
        padding,
        LogitsProcessorList([_Choosing(rows, ends)]),
        StoppingCriteriaList([_Ending(rows)]),
    )


class _Choosing(LogitsProcessor):  # type: ignore[misc]
    """Lets every answer choose its next token, and leaves only that one to be taken."""

    def __init__(self, rows: list[Row], ends: frozenset[int]) -> None:
        self._rows, self._ends = rows, ends

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        chosen = torch.full_like(scores, float("-inf"))
        for place, row in enumerate(self._rows):
            if row.is_over:
                chosen[place] = scores[place]
                continue
            picked = row.picker.pick(scores[place])
            chosen[place, picked.token] = 0.0
            row.take(picked, self._ends)
        return chosen


class _Ending(StoppingCriteria):  # type: ignore[misc]
    """Ends each answer by itself."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        over = [row.is_over for row in self._rows]
        return torch.tensor(over, dtype=torch.bool, device=input_ids.device)
