"""Full models and task vectors: as the checkpoint was, with a card; uploads."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tests.hub_cache import add_to_cache
from tests.ship.conftest import FACTS
from tests.ship.uploads import taking_uploads
from workbench.api import export
from workbench.cli import main
from workbench.errors import PatchError, SettingsError
from workbench.methods.edit import edit
from workbench.model.base_files import LICENCES, TOKENIZER_FILES, base_files
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.ship.export import shipping
from workbench.ship.export_settings import ExportSettings
from workbench.work.events import follow

TOKEN = "hf_ofThePersonAlone"
LICENCE = "Do what you like with this model.\n"


@pytest.fixture(scope="module")
def halved(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model in bfloat16, with a licence, a card, and a tokenizer written by hand."""
    folder = tmp_path_factory.mktemp("bf16") / "their model"
    shutil.copytree(checkpoint, folder)
    AutoModelForCausalLM.from_pretrained(checkpoint).to(torch.bfloat16).save_pretrained(folder)
    (folder / "LICENSE.txt").write_text(LICENCE)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\nTheirs\n")
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"theirs": [1]}, indent=7))
    return folder


@pytest.fixture(scope="module")
def halved_patch(halved: Path) -> Patch:
    model = load_model(str(halved), device="cpu")
    options: dict[str, Any] = {"learning_rate": 2e-2, "batch_size": 7, "epochs": 60}
    return edit(model, FACTS, at="2.mlp.down_proj", **options).patch


def test_a_full_model_has_the_precision_and_the_files_of_its_checkpoint(
    halved: Path, halved_patch: Patch, tmp_path: Path
) -> None:
    model = load_model(str(halved), device="cpu")
    out = export(model, halved_patch, tmp_path / "full", FACTS, retain=0.5)
    weights, theirs = load_file(out / "model.safetensors"), load_file(halved / "model.safetensors")
    assert {name for name in weights if not torch.equal(weights[name], theirs[name])} == set(
        halved_patch.tensors
    )
    assert {tensor.dtype for tensor in weights.values()} == {torch.bfloat16}
    assert json.loads((out / "config.json").read_text())["dtype"] == "bfloat16"
    for pattern in (*TOKENIZER_FILES, "LICENSE*"):
        for file in {path.name for folder in (out, halved) for path in folder.glob(pattern)}:
            assert (out / file).read_bytes() == (halved / file).read_bytes()
    assert (out / "LICENSE.txt").read_text() == LICENCE


def test_where_the_checkpoints_precision_loses_facts_the_model_is_written_in_a_wider_one(
    halved: Path, halved_patch: Patch, tmp_path: Path
) -> None:
    model = load_model(str(halved), device="cpu")
    # So little is moved that rounding takes it away again.
    tensors = {
        name: model.tensor(name) + 1e-4 * (tensor - model.tensor(name))
        for name, tensor in halved_patch.tensors.items()
    }
    slight = Patch(tensors, halved_patch.metadata)
    done = follow(shipping(model, slight, tmp_path / "full"))
    assert done.told["dtype"] == "float32"
    weights = load_file(done.path / "model.safetensors")
    for name, tensor in tensors.items():
        assert torch.equal(weights[name], tensor)
    named = ExportSettings(weights="bfloat16")
    done = follow(shipping(model, slight, tmp_path / "named", settings=named))
    assert done.told["dtype"] == "bfloat16"


def test_the_card_says_what_was_done_and_neither_facts_nor_folders(
    halved: Path, halved_patch: Patch, tmp_path: Path
) -> None:
    model = load_model(str(halved), device="cpu")
    said = (export(model, halved_patch, tmp_path / "a", FACTS) / "README.md").read_text()
    for part in ("license: apache-2.0", "locft-bf", "2.mlp.down_proj", "7 facts",
                 halved_patch.metadata["facts_digest"], "`reliability_strict`", "their model",
                 "workbench edit facts.csv", "--lr 0.02", "of these weights"):  # fmt: skip
        assert part in said, part
    assert str(halved.parent) not in said and FACTS[0].target_new not in said
    open_card = export(model, halved_patch, tmp_path / "b", FACTS, include_facts=True)
    told = (open_card / "README.md").read_text()
    assert all(f"| {fact.prompt} | {fact.target_new} |" in told for fact in FACTS)


