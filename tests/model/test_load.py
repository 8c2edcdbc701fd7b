"""Loading: what people ask for, and clear words when it cannot be had."""

import json
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from tests.conftest import byte_tokenizer, tiny_network
from workbench.errors import MemoryShortage, ModelError
from workbench.model.load import load_model
from workbench.model.loading import network as network_of
from workbench.model.summary import ModelSummary
from workbench.work.records import as_data, from_data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny"
    tiny_network("Llama", torch.bfloat16).save_pretrained(path)
    byte_tokenizer().save_pretrained(path)
    return path


def test_a_local_folder_loads_frozen_checked_and_unchanged(folder: Path) -> None:
    model = load_model(str(folder), device="cpu")
    assert model.dtype == torch.float32
    assert not any(p.requires_grad for p in model.network.parameters())
    assert not model.network.training
    assert model.states_kept
    assert model.network.get_input_embeddings().num_embeddings == 260
    assert len(model.tokenizer) == len(byte_tokenizer())


def test_the_summary_survives_json_and_tells_the_model(folder: Path) -> None:
    summary = load_model(str(folder), device="cpu").summary()
    assert from_data(ModelSummary, json.loads(json.dumps(as_data(summary)))) == summary
    assert (summary.layers, summary.hidden_size, summary.dtype) == (4, 32, "float32")
    assert summary.matrices[-1] == "mlp.down_proj"
    assert summary.preset.is_guess is True
    assert summary.preset.at == ("2.mlp.down_proj",)


def test_a_dtype_can_be_asked_for(folder: Path) -> None:
    assert load_model(str(folder), device="cpu", dtype="bfloat16").dtype == torch.bfloat16
    with pytest.raises(ModelError, match="Unknown dtype 'int3'"):
        load_model(str(folder), dtype="int3")


@pytest.mark.parametrize(
    ("device", "message"),
    [("cuda:97", "this machine has"), ("gpu", "Unknown device"), ("meta", "not supported")],
)
def test_a_device_that_is_not_there_is_named(folder: Path, device: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load_model(str(folder), device=device)


def test_folders_that_hold_no_model_are_told_apart(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ModelError, match="no model folder"):
        load_model("./nowhere/at/all")
    with pytest.raises(ModelError, match=r"no config\.json"):
        load_model(str(tmp_path))
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickled")
    with pytest.raises(ModelError, match="Only safetensors are loaded"):
        load_model(str(tmp_path))


def test_a_model_that_is_no_decoder_is_refused(tmp_path: Path) -> None:
    config = transformers.BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4)
    transformers.BertForMaskedLM(config).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="not a causal language model"):
        load_model(str(tmp_path))


def test_a_damaged_file_is_said_to_be_one(tmp_path: Path, folder: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00not json")
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(str(tmp_path))


def test_missing_weights_are_never_made_up(tmp_path: Path, folder: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 of its weights, such as .*1\.mlp\.up_proj"):
        load_model(str(tmp_path))


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_of, "free_memory", lambda device: 10_000)
    with pytest.raises(MemoryShortage, match="10 kB free"):
        load_model(str(folder), device="cpu")


def test_offline_and_not_cached_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="not in this machine's cache"):
        load_model("some-lab/some-model")


def test_a_name_that_no_hub_can_have_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="There is no model 'what is this'"):
        load_model("what is this")


def test_code_that_comes_with_a_model_does_not_run_unasked(tmp_path: Path, folder: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "surprise",
        "auto_map": {"AutoConfig": "code.C", "AutoModelForCausalLM": "code.M"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "code.py").write_text("raise SystemExit('code of the model ran')")
    with pytest.raises(ModelError, match="code of its own"):
        load_model(str(tmp_path))
