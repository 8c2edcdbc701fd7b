"""Folders that are no model: the line names the folder to choose, or the command to run."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.model.loading.conftest import Copies
from workbench.errors import ModelError
from workbench.model.load import load_model

Make = Callable[[Path, Copies], Path]


def adapter(place: Path, copies: Copies) -> Path:
    folder = place / "adapter"
    folder.mkdir()
    text = json.dumps({"peft_type": "LORA", "base_model_name_or_path": "some-lab/base-7B"})
    (folder / "adapter_config.json").write_text(text)
    (folder / "adapter_model.safetensors").write_bytes(b"")
    return folder


def adapter_beside_a_model(place: Path, copies: Copies) -> Path:
    folder = copies()
    (folder / "adapter_config.json").write_text("{}")
    return folder


def cached(place: Path, copies: Copies) -> Path:
    snapshot = place / "hub" / "models--some-lab--base--7B" / "snapshots" / "0123abc"
    snapshot.parent.mkdir(parents=True)
    shutil.copytree(copies.original, snapshot)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("0123abc")
    return place / "hub"


def training(place: Path, copies: Copies) -> Path:
    for number in (90, 500, 1000):
        copies(f"runs/checkpoint-{number}")
    return place / "runs"


def pickled(place: Path, copies: Copies, name: str = "pytorch_model.bin") -> Path:
    folder = copies()
    (folder / "model.safetensors").rename(folder / name)
    return folder


def pointer(place: Path, copies: Copies) -> Path:
    folder = copies()
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    (folder / "model.safetensors").write_text(text)
    return folder


def parts(place: Path, copies: Copies, index: object) -> Path:
    folder = copies()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


FOLDERS: dict[str, tuple[Make, list[str]]] = {
    "an adapter alone": (
        adapter,
        ["PEFT adapter of 'some-lab/base-7B' alone", "merge_and_unload()", "adapter'"],
    ),
    "an adapter beside a model": (adapter_beside_a_model, ["beside it", "adapter_config.json"]),
    "the hub's cache": (cached, ["the hub's cache", "1 model in it", "some-lab/base--7B"]),
    "the folder above the hub's cache": (
        lambda place, copies: cached(place, copies).parent,
        ["the hub's cache", "some-lab/base--7B"],
    ),
    "a model in the hub's cache": (
        lambda place, copies: cached(place, copies) / "models--some-lab--base--7B",
        ["Write some-lab/base--7B, or choose", "snapshots/0123abc'"],
    ),
    "the states of a model in the hub's cache": (
        lambda place, copies: cached(place, copies) / "models--some-lab--base--7B" / "snapshots",
        ["Write some-lab/base--7B, or choose", "snapshots/0123abc'"],
    ),
    "checkpoints of a training": (
        training,
        ["3 checkpoints of a training", "runs/checkpoint-1000'"],
    ),
    "a folder above models": (
        lambda place, copies: copies("above/model").parent,
        ["folders inside it do", "above/model'"],
    ),
    "only pickled weights": (pickled, ["Only safetensors are loaded", "convert it once: python"]),
    "what a training kept": (
        lambda place, copies: pickled(place, copies, "epoch_3.pt"),
        ["epoch_3.pt is what a training kept", "save_pretrained"],
    ),
    "Meta's own format": (
        lambda place, copies: pickled(place, copies, "consolidated.00.pth"),
        ["Meta's own format", "-hf"],
    ),
    "weights of another name": (
        lambda place, copies: pickled(place, copies, "consolidated.safetensors"),
        ["holds consolidated.safetensors", "but neither model.safetensors nor"],
    ),
    "a config alone": (
        lambda place, copies: pickled(place, copies, "weights"),
        ["holds no *.safetensors file", "with its weights"],
    ),
    "pointers instead of weights": (pointer, ["Git LFS pointer", "git lfs pull"]),
    "parts that are missing": (
        lambda place, copies: parts(
            place, copies, {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2"}}
        ),
        ["lacks model-1-of-2.safetensors and 1 more"],
    ),
    "an index that is none": (
        lambda place, copies: parts(place, copies, ["weights"]),
        ["model.safetensors.index.json' cannot be read"],
    ),
    "a file": (
        lambda place, copies: copies() / "model.safetensors",
        ["is a file. Choose the folder"],
    ),
    "nothing": (lambda place, copies: place / "nowhere", ["no model folder", "Check the path"]),
    "an empty folder": (lambda place, copies: place, ["no config.json", "save_pretrained"]),
}


@pytest.mark.parametrize("what", FOLDERS)
def test_what_is_no_model_is_told_by_what_it_is(what: str, tmp_path: Path, copies: Copies) -> None:
    make, words = FOLDERS[what]
    with pytest.raises(ModelError) as refused:
        load_model(str(make(tmp_path, copies)))
    assert "\n" not in str(refused.value)
    for word in words:
        assert word in str(refused.value)


@pytest.mark.slow
def test_the_command_that_converts_pickled_weights_does_it(copies: Copies) -> None:
    folder = copies("it's a $model")
    weights = load_model(str(folder), device="cpu").network.state_dict()
    torch.save({n: t.clone() for n, t in weights.items()}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError) as refused:
        load_model(str(folder))
    command = re.search(r'python (-c ".*"), and', str(refused.value))
    assert command is not None
    line = f"'{sys.executable}' {command[1]}"
    subprocess.run(["sh", "-c", line], check=True, capture_output=True)
    again = load_model(f"{folder}-safetensors", device="cpu").network.state_dict()
    assert all(torch.equal(weights[name], again[name]) for name in weights)
