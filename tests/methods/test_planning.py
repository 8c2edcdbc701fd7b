"""Plans without weights: what a run itself would say, by a config alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import workbench
from tests.conftest import tiny_network
from tests.hub_cache import add_to_cache
from workbench.errors import LocationError, ModelError, SettingsError
from workbench.facts.fact import Fact
from workbench.methods.arithmetic import passed_weights
from workbench.methods.held import WORKSPACE
from workbench.methods.locft_bf import LocftRun
from workbench.methods.plan_result import Plan, Step
from workbench.methods.plan_settings import parse_memory, write_memory
from workbench.model.language_model import LanguageModel
from workbench.model.loading import source
from workbench.model.tokens import tokenize_facts

QWEN_72B = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": 8192,
    "intermediate_size": 29568,
    "num_hidden_layers": 80,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "vocab_size": 152064,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}


def written(folder: Path, config: dict[str, Any]) -> str:
    """A folder with a config.json and nothing else."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return str(folder)


def facts(count: int) -> list[Fact]:
    """Facts that all have as many tokens."""
    return [Fact(f"Number {i:03} is", f"called {i:03}") for i in range(count)]


def planned_for(model: LanguageModel, config_alone: str, count: int, **settings: Any) -> Plan:
    """The plan for the same facts' tokens."""
    texts = tokenize_facts(model.tokenizer, facts(count), None)
    return workbench.plan(
        config_alone,
        device="cpu",
        facts=count,
        tokens_a_fact=sum(text.length for text in texts) / count,
        answer_tokens=sum(len(text.target) for text in texts) / count,
        tflops=1.0,
        **settings,
    )


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("Llama", "float32"),
        ("Llama", "bfloat16"),
        ("Mixtral", "bfloat16"),
        ("DeepSeek-V3", "float32"),
        ("GPT-2", "float32"),
    ],
)
def test_a_config_alone_gives_the_runs_own_plan(
    make_model: Callable[..., LanguageModel], name: str, dtype: str, tmp_path: Path
) -> None:
    model = make_model(name, getattr(torch, dtype))
    alone = written(tmp_path / "tiny", tiny_network(name).config.to_dict())
    for at in ((), ("1.mlp.experts.2",) if name == "Mixtral" else ("2",)):
        own = LocftRun(model, facts(40), workbench.EditSettings(at=at, recipe="published")).plan()
        plan = planned_for(model, alone, 40, at=at, dtype=dtype)
        # What products of matrices work in is more than all that a tiny model takes.
        told = plan.memory_bytes - plan.workspace_bytes
        assert told == pytest.approx(own.memory_bytes - WORKSPACE["cpu"], rel=0.01)
        assert (plan.step.at, plan.step.tuned_weights) == (own.at, own.weights)
        assert (plan.batch_size, plan.epochs) == (own.batch_size, own.epochs)
        assert (plan.parameters, plan.weights_bytes) == (model.parameters, model.memory_bytes)
    layers = [sum(p.numel() for p in layer.parameters()) for layer in model.layers.modules]
    assert list(plan.layer_weights) == layers


@pytest.mark.parametrize("name", ["Llama", "GPT-2"])
def test_what_works_in_a_step_is_all_but_what_lies_below(
    make_model: Callable[..., LanguageModel], name: str, tmp_path: Path
) -> None:
    model = make_model(name)
    alone = written(tmp_path / "tiny", tiny_network(name).config.to_dict())
    plan = workbench.plan(alone, device="cpu", at=("3",), tflops=1.0)
    embedding = model.network.get_input_embeddings().weight.numel()
    idle = sum(plan.layer_weights[:3]) + (0 if plan.tied else embedding)
    assert plan.tied == (name == "GPT-2")
    assert plan.step.weights_bytes == 4 * (plan.parameters - idle)
    assert workbench.plan(alone, device="cpu", at=("0",), tflops=1.0).states_bytes == 0


