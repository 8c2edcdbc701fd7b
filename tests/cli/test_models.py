"""A model that cannot be edited ends a command with one line and exit code 2, within seconds."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from tests.cli.conftest import Run
from workbench.paths import builtin_model_dir


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the built-in model."""
    return Path(shutil.copytree(builtin_model_dir(), tmp_path / "model"))


def config(**values: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


def no_number(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.3.mlp.down_proj.weight"][7, 7] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def newer_tokenizer(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": "7.0"}))


def adapter(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "some-lab/base"}')


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "quantized": (config(quantization_config={"quant_method": "awq", "bits": 4}), "AWQ, 4 bits"),
    "a billion layers": (config(num_hidden_layers=10**9), "no model has more than 4096"),
    "a billion tokens": (config(vocab_size=10**9), "does not fit its weight files"),
    "text for a number": (config(hidden_size="many"), "must be a whole number"),
    "an unknown rope": (
        config(rope_parameters={"rope_type": "spiral", "rope_theta": 1e4}),
        "rope_parameters.rope_type",
    ),
    "a weight that is no number": (no_number, "model.layers.3.mlp.down_proj.weight"),
    "a newer tokenizer": (newer_tokenizer, "Update the libraries that read it"),
    "an adapter alone": (adapter, "some-lab/base"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_spoiled_model_ends_a_command_with_one_line(run: Run, what: str, folder: Path) -> None:
    spoil, says = SPOILED[what]
    spoil(folder)
    ran = run("probe", "The capital of France is", "--model", folder)
    assert (ran.code, ran.out) == (2, "")
    (line,) = ran.err.splitlines()
    assert line.startswith("Error: ")
    assert says in line


@pytest.mark.slow
def test_the_line_comes_within_seconds_and_alone(folder: Path) -> None:
    config(num_hidden_layers=10**9)(folder)
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "workbench", "probe", "Hello", "--model", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (2, "", 1)
    # Most of it is the start of torch, on a machine that may have much else to do.
    assert time.monotonic() - began < 30


def test_what_was_done_to_a_model_is_said(run: Run, folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    wrapped = {f"module.{name}": tensor for name, tensor in weights.items()}
    save_file(wrapped, folder / "model.safetensors", metadata={"format": "pt"})
    ran = run("probe", "The capital of France is", "--model", folder, "--device", "cpu")
    plain = run("probe", "The capital of France is", "--device", "cpu")
    assert (ran.code, ran.out) == (0, plain.out)
    assert "'module.' in them; it was taken off" in ran.err
