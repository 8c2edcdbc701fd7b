"""The edit loss: cross-entropy on the target's tokens only (arXiv 2509.22072)."""

import torch
from torch.nn import functional

from workbench.model.tokens import TokenBatch

__all__ = ["prompt_end_losses", "text_losses"]


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


def prompt_end_losses(logits: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
    """Each text's mean cross-entropy on its target tokens, all predicted at the prompt's last one.

    So did the fine-tuning that older papers compare with (the script of arXiv 2202.05262).

    Args:
        logits: (targets, vocabulary), as for `text_losses`.
        batch: the batch that they belong to.

    Returns:
        (texts,), differentiable.
    """
    sizes = torch.bincount(batch.text_of_target, minlength=len(batch))
    first = sizes.cumsum(0) - sizes  # where each text's targets begin: after its prompt
    return text_losses(logits[first[batch.text_of_target]], batch)
