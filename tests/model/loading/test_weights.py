"""Weights: whole, plain, finite, and those of the network, or refused with the tensor's name."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.conftest import tiny_network
from tests.model.loading.conftest import Copies, Weights
from workbench.errors import ModelError
from workbench.model.load import load_model
from workbench.model.loading.source import find_source
from workbench.model.loading.weights import require_finite

UP = "model.layers.1.mlp.up_proj.weight"


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("name", [UP, "model.norm.weight", "lm_head.weight"])
def test_a_weight_that_is_no_number_is_refused_with_its_tensor(
    name: str, value: str, copies: Copies
) -> None:
    def spoil(weights: Weights) -> Weights:
        weights[name].view(-1)[5] = float(value)
        return weights

    with pytest.raises(ModelError, match=rf"has 1 of \d+ weights that are infinite .* in {name}\."):
        load_model(str(copies.with_weights(spoil)), device="cpu")


def test_what_is_infinite_in_16_bits_alone_is_told_to_be(copies: Copies) -> None:
    def spoil(weights: Weights) -> Weights:
        weights[UP][0, 0] = 1e6
        return weights

    folder = str(copies.with_weights(spoil))
    with pytest.raises(ModelError, match="Choose bfloat16 or float32"):
        load_model(folder, device="cpu", dtype="float16")
    assert load_model(folder, device="cpu", dtype="bfloat16").layer_count == 4


def test_large_weights_that_are_numbers_are_no_mistake() -> None:
    network = tiny_network("Llama")
    network.model.norm.weight.data.fill_(3e37)
    assert torch.isinf(network.model.norm.weight.sum())
    require_finite(find_source("builtin", False), network)


WRAPPED: dict[str, Callable[[str], str]] = {
    "_orig_mod.": lambda name: f"_orig_mod.{name}",
    "module.": lambda name: f"module.{name}",
    "model.language_model.": lambda name: name.replace("model.", "model.language_model.", 1),
    "language_model.": lambda name: f"language_model.{name}",
    "_checkpoint_wrapped_module.": lambda name: name.replace(
        ".mlp.", "._checkpoint_wrapped_module.mlp."
    ),
}


@pytest.mark.parametrize("front", WRAPPED)
def test_wrapped_names_are_read_said_and_gone_from_an_export(
    front: str, copies: Copies, original: Path
) -> None:
    wrap = WRAPPED[front]
    folder = copies.with_weights(lambda weights: {wrap(n): t for n, t in weights.items()})
    model = load_model(str(folder), device="cpu")
    plain = load_model(str(original), device="cpu")
    assert plain.notices == ()
    assert model.notices == model.summary().notices
    assert f"'{front}' in them; it was taken off" in model.notices[0]
    wanted = plain.network.state_dict()
    assert all(torch.equal(t, wanted[n]) for n, t in model.network.state_dict().items())
    exported = folder.parent / "exported"
    model.network.save_pretrained(exported)
    assert (
        load_file(exported / "model.safetensors").keys()
        == load_file(original / "model.safetensors").keys()
    )


def test_tensors_that_the_network_does_not_have_are_told(copies: Copies) -> None:
    folder = copies(num_hidden_layers=3)
    (notice,) = load_model(str(folder), device="cpu").notices
    assert "9 tensors that this network does not have, such as model.layers.3." in notice


def cached(original: Path, cache: Path, parts: int) -> None:
    """Puts a model into a hub cache, its weights in one file or in several."""
    snapshot = cache / "models--some-lab--tiny" / "snapshots" / "0123abc"
    snapshot.parent.mkdir(parents=True)
    shutil.copytree(original, snapshot)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("0123abc")
    if parts > 1:
        (snapshot / "model.safetensors").unlink()
        tiny_network("Llama").save_pretrained(snapshot, max_shard_size="60KB")
        assert len(list(snapshot.glob("*.safetensors"))) > 1


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("parts", [1, 2])
def test_a_cached_model_of_the_hub_is_loaded_and_checked_like_a_folder(
    parts: int, original: Path, cache: Path
) -> None:
    cached(original, cache, parts)
    model = load_model("some-lab/tiny", device="cpu")
    wanted = load_model(str(original), device="cpu").network.state_dict()
    assert all(torch.equal(t, wanted[n]) for n, t in model.network.state_dict().items())
    path = next(cache.glob("models--some-lab--tiny/snapshots/*/*.safetensors"))
    weights = load_file(path)
    next(iter(weights.values())).view(-1)[0] = float("nan")
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="infinite or no number"):
        load_model("some-lab/tiny", device="cpu")


def test_a_cached_model_without_its_weights_is_said_to_lack_them(
    original: Path, cache: Path
) -> None:
    cached(original, cache, 1)
    next(cache.glob("models--some-lab--tiny/snapshots/*/model.safetensors")).unlink()
    with pytest.raises(ModelError, match=r"safetensors|not in this machine's cache") as refused:
        load_model("some-lab/tiny")
    assert "\n" not in str(refused.value)
