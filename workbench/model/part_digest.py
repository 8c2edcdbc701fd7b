"""Tells a model's lower part from that of any other, by which results of it can be kept.

Of weights that are there some numbers are taken from all over each: an edit changes them
everywhere. Of those that are read from files it is the files that tell.
"""

import hashlib
import json
from typing import Any

import torch

from workbench.model.language_model import LanguageModel
from workbench.model.location import Location

__all__ = ["part_digest"]

SAMPLED = 65_536  # numbers of a tensor that tell it from others


def part_digest(model: LanguageModel, layers: int) -> str:
    """A hash of what a model computes up to a layer.

    Args:
        model: with whatever weights are swapped in.
        layers: how many of its layers, from the embedding on; all of them are the whole model.
    """
    told: list[Any] = [model.name, model.shape.model_type, model.shape.vocab_size]
    told += [str(model.dtype), model.device.type]
    weights = [("embedding", model.network.get_input_embeddings().weight.detach())]
    for below in range(layers):
        weights += model.weights_at((Location(below),)).items()
    if layers == model.layer_count:
        weights = list(model.network.named_parameters())
    for name, weight in weights:
        if model.stream is None or not model.stream.has(name):
            told.append((name, tuple(weight.shape), _some_of(weight)))
    if model.stream is not None:
        told.append(model.stream.store.stamps())
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def _some_of(weight: torch.Tensor) -> str:
    """A hash of some numbers from all over a tensor."""
    flat = weight.detach().reshape(-1)
    some = flat[:: max(1, flat.numel() // SAMPLED)].float().cpu().contiguous()
    return hashlib.sha256(some.numpy().tobytes()).hexdigest()
