"""A small model folder, and copies of it that are spoiled in one place."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.conftest import byte_tokenizer, tiny_network

Weights = dict[str, torch.Tensor]
Rewrite = Callable[[Weights], Weights]
MISSING = object()


class Copies:
    """Makes copies of a model folder, with changes."""

    def __init__(self, original: Path, place: Path) -> None:
        self.original = original
        self.place = place

    def __call__(self, name: str = "spoiled", **config: Any) -> Path:
        """A copy whose config.json has other values; `MISSING` takes a value out."""
        folder = self.place / name
        shutil.copytree(self.original, folder)
        if config:
            self.change(folder / "config.json", **config)
        return folder

    def with_weights(self, rewrite: Rewrite, name: str = "spoiled", **config: Any) -> Path:
        """A copy whose weights are rewritten."""
        folder = self(name, **config)
        path = folder / "model.safetensors"
        weights = {n: t.contiguous() for n, t in rewrite(load_file(path)).items()}
        save_file(weights, path, metadata={"format": "pt"})
        return folder

    @staticmethod
    def change(path: Path, **values: Any) -> None:
        """Changes values of a JSON file."""
        written = json.loads(path.read_text(encoding="utf-8"))
        written |= {name: value for name, value in values.items() if value is not MISSING}
        for name in [name for name, value in values.items() if value is MISSING]:
            written.pop(name, None)
        path.write_text(json.dumps(written), encoding="utf-8")


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original") / "tiny"
    tiny_network("Llama").save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def copies(original: Path, tmp_path: Path) -> Copies:
    return Copies(original, tmp_path)
