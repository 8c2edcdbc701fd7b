"""An edit as a LoRA adapter: of the lowest rank that keeps its facts, as peft loads it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from tests.offenders import tiny_checkpoint
from tests.ship.conftest import FACTS
from workbench.api import export
from workbench.errors import PatchError, SettingsError
from workbench.methods.edit import edit
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.ship import adapter as adapters
from workbench.ship.adapter import adapted, exporting_adapter
from workbench.ship.export_settings import ExportSettings
from workbench.ship.holding import Holding
from workbench.ship.low_rank import decompose
from workbench.ship.result import ExportResult
from workbench.ship.run_lines import run_lines
from workbench.work.events import follow

IDS = torch.tensor([[84, 104, 105, 115, 32, 97]])


def made(model: LanguageModel, patch: Patch, out: Path, **settings: Any) -> ExportResult:
    work = exporting_adapter(model, patch, out, FACTS, ExportSettings(**settings))
    return follow(work)


def test_the_rank_is_the_lowest_that_keeps_the_facts_and_peft_holds_them(
    base: LanguageModel, matrix_patch: Patch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters, "RANKS", tuple(range(1, 33)))
    done = made(base, matrix_patch, tmp_path / "adapter")
    parts, exam = decompose(base, matrix_patch), Holding(base, FACTS, "raw", 2)
    needed = ExportSettings().needed(done.held)
    for rank in range(1, int(done.told["rank"]) + 1):
        with base.with_weights(parts.weights(parts.products(rank, torch.float32))):
            assert (sum(exam.now()) >= needed) == (rank == done.told["rank"])
    assert done.runtime == "peft" and done.held >= 5
    assert done.facts is not None and done.facts.after >= needed > done.facts.before


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_plain_peft_loads_what_vllm_and_sglang_accept(
    base: LanguageModel, checkpoint: Path, matrix_patch: Patch, tmp_path: Path
) -> None:
    out = export(base, matrix_patch, tmp_path / "adapter", FACTS, form="adapter", rank=32)
    said = json.loads((out / "adapter_config.json").read_text("utf-8"))
    assert said["base_model_name_or_path"] == str(checkpoint)
    assert (said["r"], said["lora_alpha"], said["bias"]) == (32, 32, "none")
    assert said["target_modules"] == ["down_proj"] and said["layers_to_transform"] == [2]
    assert said["modules_to_save"] is None and not said["use_dora"] and not said["use_rslora"]
    held = load_file(out / "adapter_model.safetensors")
    module = "base_model.model.model.layers.2.mlp.down_proj"
    assert {name: tuple(tensor.shape) for name, tensor in held.items()} == {
        f"{module}.lora_A.weight": (32, 64),
        f"{module}.lora_B.weight": (32, 32),
    }
    with adapted(base, out):
        found = base.network(IDS).logits
    with matrix_patch.applied(base):
        assert torch.allclose(base.network(IDS).logits, found, atol=1e-3)
    other = load_model(str(checkpoint), device="cpu")
    plain = PeftModel.from_pretrained(other.network, str(out)).eval()
    assert torch.allclose(plain(IDS).logits, found, atol=1e-5)


def test_weights_that_are_kept_turned_are_adapted_too(tmp_path: Path) -> None:
    model = load_model(str(tiny_checkpoint(tmp_path / "gpt2", "GPT-2")), device="cpu")
    patch = edit(model, FACTS[:3], at="2.mlp.c_proj", learning_rate=1e-2, epochs=8).patch
    out = export(model, patch, tmp_path / "adapter", FACTS[:3], form="adapter", rank=32)
    with adapted(model, out):
        found = model.network(IDS).logits
    with patch.applied(model):
        assert torch.allclose(model.network(IDS).logits, found, atol=1e-3)
    assert not torch.allclose(model.network(IDS).logits, found, atol=1e-3)


def test_what_no_adapter_holds_is_refused_and_nothing_left(
    base: LanguageModel,
    layer_patch: Patch,
    matrix_patch: Patch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(PatchError, match="norm"):
        made(base, layer_patch, tmp_path / "adapter")
    with pytest.raises(SettingsError, match="--facts"):
        export(base, matrix_patch, tmp_path / "adapter", form="adapter")
    with pytest.raises(SettingsError, match="512"):
        ExportSettings(rank=1024)
    monkeypatch.setattr(adapters, "HIGHEST_RANK", 1)
    with pytest.raises(PatchError, match=r"at rank 1, the largest that vLLM loads, \d of"):
        made(base, matrix_patch, tmp_path / "adapter")
    assert list(tmp_path.iterdir()) == []


def test_an_adapter_of_another_model_is_refused_and_leaves_the_model_bare(
    base: LanguageModel, tmp_path: Path
) -> None:
    model = load_model(str(tiny_checkpoint(tmp_path / "gpt2", "GPT-2")), device="cpu")
    patch = edit(model, FACTS[:2], at="1.mlp.c_proj", epochs=2).patch
    out = export(model, patch, tmp_path / "adapter", FACTS[:2], form="adapter", rank=8)
    with pytest.raises(PatchError, match="cannot be loaded onto"), adapted(base, out):
        pass


def test_the_line_for_vllm_reserves_room_of_a_size_that_it_knows() -> None:
    for rank, room in ((8, 8), (24, 32), (300, 320), (512, 512)):
        vllm, sglang = run_lines("adapter", "my adapter", "me/base", rank=rank)
        assert f"--max-lora-rank {room} --lora-modules edited='my adapter'" in vllm
        assert f"--max-lora-rank {rank} --lora-paths edited='my adapter'" in sglang
