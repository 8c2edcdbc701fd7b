"""The memory that a run works in, by the model's shapes and by numbers of tokens: an estimate.

The one place of these formulas: a run's own plan and a plan without weights both ask here.
"""

from collections.abc import Mapping

import torch

from workbench.model.outline import Outline

__all__ = ["activation_bytes", "states_bytes", "tuned_bytes"]


def states_bytes(model: Outline, tokens: int) -> int:
    """Bytes of the hidden states that are kept for every token.

    Args:
        model: the base.
        tokens: of all texts.
    """
    return tokens * model.shape.hidden_size * model.dtype.itemsize


def activation_bytes(model: Outline, layer: int, tokens: int, targets: int) -> int:
    """Bytes that the largest piece of a batch holds on to for its backward pass.

    34 bytes a token, layer and hidden unit in 16 bits (Korthikanti et al., arXiv 2205.05198,
    without the attention scores, which short texts hardly need), and for its targets the
    logits and their gradient, once in the model's dtype and once in float32.

    Args:
        model: the base.
        layer: the lowest that is tuned.
        tokens: of the piece, with what fills its shorter texts up.
        targets: tokens of its answers.
    """
    width, shape = model.dtype.itemsize, model.shape
    passed_on = 17 * width * tokens * (model.layer_count - layer) * shape.hidden_size
    return passed_on + targets * shape.vocab_size * 2 * (width + 4)


def tuned_bytes(model: Outline, weights: Mapping[str, torch.Tensor]) -> int:
    """Bytes on top of the model: float32 master, its gradient, Adam's two moments, what is seen.

    The gradient of stacked experts is taken as a whole, also where one of them is tuned.

    Args:
        model: the base.
        weights: those that are tuned, by name (see `Outline.weights_at`).
    """
    per_weight = 4 + 4 + 8
    found = per_weight * sum(weight.numel() for weight in weights.values())
    # In float32 the model sees the master itself; there is nothing to round.
    copied = (weight for weight in weights.values() if weight.dtype != torch.float32)
    found += sum(2 * weight.numel() * weight.element_size() for weight in copied)
    tuned = {id(weight) for weight in weights.values()}
    holders = {id(holder): holder for holder in map(model.parameter_of, weights)}
    stacks = [holder for key, holder in holders.items() if key not in tuned]
    return found + sum(stack.numel() * stack.element_size() for stack in stacks)
