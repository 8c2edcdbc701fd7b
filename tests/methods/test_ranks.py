"""Several processes share a run's facts: the result of one, and what is left when one is gone."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.cli.conftest import run_command
from tests.conftest import byte_tokenizer, facts_to_learn, tiny_network
from tests.ranked import SETTINGS
from workbench.facts.write import write_facts
from workbench.methods.base import METHODS
from workbench.model.ranks import Ranks

NAMES = ("Llama", "GPT-2", "Mixtral")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Facts, and tiny models."""
    folder = tmp_path_factory.mktemp("ranks")
    write_facts(facts_to_learn(), folder / "facts.jsonl")
    for name in NAMES:
        tiny_network(name).save_pretrained(folder / name)
        byte_tokenizer().save_pretrained(folder / name)
    return folder


@pytest.fixture(scope="module")
def ended(folder: Path) -> list[list[int]]:
    """How the processes of both pairs ended, see `tests.ranked`."""
    models = [str(folder / name) for name in NAMES]
    words = [sys.executable, "-m", "tests.ranked", str(folder / "facts.jsonl"), str(folder)]
    ran = subprocess.run([*words, *models], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found: list[list[int]] = json.loads(ran.stdout)
    return found


def alone(folder: Path, name: str, out: Path, *more: str) -> Any:
    """What one process says of the same edit."""
    words = ("edit", folder / "facts.jsonl", "--model", folder / name, "--out", out)
    return run_command(*words, *SETTINGS, *more).json


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    (file,) = folder.glob("*.safetensors")
    return load_file(file)


@pytest.mark.slow
def test_two_processes_edit_as_one_does_and_the_first_alone_speaks_and_writes(
    folder: Path, ended: list[list[int]], tmp_path: Path
) -> None:
    assert ended[0] == [0, 0], (folder / "whole.0.2").read_text()
    assert (folder / "whole.1.1").read_text() == (folder / "whole.1.2").read_text() == ""
    reports = (folder / "whole.0.1").read_text().splitlines()
    for name, line in zip(NAMES, reports, strict=True):
        report, expected = json.loads(line), alone(folder, name, tmp_path / name)
        assert report["losses"] == pytest.approx(expected["losses"], abs=1e-5)
        assert report["not_learned"] == expected["not_learned"]
        kept = tensors(tmp_path / name)
        for key, tensor in tensors(folder / "whole" / name).items():
            assert (tensor - kept[key]).abs().max() <= 1e-5


@pytest.mark.slow
def test_when_a_process_is_gone_one_line_says_so_and_another_can_go_on_alone(
    folder: Path, ended: list[list[int]], tmp_path: Path
) -> None:
    assert ended[1] == [2, -9]
    lines = (folder / "lost.0.2").read_text().splitlines()
    assert "2 processes share the facts." in lines
    (told,) = [line for line in lines if line.startswith("Error")]
    assert told.startswith("Error: Another of the 2 processes of this run is gone")
    assert "Stopped after 1 epochs" in told and "--resume" in told
    out = folder / "lost" / "Llama"
    assert not out.exists() and not list(out.parent.glob("*.claim"))
    rest = alone(folder, "Llama", out, "--resume")
    whole = alone(folder, "Llama", tmp_path / "whole")
    assert rest["losses"] == pytest.approx(whole["losses"], abs=1e-5)


def test_every_fact_is_in_the_share_of_one_process() -> None:
    ranks = [replace(Ranks(count=3), number=number) for number in range(3)]
    shares = [one.own(range(10)) for one in ranks]
    assert sorted(row for share in shares for row in share) == list(range(10))
    assert max(map(len, shares)) - min(map(len, shares)) == 1


def test_what_cannot_be_shared_says_what_can(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "facts.jsonl"
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert [key for key, method in METHODS.items() if method.shares] == ["locft-bf", "lora"]
    for words in (("edit", file, "--method", "memit", "--out", tmp_path / "a"), ("sweep", file)):
        ran = run_command(*words)
        assert ran.code == 2 and "Several processes can share" in ran.err
    monkeypatch.setenv("RANK", "1")
    assert run_command("sweep", file).err == ""
