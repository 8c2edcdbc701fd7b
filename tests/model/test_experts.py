"""Experts: chosen together or one by one, and edited without touching the others."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from workbench.errors import LocationError, PatchError
from workbench.facts.fact import Fact
from workbench.methods.edit import edit
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.model.experts import part_name, split_part
from workbench.model.language_model import LanguageModel
from workbench.model.location import Location, parse_locations
from workbench.model.patch import Patch

IDS = torch.arange(12).view(1, 12)
ONE = {
    "Mixtral": "2.mlp.experts.1.down_proj",
    "Qwen3-MoE": "2.mlp.experts.3.gate_up_proj",
    "DeepSeek-V3": "3.mlp.experts.0.down_proj",
    "DBRX": "2.ffn.experts.mlp.2.w2",
}


def logits(model: LanguageModel) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.network(IDS, use_cache=False).logits
    return found


def all_weights(model: LanguageModel) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in model.network.named_parameters()}


def edited(model: LanguageModel, facts: list[Fact], at: str) -> Patch:
    return edit(model, facts, at=at, learning_rate=1e-2, epochs=3).patch


@given(st.from_regex(r"[a-z_]\w*(\.\w+){0,6}", fullmatch=True), st.integers(0, 999_999))
def test_the_name_of_a_part_is_taken_apart_again(name: str, expert: int) -> None:
    assert split_part(part_name(name, expert)) == (name, expert)
    assert split_part(name) == (name, None)


@given(st.text(max_size=30))
def test_any_text_is_a_name_of_something(text: str) -> None:
    name, expert = split_part(text)
    assert (name == text) if expert is None else text.startswith(name)


@pytest.mark.parametrize("name", list(ONE))
def test_an_edit_of_one_expert_leaves_every_other_weight_as_it_was(
    make_model: Callable[..., LanguageModel], facts: list[Fact], name: str
) -> None:
    model = make_model(name)
    before, said = all_weights(model), logits(model)
    patch = edited(model, facts, ONE[name])
    ((tensor, new),) = patch.tensors.items()
    stack, expert = split_part(tensor)
    assert expert is not None and new.numel() * 4 == before[stack].numel()
    with patch.applied(model):
        after = all_weights(model)
        for other, weight in before.items():
            if other != stack:
                assert torch.equal(after[other], weight)
        for each in range(4):
            part, old = part_name(stack, each), before[stack]
            same = torch.equal(model.part(part, after[stack]), model.part(part, old))
            assert same == (each != expert)
        assert torch.equal(model.tensor(tensor), new)
        assert not torch.equal(logits(model), said)
    assert all(torch.equal(weight, before[n]) for n, weight in all_weights(model).items())
    assert torch.equal(logits(model), said)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def test_one_expert_learns_what_it_learns_when_gradients_of_the_others_are_thrown_away(
    make_model: Callable[..., LanguageModel], facts: list[Fact], dtype: torch.dtype
) -> None:
    model = make_model("Qwen3-MoE", dtype)
    one = edited(model, facts, "2.mlp.experts.3.gate_up_proj")
    whole = edited(model, facts[:7], "2.mlp.experts.gate_up_proj")
    ((name, new),) = one.tensors.items()
    first = edit(
        model, facts, at="2.mlp.experts.3.gate_up_proj", learning_rate=1e-2, epochs=1, batch_size=7
    ).patch.tensors[name]
    together = edit(
        model, facts, at="2.mlp.experts.gate_up_proj", learning_rate=1e-2, epochs=1, batch_size=7
    ).patch.tensors["model.layers.2.mlp.experts.gate_up_proj"]
    assert torch.equal(first, together[3])
    assert new.dtype == dtype and whole.weights == 4 * one.weights


def test_one_expert_is_tuned_the_same_from_kept_states_and_by_the_plain_forward(
    make_model: Callable[..., LanguageModel], facts: list[Fact]
) -> None:
    kept, plain = make_model("DeepSeek-V3"), make_model("DeepSeek-V3")
    assert kept.states_kept
    plain.fallback = "for this test"
    ((name, ours),) = edited(kept, facts, "3.mlp.experts.1.gate_up_proj").tensors.items()
    (theirs,) = edited(plain, facts, "3.mlp.experts.1.gate_up_proj").tensors.values()
    moved = (theirs - plain.tensor(name)).norm()
    assert moved > 0 and (ours - theirs).norm() < 1e-3 * moved


def test_a_run_on_one_expert_that_goes_on_from_a_checkpoint_ends_with_the_same_bits(
    make_model: Callable[..., LanguageModel], facts: list[Fact], tmp_path: Path
) -> None:
    model = make_model("Qwen3-MoE")
    settings = EditSettings(at=("1.mlp.experts.2",), learning_rate=1e-2, epochs=4)
    whole = LocftRun(model, facts, settings)
    for number, _ in enumerate(whole.events()):
        if number == 12:
            whole.save_checkpoint(tmp_path / "half")
    again = LocftRun(model, facts, settings, checkpoint=tmp_path / "half")
    list(again.events())
    assert len(whole.weights) == 2
    for name, weight in whole.weights.items():
        assert torch.equal(again.weights[name], weight)


@pytest.mark.parametrize("name", list(ONE))
def test_a_patch_of_one_expert_is_saved_switched_and_exported(
    make_model: Callable[..., LanguageModel], facts: list[Fact], tmp_path: Path, name: str
) -> None:
    model = make_model(name)
    patch = edited(model, facts, ONE[name])
    loaded = Patch.load(patch.save(tmp_path / "patch"))
    with patch.applied(model):
        expected = logits(model)
    with loaded.applied(model):
        assert torch.equal(logits(model), expected)
    plain = AutoModelForCausalLM.from_pretrained(loaded.export(model, tmp_path / "full")).eval()
    with torch.no_grad():
        assert torch.allclose(plain(IDS, use_cache=False).logits, expected, atol=1e-6)


def test_a_patch_of_one_expert_knows_its_base(
    make_model: Callable[..., LanguageModel], facts: list[Fact]
) -> None:
    patch = edited(make_model("Qwen3-MoE"), facts, "2.mlp.experts.3.down_proj")
    ((name, _),) = patch.tensors.items()
    other_expert, same_expert = make_model("Qwen3-MoE"), make_model("Qwen3-MoE")
    other_expert.tensor(part_name(split_part(name)[0], 0)).add_(1.0)
    patch.check(other_expert)
    same_expert.tensor(name).add_(1.0)
    with pytest.raises(PatchError, match="holds other values"):
        patch.check(same_expert)
    with pytest.raises(PatchError, match="has no tensor"):
        patch.check(make_model("Llama"))


def test_memory_of_a_run_counts_the_gradient_of_the_whole_stack(
    make_model: Callable[..., LanguageModel], facts: list[Fact]
) -> None:
    model = make_model("Qwen3-MoE")

    def tuned(at: str) -> int:
        return LocftRun(model, facts, EditSettings(at=(at,)))._tuned.memory_bytes

    one = tuned("2.mlp.experts.0.down_proj")
    matrix, stack = 32 * 32, 4 * 32 * 32
    assert tuned("2.mlp.experts.down_proj") - one == 16 * (stack - matrix) - 4 * stack


def test_all_experts_the_router_and_the_shared_expert_can_be_chosen(
    make_model: Callable[..., LanguageModel],
) -> None:
    model = make_model("DeepSeek-V3")
    listed = {str(info.location): info for info in model.locations()}
    assert listed["1.mlp.experts.down_proj"].experts == 4
    assert {"1.mlp.gate", "1.mlp.shared_experts.down_proj"} <= listed.keys()
    for at, count in [("1.mlp.experts", 2), ("1.mlp.experts.2", 2), ("1.mlp.shared_experts", 3)]:
        assert len(model.weights_at(parse_locations(at))) == count
    parts = model.layers.experts_in(listed["1.mlp.experts.gate_up_proj"])
    for info in parts:
        ((_, part),) = model.weights_at((info.location,)).items()
        assert tuple(part.shape) == info.shape == (32, 32)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("1.mlp.experts.4.down_proj", "has 4 experts in mlp.experts, 0 to 3"),
        ("1.mlp.experts.7", "has 4 experts in mlp.experts, 0 to 3"),
        ("1.mlp.experts.1.up", "has no module 'mlp.experts.1.up'"),
        ("0.mlp.experts.1", r"no module 'mlp.experts.1'.* Layers that have it: 1-3"),
        ("2.mlp.down_proj", r"no module 'mlp.down_proj'.* Layers that have it: 0\."),
        ("1.mlp.gate.1", "has no module 'mlp.gate.1'"),
    ],
)
def test_what_a_layer_lacks_is_named_with_the_layers_that_have_it(
    make_model: Callable[..., LanguageModel], at: str, words: str
) -> None:
    with pytest.raises(LocationError, match=words):
        make_model("DeepSeek-V3").weights_at((Location.parse(at),))


@pytest.mark.parametrize(
    "pair",
    [
        ("1.mlp.experts.2.down_proj", "1.mlp.experts.down_proj"),
        ("1.mlp.experts.2", "1.mlp.experts.down_proj"),
        ("1.mlp.experts.2.down_proj", "1.mlp"),
    ],
    ids=lambda pair: pair[0],
)
def test_an_expert_and_what_it_is_a_part_of_overlap(pair: tuple[str, str]) -> None:
    with pytest.raises(LocationError, match="overlap"):
        parse_locations(pair)
    assert len(parse_locations(["1.mlp.experts.2.down_proj", "1.mlp.experts.3.down_proj"])) == 2
