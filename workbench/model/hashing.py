"""What a tensor holds, as a hash, so that a patch knows its base again."""

import hashlib

import torch

__all__ = ["tensor_hash"]


def tensor_hash(tensor: torch.Tensor) -> str:
    """SHA-256 of a tensor's shape and values, the values as little-endian float32.

    A checkpoint in bfloat16 therefore has the same hash whether it is loaded in bfloat16 or in
    float32.
    """
    values = tensor.detach().to("cpu", torch.float32).contiguous()
    digest = hashlib.sha256(str(tuple(values.shape)).encode())
    digest.update(values.numpy().astype("<f4", copy=False).data)
    return digest.hexdigest()
