"""What a model will take, told before it is loaded, and without the network."""

import json
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config

from tests.conftest import byte_tokenizer, tiny_network
from tests.gguf_files import write_gguf
from tests.hub_cache import add_to_cache
from workbench.model.choice import ModelChoice
from workbench.model.load import load_model
from workbench.model.needs import HUB_MODELS, need_of

QWEN = "Qwen/Qwen2.5-0.5B-Instruct"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and no way to the network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tmp_path / "hub"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "tiny"
    tiny_network("Llama", torch.bfloat16).save_pretrained(path)
    byte_tokenizer().save_pretrained(path)
    return path


def test_the_memory_told_is_the_memory_taken(folder: Path) -> None:
    for name in ("builtin", str(folder)):
        need = need_of(ModelChoice(name))
        model = load_model(name, device="cpu")
        assert (need.where, need.memory) == ("here", model.memory_bytes)
        half = need_of(ModelChoice(name, dtype="bfloat16"))
        assert half.memory == model.memory_bytes // 2


def test_on_a_gpu_the_precision_is_the_checkpoints_own(folder: Path) -> None:
    on_cpu, on_gpu = need_of(ModelChoice(str(folder))), need_of(ModelChoice(str(folder)), "cuda:0")
    assert (on_cpu.bytes_each, on_gpu.bytes_each) == (4, 2)
    assert need_of(ModelChoice(str(folder), device="cpu"), "cuda:0").bytes_each == 4


def test_a_tied_head_that_is_kept_twice_counts_once(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text()) | {"tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config))
    before = need_of(ModelChoice(str(folder))).parameters
    head = {"lm_head.weight": np.zeros((260, 32), np.float16)}
    save_file(head, folder / "model-head.safetensors")
    assert before is not None
    assert need_of(ModelChoice(str(folder))).parameters == before


def test_a_gguf_file_says_what_it_is_when_it_is_dequantized(tmp_path: Path) -> None:
    network = tiny_network("Llama")
    file = write_gguf(tmp_path / "a.gguf", network, byte_tokenizer(), "Q8_0")
    need = need_of(ModelChoice(str(file)))
    assert need.parameters == sum(p.numel() for p in network.parameters())
    assert (need.bytes_each, need.origin) == (4, "GGUF Q8_0, dequantized")
    assert need_of(ModelChoice(str(file)), "cuda:0").bytes_each == 2
    assert "no model folder or GGUF file 'gone.gguf'" in need_of(ModelChoice("gone.gguf")).problem


def test_a_cached_model_is_told_from_one_that_is_fetched(cache: Path) -> None:
    fetched = need_of(ModelChoice(QWEN))
    assert (fetched.where, fetched.memory) == ("hub", 494_032_768 * 4)
    assert fetched.download == 988_097_824
    add_to_cache(cache, QWEN, {"architectures": ["Qwen2ForCausalLM"]}, 1000)
    cached = need_of(ModelChoice(QWEN))
    assert (cached.where, cached.memory, cached.download) == ("cached", 4000, 0)


def test_a_cached_model_that_is_not_whole_is_fetched(cache: Path) -> None:
    folder = add_to_cache(cache, "some/model", {"architectures": ["LlamaForCausalLM"]}, 10)
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    need = need_of(ModelChoice("some/model"))
    assert (need.where, need.memory, need.download) == ("hub", None, None)


def test_what_cannot_be_loaded_says_why(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no model folder" in need_of(ModelChoice("/nowhere/at/all")).problem
    assert "no config.json" in need_of(ModelChoice(str(tmp_path))).problem
    (folder / "model.safetensors").write_bytes(b"\xff" * 40)
    assert "cannot be read" in need_of(ModelChoice(str(folder))).problem
    (folder / "config.json").write_text("[]")
    assert "cannot be read" in need_of(ModelChoice(str(folder))).problem
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE forbids" in need_of(ModelChoice(QWEN)).problem
    assert need_of(ModelChoice("no hub has this")).problem


SHAPES: dict[str, Any] = {
    "HuggingFaceTB/SmolLM2-135M-Instruct": LlamaConfig(
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        vocab_size=49152,
        tie_word_embeddings=True,
    ),
    "HuggingFaceTB/SmolLM2-360M-Instruct": LlamaConfig(
        hidden_size=960,
        intermediate_size=2560,
        num_hidden_layers=32,
        num_attention_heads=15,
        num_key_value_heads=5,
        vocab_size=49152,
        tie_word_embeddings=True,
    ),
    "HuggingFaceTB/SmolLM2-1.7B-Instruct": LlamaConfig(
        hidden_size=2048,
        intermediate_size=8192,
        num_hidden_layers=24,
        num_attention_heads=32,
        vocab_size=49152,
        tie_word_embeddings=True,
    ),
    "Qwen/Qwen2.5-0.5B-Instruct": Qwen2Config(
        hidden_size=896,
        intermediate_size=4864,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
        vocab_size=151936,
        tie_word_embeddings=True,
    ),
    "Qwen/Qwen2.5-1.5B-Instruct": Qwen2Config(
        hidden_size=1536,
        intermediate_size=8960,
        num_hidden_layers=28,
        num_attention_heads=12,
        num_key_value_heads=2,
        vocab_size=151936,
        tie_word_embeddings=True,
    ),
    "Qwen/Qwen3-0.6B": Qwen3Config(
        hidden_size=1024,
        intermediate_size=3072,
        num_hidden_layers=28,
        num_attention_heads=16,
        num_key_value_heads=8,
        head_dim=128,
        vocab_size=151936,
        tie_word_embeddings=True,
    ),
}


def test_the_sizes_in_the_table_are_those_of_the_shapes() -> None:
    found = {}
    for name, config in SHAPES.items():
        with torch.device("meta"):
            network = AutoModelForCausalLM.from_config(config)
        found[name] = sum(p.numel() for p in network.parameters())
    assert found == {model.name: model.parameters for model in HUB_MODELS}


def test_what_a_folder_is_instead_of_a_model_is_said_before_it_is_loaded(tmp_path: Path) -> None:
    told = '{"base_model_name_or_path": "some-lab/base"}'
    (tmp_path / "adapter_config.json").write_text(told, encoding="utf-8")
    assert "a PEFT adapter of 'some-lab/base' alone" in need_of(ModelChoice(str(tmp_path))).problem
    (tmp_path / "adapter_config.json").unlink()
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    assert "convert it once: python" in need_of(ModelChoice(str(tmp_path))).problem
