"""The strict protocol: every target token and the EOS is the model's first choice.

Teacher-forced, so that no generation is needed: greedy decoding gives exactly target and EOS if
and only if every target token is the argmax after the true ones before it.
"""

from collections.abc import Sequence

import torch

from workbench.engine.language_model import LanguageModel
from workbench.engine.memory import in_batches
from workbench.engine.states import TOKENS_PER_PASS, HiddenStates, starting_at, target_logits
from workbench.engine.tokens import TokenBatch, TokenTable

__all__ = ["learned_texts", "strict_matches"]


def learned_texts(logits: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
    """Which texts of a batch are right by the strict protocol.

    Args:
        logits: (targets, vocabulary).
        batch: the batch that they belong to.

    Returns:
        (texts,) True where every target is the argmax.
    """
    wrong = (logits.argmax(dim=-1) != batch.targets).to(torch.int32)
    return batch.sum_by_text(wrong) == 0


@torch.no_grad()
def strict_matches(
    model: LanguageModel, texts: TokenTable, states: HiddenStates | None = None
) -> list[bool]:
    """Which texts the model, as it is now, gets right by the strict protocol.

    Args:
        model: with whatever weights are swapped in.
        texts: prompts with their targets.
        states: what enters a layer below which the model is unchanged; None starts at the
            embedding.
    """
    order = sorted(range(len(texts)), key=texts.length)
    if not order:
        return []

    def judge(rows: Sequence[int]) -> list[bool]:
        batch = texts.batch(rows)
        with starting_at(model, states.layer if states is not None else 0) as feed:
            if states is not None:
                feed.states = states.padded(rows, model.device)
            right: list[bool] = learned_texts(target_logits(model, batch), batch).tolist()
            return right

    right = [False] * len(order)
    size = max(1, TOKENS_PER_PASS // texts.length(order[-1]))
    for rows, verdicts in in_batches(order, size, model.device, judge):
        for row, verdict in zip(rows, verdicts, strict=True):
            right[row] = verdict
    return right
