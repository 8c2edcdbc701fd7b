"""The edit loss: cross-entropy on the target's tokens only (arXiv 2509.22072)."""

import torch
from torch.nn import functional

from workbench.model.tokens import TokenBatch

__all__ = ["text_losses"]


def text_losses(logits: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
    """Each text's mean cross-entropy on its target tokens.

    Args:
        logits: (targets, vocabulary).
        batch: the batch that they belong to.

    Returns:
        (texts,), differentiable.
    """
    losses = functional.cross_entropy(logits, batch.targets, reduction="none")
    return batch.sum_by_text(losses) / batch.sum_by_text(torch.ones_like(losses))
