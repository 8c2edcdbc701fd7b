"""A hub cache as huggingface_hub keeps it, made without any network."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

__all__ = ["add_to_cache"]


def add_to_cache(cache: Path, name: str, config: dict[str, Any], weights: int | None) -> Path:
    """Puts a model into a cache; returns the folder of its snapshot.

    Args:
        cache: the cache.
        name: hub id.
        config: what its config.json says.
        weights: how many it has; None leaves its safetensors out.
    """
    home = cache / f"models--{name.replace('/', '--')}"
    folder = home / "snapshots" / "0123456789abcdef"
    folder.mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(folder.name)
    (folder / "config.json").write_text(json.dumps(config))
    if weights is not None:
        save_file({"model.weight": np.zeros(weights, np.float16)}, folder / "model.safetensors")
    return folder
