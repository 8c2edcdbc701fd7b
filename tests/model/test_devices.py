"""Which dtype a model gets where nobody names one."""

import pytest
import torch

from workbench.model.devices import choose_dtype


@pytest.mark.parametrize(
    ("checkpoint", "on_cuda"),
    [
        (torch.bfloat16, torch.bfloat16),
        (torch.float16, torch.float16),
        (torch.float32, torch.float32),
        (torch.float8_e4m3fn, torch.bfloat16),
        (None, torch.float32),
    ],
    ids=["bfloat16", "float16", "float32", "float8", "unknown"],
)
def test_a_gpu_gets_the_checkpoints_dtype_and_never_fewer_bits_than_16(
    checkpoint: torch.dtype | None, on_cuda: torch.dtype
) -> None:
    assert choose_dtype(None, torch.device("cuda"), checkpoint) == on_cuda
    assert choose_dtype(None, torch.device("cpu"), checkpoint) == torch.float32