def test_a_token_passes_the_experts_that_are_chosen_and_no_others(
    make_model: Callable[..., LanguageModel],
) -> None:
    model = make_model("Qwen3-MoE")  # two of four
    stacked = sum(info.weights for info in model.locations() if info.experts)
    whole = sum(p.numel() for p in model.layers.modules.parameters())
    assert stacked > whole // 4
    assert sum(passed_weights(model)) == whole - stacked // 2


@pytest.mark.slow
def test_a_model_of_72b_fits_into_80_gb_from_a_later_layer_on(tmp_path: Path) -> None:
    folder = written(tmp_path / "Qwen2.5-72B-Instruct", QWEN_72B)
    asked: dict[str, Any] = {"facts": 100_000, "tokens_a_fact": 15.6, "memory": "80GB"}
    plan = workbench.plan(folder, **asked)
    assert plan.parameters == 72_706_203_648
    assert {weights * plan.bytes_each for weights in plan.layer_weights} == {1_755_369_472}
    assert (plan.dtype, plan.step.at) == ("bfloat16", ("19.mlp.down_proj",))
    assert "scaled, not tuned" in plan.place_from
    assert plan.states_bytes == 1_560_000 * 8192 * 2
    # The layers above the tuned one, there and back, at 445 TFLOP/s.
    by_hand = 4 * 61 * 877_684_736 * 1_560_000 / 445e12
    assert plan.seconds(plan.step.epoch_flops) == pytest.approx(by_hand, rel=0.02)
    assert plan.fit == "no"
    steps: list[tuple[Step | None, dict[str, Any]]] = [
        (plan.fits_from, {}),
        (plan.fits_in_pieces_from, {"micro_batch_size": 1}),
    ]
    for later, pieces in steps:
        assert later is not None and 19 < later.layer < 60
        for layer, fits in ((later.layer, "step"), (later.layer - 1, "no")):
            there = workbench.plan(folder, at=(f"{layer}.mlp.down_proj",), **asked, **pieces)
            assert there.fit == fits
    assert workbench.plan(folder, **asked | {"memory": 200 * 10**9}).fit == "whole"


def test_the_hub_is_not_asked_for_a_config_that_is_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    asked: list[bool] = []

    def no_network() -> bool:
        asked.append(True)
        return False

    monkeypatch.setattr(source, "_hub_answers", no_network)
    add_to_cache(tmp_path, "some/tiny", tiny_network("Llama").config.to_dict(), None)
    assert workbench.plan("some/tiny", memory="1GB").model == "some/tiny"
    assert not asked
    with pytest.raises(ModelError, match="the hub cannot be reached"):
        workbench.plan("some/other", memory="1GB")
    assert asked == [True]


def test_time_is_that_of_this_machine_unless_a_memory_stands_for_another() -> None:
    here, there = workbench.plan(), workbench.plan(memory="80GB")
    assert "measured on" in here.flops_from and "free on" in here.memory_from
    assert 1e8 < here.flops < 1e16
    assert (there.flops, there.memory) == (445e12, 80 * 10**9)
    assert here.dtype == ("bfloat16" if torch.cuda.is_available() else "float32")


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(LocationError, match="8 layers"):
        workbench.plan(at=("8",), memory="1GB")
    for wrong in ("much", "0GB", "-3GB", "", "1e9", 0, True):
        with pytest.raises(SettingsError, match="memory"):
            workbench.plan(memory=wrong)
    with pytest.raises(SettingsError, match="tokens_a_fact"):
        workbench.plan(tokens_a_fact=0)


@given(st.integers(1, 10**18))
def test_a_memory_that_was_written_is_read_as_the_same(memory: int) -> None:
    assert parse_memory(write_memory(memory)) == memory


def test_a_memory_is_read_as_people_write_it() -> None:
    assert parse_memory(" 1.5 gb ") == 1_500_000_000
    assert parse_memory("80GB") == 80 * 10**9 == parse_memory("80000000000")
