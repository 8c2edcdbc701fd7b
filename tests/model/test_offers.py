"""The models that are offered: what is on this machine, on the hub, and what was used before."""

import json
from pathlib import Path

import pytest

from tests.conftest import tiny_network
from tests.hub_cache import add_to_cache
from workbench.model import offers as shelf
from workbench.model.needs import HUB_MODELS
from workbench.model.offers import offers


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(shelf, "is_real_there", lambda: False)
    return tmp_path / "hub"


def test_without_a_cache_the_built_in_model_and_the_hub_are_offered() -> None:
    found = offers()
    assert found.here == ("builtin",)
    assert found.hub == tuple(model.name for model in HUB_MODELS)
    assert found.used == ()


def test_the_real_model_is_offered_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "is_real_there", lambda: True)
    assert offers().here == ("builtin", "smollm2-135m")


def test_only_whole_decoders_of_the_cache_are_offered(cache: Path) -> None:
    first = HUB_MODELS[0].name
    decoder = {"architectures": ["LlamaForCausalLM"]}
    add_to_cache(cache, first, decoder, 10)
    add_to_cache(cache, "lab/without-weights", decoder, None)
    add_to_cache(cache, "lab/encoder", {"architectures": ["BertForMaskedLM"]}, 10)
    add_to_cache(cache, "lab/unnamed", {}, 10)
    sharded = add_to_cache(cache, "lab/half", decoder, 10)
    index = {"weight_map": {"a": "model.safetensors", "b": "other.safetensors"}}
    (sharded / "model.safetensors.index.json").write_text(json.dumps(index))
    broken = add_to_cache(cache, "lab/broken", decoder, 10)
    (broken / "config.json").write_text("{not json")
    (cache / "models--stray").mkdir()
    found = offers()
    assert found.here == ("builtin", first)
    assert first not in found.hub


def test_nothing_of_the_hub_is_offered_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert offers().hub == ()


def test_folders_used_before_are_offered_while_they_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "tiny model"
    tiny_network("Llama").save_pretrained(folder)
    file = tmp_path / "small.gguf"
    file.write_bytes(b"GGUF")
    used = [str(folder), "builtin", "Qwen/Qwen3-0.6B", str(file), str(tmp_path / "gone")]
    assert offers([*used, str(folder)]).used == (str(folder), str(file))


def test_another_machine_is_not_asked_whether_it_has_a_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(name: str) -> bool:
        raise AssertionError(f"{name} was looked for")

    monkeypatch.setattr(shelf, "is_path", refuse)
    assert offers([r"\\server\share\model", "//server/share/model"]).used == ()
