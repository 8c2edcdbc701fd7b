"""The memory that a run works in, by the model's shapes and by numbers of tokens: an estimate.

The one place of these formulas: a run's own plan and a plan without weights both ask here.
"""

from collections.abc import Mapping
from weakref import WeakKeyDictionary

import torch
from torch import nn

from workbench.methods.arithmetic import passed_weights
from workbench.model.outline import Outline

__all__ = [
    "activation_bytes",
    "cache_bytes",
    "layer_bytes",
    "pass_bytes",
    "states_bytes",
    "tuned_bytes",
]


_KNOWN: WeakKeyDictionary[nn.Module, tuple[torch.dtype, list[int]]] = WeakKeyDictionary()
"""What `layer_bytes` found of each network."""


def states_bytes(model: Outline, tokens: int) -> int:
    """Bytes of the hidden states that are kept for every token.

    Args:
        model: the base.
        tokens: of all texts.
    """
    return tokens * model.shape.hidden_size * model.dtype.itemsize


def activation_bytes(model: Outline, layer: int, tokens: int, targets: int) -> int:
    """Bytes that the largest piece of a batch holds on to for its backward pass.

    For its targets these are the logits' logarithms and two gradients, in float32.

    Args:
        model: the base.
        layer: the lowest that is tuned.
        tokens: of the piece, with what fills its shorter texts up.
        targets: tokens of its answers.
    """
    return sum(layer_bytes(model)[layer:]) * tokens + targets * model.shape.vocab_size * 12


def layer_bytes(model: Outline) -> list[int]:
    """Bytes that a token leaves in each layer for a backward pass through frozen weights.

    Every matrix leaves what is on its inner side: queries, keys, values, what attention and the
    MLP's middle give. Those are a layer's weights by the hidden size, as all matrices have it on
    their other side. Two norms leave what enters them, in float32. Attention scores are left out,
    which short texts hardly need. Measured on SmolLM2: within 1%.

    Args:
        model: the base.
    """
    dtype, found = _KNOWN.get(model.network, (None, []))
    if dtype != model.dtype:  # a walk through all modules, and asked for every piece of a step
        hidden, dtype = model.shape.hidden_size, model.dtype
        each = (dtype.itemsize * weights / hidden for weights in passed_weights(model))
        found = [int(size) + 8 * hidden for size in each]
        _KNOWN[model.network] = dtype, found
    return found


def pass_bytes(model: Outline, tokens: int) -> int:
    """Bytes that texts take on their way through layers, one layer after the other.

    Args:
        model: the base.
        tokens: of the texts, with what fills shorter ones up.
    """
    return tokens * max(layer_bytes(model), default=0)


def cache_bytes(model: Outline, tokens: int) -> int:
    """Bytes of the keys and values that are kept of tokens while answers are written.

    Args:
        model: the base.
        tokens: of prompts and answers.
    """
    config, hidden = model.text_config, model.shape.hidden_size
    heads = getattr(config, "num_attention_heads", None) or 1
    kept = getattr(config, "num_key_value_heads", None) or heads
    size = getattr(config, "head_dim", None) or hidden // heads
    return tokens * model.layer_count * 2 * kept * size * model.dtype.itemsize


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
