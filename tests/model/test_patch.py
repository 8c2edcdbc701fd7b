"""Patches: on and off to the bit, safe on disk, and only for their own base."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from workbench.errors import ModelError, PatchError
from workbench.facts.fact import Fact
from workbench.methods.edit import edit
from workbench.model.language_model import LanguageModel
from workbench.model.patch import PATCH_FILE, Patch

IDS = torch.arange(12).view(1, 12)


def logits(model: LanguageModel) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = model.network(IDS, use_cache=False).logits
    return result


@pytest.fixture
def patch(model: LanguageModel, facts: list[Fact]) -> Patch:
    return edit(model, facts, at="2.mlp.down_proj", learning_rate=1e-2, epochs=3).patch


def test_applied_changes_the_model_and_leaving_restores_it_to_the_bit(
    model: LanguageModel, patch: Patch
) -> None:
    before = logits(model)
    for _ in range(2):
        with patch.applied(model):
            assert not torch.equal(logits(model), before)
        assert torch.equal(logits(model), before)
    with pytest.raises(ZeroDivisionError), patch.applied(model):
        _ = 1 / 0
    assert torch.equal(logits(model), before)


def test_a_saved_patch_is_the_same_when_it_is_loaded(
    model: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    loaded = Patch.load(patch.save(tmp_path / "patch"))
    assert loaded.metadata == patch.metadata
    with patch.applied(model):
        expected = logits(model)
    with loaded.applied(model):
        assert torch.equal(logits(model), expected)


def test_the_record_names_base_place_facts_settings_and_versions(
    model: LanguageModel, patch: Patch, facts: list[Fact]
) -> None:
    record = patch.metadata
    assert record["base"]["name"] == "tiny Llama"
    assert record["base"]["hashes"].keys() == patch.tensors.keys()
    assert (record["at"], record["facts"]) == (["2.mlp.down_proj"], len(facts))
    assert None not in {k: v for k, v in record["settings"].items() if k != "micro_batch_size"}
    assert set(record["versions"]) == {"workbench", "torch", "transformers", "python"}
    assert set(record["metrics"]) == {"reliability_strict"}


def test_another_base_is_refused_in_words(
    make_model: Callable[..., LanguageModel], patch: Patch
) -> None:
    other = make_model("GPT-2")
    with pytest.raises(PatchError, match="has no tensor"), patch.applied(other):
        pass
    retrained = make_model()
    retrained.network.get_parameter("model.layers.2.mlp.down_proj.weight").data += 1e-3
    with pytest.raises(PatchError, match="holds other values"), patch.applied(retrained):
        pass


def test_a_patch_fits_the_same_checkpoint_in_a_wider_dtype(
    make_model: Callable[..., LanguageModel], facts: list[Fact]
) -> None:
    narrow, wide = make_model(dtype=torch.bfloat16), make_model(dtype=torch.bfloat16)
    wide.network.float()
    patch = edit(narrow, facts, at="1.mlp", learning_rate=1e-2, epochs=1).patch
    with patch.applied(wide):
        assert wide.network.get_parameter("model.layers.1.mlp.up_proj.weight").dtype == (
            torch.float32
        )


def test_two_patches_at_once_are_refused(model: LanguageModel, patch: Patch) -> None:
    with (
        patch.applied(model),
        pytest.raises(ModelError, match="Another patch"),
        patch.applied(model),
    ):
        pass


def test_nothing_is_overwritten_and_nothing_half_written(
    patch: Patch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("keep me")
    with pytest.raises(PatchError, match="exists already"):
        patch.save(tmp_path / "mine")

    def disk_full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workbench.model.patch.save_file", disk_full)
    with pytest.raises(PatchError, match="No space left"):
        patch.save(tmp_path / "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine"]


def test_what_is_no_patch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PatchError, match="no patch"):
        Patch.load(tmp_path)
    (tmp_path / PATCH_FILE).write_bytes(b"broken")
    with pytest.raises(PatchError, match="damaged"):
        Patch.load(tmp_path)
    save_file({"x": torch.ones(1)}, tmp_path / PATCH_FILE)
    with pytest.raises(PatchError, match="not a patch of this version"):
        Patch.load(tmp_path)


def test_an_exported_model_is_loaded_by_plain_transformers(
    model: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    folder = patch.export(model, tmp_path / "full")
    with patch.applied(model):
        expected = logits(model)
    plain = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        assert torch.allclose(plain(IDS).logits, expected, atol=1e-6)
    assert (
        AutoTokenizer.from_pretrained(folder)("abc")["input_ids"]
        == (model.tokenizer("abc")["input_ids"])
    )
