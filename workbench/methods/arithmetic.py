"""How much arithmetic a run is: operations a token, layer by layer, from shapes alone.

A weight that a token passes is one multiplication and one addition; backwards, the gradient of
what entered is as much again, and that of a tuned weight too. The attention scores, which short
texts hardly need, and padding are left out.
"""

import time
from collections.abc import Iterable

import torch

from workbench.model.outline import Outline

__all__ = ["H100_TFLOPS", "epoch_flops", "measured_flops", "passed_weights", "prefix_flops"]

H100_TFLOPS = 445.0
"""45% of the peak of one H100 in bfloat16, which large matrix products reach."""

TOP_K = (
    "num_experts_per_tok",
    "num_experts_per_token",
    "moe_top_k",
    "moe_topk",
    "moe_k",
    "top_k_experts",
    "num_selected_experts",
)
"""What configs call the number of experts that a token passes."""


def passed_weights(model: Outline) -> tuple[float, ...]:
    """For each layer how many weights a token passes: of its experts those that are chosen.

    Where a config does not say how many are chosen, all of them count.
    """
    chosen = _chosen_experts(model)
    passed = [float(sum(p.numel() for p in layer.parameters())) for layer in model.layers.modules]
    for info in model.locations():
        if info.experts and chosen:
            passed[info.location.layer] -= info.weights * max(0.0, 1 - chosen / info.experts)
    return tuple(passed)


def _chosen_experts(model: Outline) -> int:
    """How many experts a token passes by the config; 0 where it does not say."""
    config = model.text_config
    for part in (config, getattr(config, "ffn_config", None)):
        for name in TOP_K:
            if isinstance(value := getattr(part, name, None), int) and value > 0:
                return value
    return 0


def prefix_flops(passed: Iterable[float], tokens: float) -> float:
    """Operations of the layers below the tuned one, once forward.

    Args:
        passed: weights that a token passes in each of these layers.
        tokens: of all facts.
    """
    return 2 * sum(passed) * tokens


def epoch_flops(
    passed: Iterable[float], tokens: float, *, tuned: float, head: float, targets: float
) -> float:
    """Operations of one epoch: the layers from the tuned one on and the head, there and back.

    Args:
        passed: weights that a token passes in each of these layers.
        tokens: of all facts.
        tuned: weights that are tuned, whose own gradient is taken too.
        head: weights of the head, which only answers pass.
        targets: tokens of all answers.
    """
    return (4 * sum(passed) + 2 * tuned) * tokens + 4 * head * targets


@torch.no_grad()
def measured_flops(device: torch.device, dtype: torch.dtype, seconds: float = 0.3) -> float:
    """Operations a second that a device makes in a product of matrices, measured.

    Args:
        device: of this machine.
        dtype: of the matrices.
        seconds: for about how long.
    """
    side = 4096 if device.type == "cuda" else 512
    left, right = (torch.ones(side, side, device=device, dtype=dtype) for _ in range(2))

    def timed(times: int) -> float:
        began = time.perf_counter()
        for _ in range(times):
            product = left @ right
        product[0, 0].item()  # waits for the device
        return time.perf_counter() - began

    timed(1)  # the first one sets things up
    times = max(1, round(seconds / max(timed(1), 1e-6)))
    return 2 * side**3 * times / timed(times)