def test_base_and_task_vector_are_the_edited_weights(
    base: LanguageModel, checkpoint: Path, layer_patch: Patch, tmp_path: Path
) -> None:
    out = export(base, layer_patch, tmp_path / "delta", form="delta")
    index = json.loads((out / "model.safetensors.index.json").read_text())["weight_map"]
    theirs = load_file(checkpoint / "model.safetensors")
    assert index.keys() == theirs.keys()
    deltas = {name: load_file(out / file)[name] for name, file in index.items()}
    for name, weight in theirs.items():
        expected = layer_patch.tensors.get(name, weight)
        assert torch.allclose(weight + deltas[name], expected, atol=1e-6)
        assert bool(deltas[name].any()) == (name in layer_patch.tensors)
    zeros = out / "model-00002-of-00002.safetensors"
    assert zeros.stat().st_blocks * 512 < zeros.stat().st_size
    assert (out / "config.json").is_file() and (out / "tokenizer.json").is_file()


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.usefixtures("token")
def test_what_was_written_is_uploaded_and_the_token_told_to_nobody_else(
    halved: Path,
    halved_patch: Patch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    halved_patch.save(tmp_path / "patch")
    words = ["export", "--patch", str(tmp_path / "patch"), "--push", "me/mine", "--device", "cpu"]
    with taking_uploads() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        with pytest.raises(SystemExit) as end:
            main([*words, "--out", str(tmp_path / "full")])
        assert end.value.code == 0
    printed = "".join(capfd.readouterr())
    assert f"Uploaded to {hub.url}/me/mine" in printed
    (made,) = hub.made
    assert (made["organization"], made["name"]) == ("me", "mine")
    assert made.get("visibility", "private") == "private" and made.get("private", True)
    written = {path.name: path.read_bytes() for path in (tmp_path / "full").iterdir()}
    assert hub.files == written and "model.safetensors" in written
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in printed and not any(TOKEN.encode() in said for said in written.values())


@pytest.mark.usefixtures("token")
def test_an_upload_that_is_refused_leaves_what_was_written_and_no_token_in_the_message(
    base: LanguageModel, matrix_patch: Patch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with taking_uploads(403) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        with pytest.raises(PatchError, match="not uploaded to 'me/mine'") as told:
            export(base, matrix_patch, tmp_path / "full", push="me/mine")
    assert TOKEN not in str(told.value) and (tmp_path / "full" / "README.md").is_file()
    monkeypatch.setattr("workbench.ship.push.get_token", lambda: None)
    with pytest.raises(PatchError, match="no token"):
        export(base, matrix_patch, tmp_path / "again", push="me/mine")
    with pytest.raises(SettingsError, match="ORG/NAME"):
        ExportSettings(push="mine")


def test_a_setting_of_another_form_is_refused(
    base: LanguageModel, matrix_patch: Patch, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="rank says something of the form adapter"):
        export(base, matrix_patch, tmp_path / "full", rank=8)
    with pytest.raises(SettingsError, match="weights"):
        export(base, matrix_patch, tmp_path / "full", gguf="x.gguf", weights="float16")
    assert list(tmp_path.iterdir()) == []


def test_licences_of_a_model_of_the_hub_come_from_its_cache(
    base: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = add_to_cache(tmp_path, "me/theirs", {}, None)
    (snapshot / "LICENSE").write_text(LICENCE)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    named = replace(base, name="me/theirs")
    found = list(base_files(named, LICENCES, fetch=True))
    assert [file.read_text() for file in found] == [LICENCE]
    assert list(base_files(replace(base, name="me/gone"), LICENCES, fetch=True)) == []
