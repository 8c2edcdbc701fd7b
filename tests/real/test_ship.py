"""An edit of the real model where people run it: in llama.cpp and with peft."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import run_command
from workbench.api import export, verify
from workbench.facts.fact import Fact
from workbench.methods.edit import EditResult
from workbench.model.gguf_header import read_gguf_header
from workbench.model.language_model import LanguageModel
from workbench.model.real import packaged_file
from workbench.ship.gguf_file import read_raw

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def original() -> Path:
    """The file that the world has."""
    file = packaged_file()
    if file is None:
        pytest.skip("the package with the GGUF file is not installed")
    return file


def test_llama_cpp_answers_with_the_new_facts_and_knows_the_others(
    original: Path, edited: EditResult, lies: list[Fact], tmp_path: Path
) -> None:
    pytest.importorskip("xllamacpp")
    edited.patch.save(tmp_path / "patch")
    rows = [{"prompt": fact.prompt, "target_new": fact.target_new} for fact in lies]
    (tmp_path / "facts.json").write_text(json.dumps(rows))
    words = ["export", "--patch", tmp_path / "patch", "--gguf", original, "--device", "cpu",
             "--facts", tmp_path / "facts.json", "--out", tmp_path / "new.gguf"]  # fmt: skip
    said = run_command(*words, "--json").json
    assert said["runtime"] == "llama.cpp" and said["told"]["type"] == "q4_1"
    assert said["facts"] == {"asked": 3, "before": 0, "after": 3}
    assert said["others"]["asked"] == 20 and said["others"]["before"] >= 8
    assert said["others"]["after"] >= said["others"]["before"] - 3
    before, after = read_gguf_header(original), read_gguf_header(tmp_path / "new.gguf")
    changed = [
        name
        for name in before.tensors
        if bytes(read_raw(before, name)) != bytes(read_raw(after, name))
    ]
    assert changed == [f"blk.{edited.patch.lowest_layer}.ffn_down.weight"]
    found = verify(tmp_path / "new.gguf", lies)
    assert found.runtime == "llama.cpp"
    assert [one.form for one in found.forms] == ["raw", "question", "chat"]
    assert found.forms[0].strict == 3


def test_peft_answers_with_the_new_facts(
    real: LanguageModel, edited: EditResult, lies: list[Fact], tmp_path: Path
) -> None:
    out = export(real, edited.patch, tmp_path / "adapter", lies, form="adapter")
    assert sum(file.stat().st_size for file in out.iterdir()) < edited.patch.weights
    found = verify(out, lies, forms=("raw",), device="cpu")
    assert (found.runtime, found.forms[0].strict) == ("peft", 3)
