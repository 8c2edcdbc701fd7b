"""Experts that a layer keeps in one stacked tensor: which those are, and one expert alone.

Mixtures of experts hold the weights of all experts of a layer in one tensor, most often of shape
(experts, out, in). An expert's own part of it is a view, named like the tensor with the expert's
number behind: ``model.layers.3.mlp.experts.down_proj[7]``. Knows nothing about layers.
"""

import re

import torch
from torch import nn

__all__ = ["expert_part", "expert_total", "part_name", "split_part", "stacked_weights"]

COUNTS = ("num_experts", "moe_num_experts", "n_shared_experts")
"""What modules call the number of experts whose weights they hold."""

_PART = re.compile(r"(?P<name>.+)\[(?P<expert>\d{1,6})\]")


def stacked_weights(owner: nn.Module) -> dict[str, nn.Parameter]:
    """The stacked weights that a module holds itself, biases included, by their own names.

    Returns:
        Nothing where the module holds no experts; a router, which has a row for each, holds none.
    """
    return _stack(owner)[1]


def expert_total(owner: nn.Module) -> int:
    """How many experts a module's stacked weights hold; 0 where it has none."""
    return _stack(owner)[0]


def _stack(owner: nn.Module) -> tuple[int, dict[str, nn.Parameter]]:
    own = dict(owner.named_parameters(recurse=False))
    for attribute in COUNTS:
        total = getattr(owner, attribute, None)
        if not isinstance(total, int) or total < 1:
            continue
        found = {n: w for n, w in own.items() if w.ndim >= 2 and w.shape[0] == total}
        if any(weight.ndim == 3 for weight in found.values()):
            return total, found
        # DBRX has the experts' rows one below the other.
        blocks = {n: w for n, w in own.items() if w.ndim == 2 and w.shape[0] % total == 0}
        if attribute == "moe_num_experts" and blocks:
            return total, blocks
    return 0, {}


def expert_part(owner: nn.Module, weight: torch.Tensor, expert: int) -> torch.Tensor:
    """One expert's part of a stacked tensor, or of its gradient, as a view.

    Args:
        owner: the module that holds the tensor.
        weight: the tensor, or another of its shape.
        expert: which one, from 0.
    """
    total = expert_total(owner)
    if weight.shape[0] == total:
        return weight[expert]
    rows = weight.shape[0] // total
    return weight[expert * rows : (expert + 1) * rows]


def part_name(name: str, expert: int) -> str:
    """What one expert's part of a stacked tensor is called."""
    return f"{name}[{expert}]"


def split_part(name: str) -> tuple[str, int | None]:
    """The inverse of `part_name`; the number is None for a whole tensor."""
    match = _PART.fullmatch(name)
    return (match["name"], int(match["expert"])) if match else (name, None)
