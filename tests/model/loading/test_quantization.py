"""Quantized checkpoints: refused with the one to take, or turned into plain weights exactly."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from tests.conftest import byte_tokenizer, facts_to_learn
from tests.model.loading.conftest import Copies, Weights
from workbench.errors import ModelError
from workbench.methods.edit import edit
from workbench.model.load import load_model
from workbench.model.loading.quantization import find_quantization, made_from

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "GPTQ, 4 bits"),
    ({"quant_method": "awq", "bits": 4, "version": "gemm"}, "AWQ, 4 bits"),
    ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "bitsandbytes, 4 bits"),
    ({"load_in_8bit": True}, "bitsandbytes, 8 bits"),
    (
        {
            "quant_method": "compressed-tensors",
            "config_groups": {"group_0": {"weights": {"num_bits": 8}}},
        },
        "compressed-tensors, 8 bits",
    ),
    ({"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 2}}}, "HQQ, 2 bits"),
    ({"quant_method": "quanto", "weights": "int8"}, "quanto"),
    ({"quant_method": "torchao", "quant_type": "int4_weight_only"}, "torchao"),
    ({"quant_method": "aqlm", "nbits_per_codebook": 16}, "AQLM, 16 bits"),
    ({"quant_method": "eetq", "weights": "int8"}, "EETQ"),
    ({"quant_method": "fbgemm_fp8", "activation_scale_ub": 1200.0}, "FBGEMM FP8"),
    ({"quant_method": "modelopt", "quant_algo": "FP8"}, "ModelOpt"),
    ({"quant_method": "nvfp4"}, "NVFP4"),
    ({"quant_method": "of tomorrow"}, "of tomorrow"),
    ({}, "of a kind that its config does not name"),
]


@pytest.mark.parametrize(("written", "label"), REFUSED, ids=[label for _, label in REFUSED])
def test_a_quantized_checkpoint_is_refused_with_the_one_to_take(
    written: dict[str, Any], label: str, copies: Copies
) -> None:
    folder = copies("Small-7B-Instruct-Quantized", quantization_config=written)
    with pytest.raises(ModelError) as refused:
        load_model(str(folder), device="cpu")
    says = str(refused.value)
    assert f"is quantized ({label}). Editing needs weights in 16 or 32 bits" in says
    assert says.endswith("the checkpoint that it was made from, often named 'Small-7B-Instruct'.")


@pytest.mark.parametrize(
    ("file", "label"),
    [
        ("quantize_config.json", "GPTQ"),
        ("quant_config.json", "AWQ"),
        ("hf_quant_config.json", "ModelOpt"),
    ],
)
def test_what_an_older_tool_wrote_beside_the_config_counts(
    file: str, label: str, copies: Copies
) -> None:
    folder = copies()
    (folder / file).write_text("{}")
    with pytest.raises(ModelError, match=rf"is quantized \({label}\)"):
        load_model(str(folder))


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("TheBloke/Llama-2-7B-Chat-GPTQ", "Llama-2-7B-Chat"),
        ("Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4", "Qwen2.5-7B-Instruct"),
        ("Qwen/Qwen2.5-7B-Instruct-AWQ", "Qwen2.5-7B-Instruct"),
        ("unsloth/Llama-3.2-1B-bnb-4bit", "Llama-3.2-1B"),
        ("unsloth/Qwen3-8B-unsloth-bnb-4bit", "Qwen3-8B"),
        ("RedHatAI/Llama-3.1-8B-Instruct-FP8-dynamic", "Llama-3.1-8B-Instruct"),
        ("neuralmagic/Llama-3.1-8B-quantized.w4a16", "Llama-3.1-8B"),
        ("nvidia/Llama-3.1-8B-Instruct-NVFP4", "Llama-3.1-8B-Instruct"),
        ("pytorch/Phi-4-mini-instruct-INT4", "Phi-4-mini-instruct"),
        ("ISTA-DASLab/Llama-2-7b-AQLM-2Bit-1x16-hf", "Llama-2-7b"),
        ("mobiuslabsgmbh/Llama-2-7b-chat-hf_4bitnogs_hqq", "Llama-2-7b-chat-hf"),
        ("/data/models/mistral-7b-awq", "mistral-7b"),
    ],
)
def test_the_name_of_a_quantized_checkpoint_tells_that_of_its_base(name: str, base: str) -> None:
    assert made_from(name, {}) == f", often named '{base}'"


def test_the_config_tells_the_base_better_than_the_name() -> None:
    told = {"_name_or_path": "meta-llama/Llama-2-7b-hf"}
    assert made_from("someone/llama-gptq", told) == ", named 'meta-llama/Llama-2-7b-hf'"
    assert made_from("someone/llama-gptq", {"_name_or_path": "/tmp/x"}) == ", often named 'llama'"
    assert made_from("someone/own-model", {}) == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["quant_method", "bits", "load_in_4bit", "config_groups", "weights", "x"])


@given(st.dictionaries(keys, json_values) | json_values)
def test_whatever_stands_in_a_quantization_config_is_refused_or_understood(written: Any) -> None:
    try:
        found = find_quantization("some/model", {"quantization_config": written}, None)
    except ModelError as refused:
        assert len(str(refused).splitlines()) == 1
    else:
        assert found is None if written is None else found is not None


def fp8(weight: torch.Tensor, block: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """A matrix in FP8 with a scale a block, as DeepSeek's checkpoints keep it."""
    (rows, columns), (high, wide) = weight.shape, block
    blocks = weight.reshape(rows // high, high, columns // wide, wide)
    scale = blocks.abs().amax(dim=(1, 3)) / 448.0
    stored = (blocks / scale[:, None, :, None]).to(torch.float8_e4m3fn)
    return stored.reshape(rows, columns), scale


def fp8_value(stored: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """What an FP8 matrix means, number by number."""
    high, wide = stored.shape[0] // scale.shape[0], stored.shape[1] // scale.shape[1]
    each = scale.repeat_interleave(high, 0).repeat_interleave(wide, 1)
    return stored.float() * each


def quantized_and_meant(weights: Weights) -> tuple[Weights, Weights]:
    """Weights with their projections in FP8, and the numbers that those mean."""
    stored: Weights = {}
    meant: Weights = {}
    for name, weight in weights.items():
        if weight.ndim == 2 and "proj" in name:
            stored[name], stored[f"{name}_scale_inv"] = fp8(weight.float(), (16, 16))
            meant[name] = fp8_value(stored[name], stored[f"{name}_scale_inv"])
        else:
            stored[name] = meant[name] = weight
    return stored, meant


FP8 = {
    "quant_method": "fp8",
    "fmt": "e4m3",
    "activation_scheme": "dynamic",
    "weight_block_size": [16, 16],
}


def deepseek() -> Any:
    """A random DeepSeek-V3: one dense layer, one of experts."""
    torch.manual_seed(0)
    config = transformers.DeepseekV3Config(
        hidden_size=32,
        intermediate_size=64,
        moe_intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        vocab_size=260,
        n_routed_experts=4,
        num_experts_per_tok=2,
        n_group=1,
        topk_group=1,
        first_k_dense_replace=1,
        n_shared_experts=1,
        q_lora_rank=16,
        kv_lora_rank=16,
        qk_rope_head_dim=16,
        qk_nope_head_dim=16,
        v_head_dim=16,
        eos_token_id=257,
        pad_token_id=258,
    )
    return transformers.DeepseekV3ForCausalLM(config)


def rewritten(folder: Path, weights: Weights, **config: Any) -> Path:
    """A model folder with other weights and other values in its config."""
    kept = {name: tensor.contiguous() for name, tensor in weights.items()}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    Copies.change(folder / "config.json", **config)
    byte_tokenizer().save_pretrained(folder)
    return folder


def same_as_plain(quantized: Path, plain: Path, label: str) -> None:
    """Checks that a quantized folder and a plain one are the same model, and export the same."""
    model, other = load_model(str(quantized), device="cpu"), load_model(str(plain), device="cpu")
    assert all(p.dtype == torch.float32 for p in model.network.parameters())
    wanted = other.network.state_dict()
    assert wanted.keys() == model.network.state_dict().keys()
    for name, weight in model.network.state_dict().items():
        assert torch.equal(weight, wanted[name]), name
    ids = torch.arange(12).view(1, 12)
    assert torch.equal(model.network(ids).logits, other.network(ids).logits)
    assert (model.origin, model.notices) == (f"{label}, dequantized", ())
    assert (other.origin, other.notices) == ("", ())

    name = next(n for n, p in model.network.named_parameters() if "down_proj" in n)
    edited = {name: model.network.get_parameter(name) * 2}
    exported = quantized.parent / "exported"
    with model.with_weights(edited):
        model.network.save_pretrained(exported)
    kept = load_file(exported / "model.safetensors")
    assert {weight.dtype for weight in kept.values()} == {torch.float32}
    assert "quantization_config" not in json.loads((exported / "config.json").read_text())
    again = transformers.AutoModelForCausalLM.from_pretrained(exported, dtype=torch.float32)
    for key, weight in again.state_dict().items():
        assert torch.equal(weight, edited.get(key, wanted[key])), key


def test_fp8_weights_become_exactly_the_numbers_that_they_mean(
    copies: Copies, original: Path
) -> None:
    weights = load_file(original / "model.safetensors")
    stored, meant = quantized_and_meant(weights)
    quantized = rewritten(copies("quantized"), stored, quantization_config=FP8)
    same_as_plain(quantized, rewritten(copies("plain"), meant), "FP8")


@pytest.mark.parametrize("wrapped", [False, True], ids=["plain names", "wrapped names"])
def test_an_edit_of_an_fp8_model_is_exported_in_plain_weights(
    wrapped: bool, copies: Copies, original: Path
) -> None:
    stored, _ = quantized_and_meant(load_file(original / "model.safetensors"))
    if wrapped:
        stored = {f"_orig_mod.{name}": tensor for name, tensor in stored.items()}
    model = load_model(str(rewritten(copies(), stored, quantization_config=FP8)), device="cpu")
    patch = edit(model, facts_to_learn()[:2], at="3.mlp.down_proj", epochs=3).patch
    exported = patch.export(model, copies.place / "exported")
    assert "quantization_config" not in json.loads((exported / "config.json").read_text())
    again = load_model(str(exported), device="cpu")
    assert (again.origin, again.notices) == ("", ())
    with patch.applied(model):
        wanted = model.network.state_dict()
        assert all(torch.equal(t, wanted[n]) for n, t in again.network.state_dict().items())


def test_fp8_experts_become_exactly_the_numbers_that_they_mean(tmp_path: Path) -> None:
    for name in ("quantized", "plain"):
        deepseek().save_pretrained(tmp_path / name)
    stored, meant = quantized_and_meant(load_file(tmp_path / "plain" / "model.safetensors"))
    assert any("experts.3.down_proj" in name for name in stored)
    quantized = rewritten(tmp_path / "quantized", stored, quantization_config=FP8)
    same_as_plain(quantized, rewritten(tmp_path / "plain", meant), "FP8")


def test_mxfp8_weights_become_exactly_the_numbers_that_they_mean(
    copies: Copies, original: Path
) -> None:
    stored: Weights = {}
    meant: Weights = {}
    for name, weight in load_file(original / "model.safetensors").items():
        stored[name] = meant[name] = weight
        if "proj" in name:
            stored[name] = weight.mul(64).to(torch.float8_e4m3fn)
            exponents = torch.randint(118, 124, (weight.shape[0], weight.shape[1] // 32))
            if weight.shape[1] % 32:
                exponents = torch.randint(118, 124, (weight.shape[0], 1))
            stored[f"{name}_scale_inv"] = exponents.to(torch.uint8)
            meant[name] = fp8_value(stored[name], 2.0 ** (exponents.float() - 127))
    said = {"quant_method": "mxfp8", "scale_fmt": "ue8m0", "weight_block_size": [1, 32]}
    quantized = rewritten(copies("quantized"), stored, quantization_config=said)
    same_as_plain(quantized, rewritten(copies("plain"), meant), "MXFP8")


def test_fp8_weights_without_their_scale_are_refused(copies: Copies, original: Path) -> None:
    stored, _ = quantized_and_meant(load_file(original / "model.safetensors"))
    bare = {name: tensor for name, tensor in stored.items() if not name.endswith("_inv")}
    folder = rewritten(copies("small-FP8"), bare, quantization_config=FP8)
    with pytest.raises(ModelError, match=r"F8_E4M3 without the scale .* often named 'small'"):
        load_model(str(folder))


@pytest.mark.parametrize("said", [FP8, None], ids=["said", "not said"])
def test_fp8_experts_are_never_read_without_their_scale(
    said: dict[str, Any] | None, tmp_path: Path
) -> None:
    deepseek().save_pretrained(tmp_path / "small-fp8")
    weights = load_file(tmp_path / "small-fp8" / "model.safetensors")
    name = "model.layers.1.mlp.experts.2.up_proj.weight"
    weights[name] = weights[name].to(torch.float8_e4m3fn)
    folder = rewritten(tmp_path / "small-fp8", weights, quantization_config=said)
    with pytest.raises(ModelError, match=r"keeps .*experts\.2\.up_proj\.weight as F8_E4M3"):
        load_model(str(folder))


def test_fp8_weights_that_the_config_does_not_speak_of_are_refused(
    copies: Copies, original: Path
) -> None:
    stored, _ = quantized_and_meant(load_file(original / "model.safetensors"))
    with pytest.raises(ModelError, match=r"as F8_E4M3, which its config\.json does not explain"):
        load_model(str(rewritten(copies(), stored)))


def test_packed_weights_that_the_config_does_not_speak_of_are_refused(copies: Copies) -> None:
    def packed(weights: Weights) -> Weights:
        name = "model.layers.1.mlp.down_proj."
        del weights[f"{name}weight"]
        return {**weights, f"{name}qweight": torch.zeros(4, 4, dtype=torch.int32)}

    with pytest.raises(ModelError, match=r"quantized weights, such as .*down_proj\.qweight"):
        load_model(str(copies.with_weights(packed)))


E2M1 = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]
E2M1 += [-value for value in E2M1]


def mxfp4_value(blocks: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """What packed FP4 means, number by number: two to a byte, the low half first."""
    flat = blocks.flatten(0, -2)
    rows = []
    for row, scale in zip(flat.tolist(), scales.flatten().tolist(), strict=True):
        halves = [half for byte in row for half in (byte & 15, byte >> 4)]
        rows.append([E2M1[half] * 2.0 ** (scale - 127) for half in halves])
    values = torch.tensor(rows).view(*blocks.shape[:-2], -1)
    return values.transpose(1, 2)


def test_mxfp4_experts_become_exactly_the_numbers_that_they_mean(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = transformers.GptOssConfig(
        hidden_size=64,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        vocab_size=260,
        num_local_experts=4,
        num_experts_per_tok=2,
        eos_token_id=257,
        pad_token_id=258,
    )
    network = transformers.GptOssForCausalLM(config)
    for name in ("quantized", "plain"):
        network.save_pretrained(tmp_path / name)
    stored: Weights = {}
    meant: Weights = {}
    for name, weight in load_file(tmp_path / "plain" / "model.safetensors").items():
        if name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            experts, inner, outer = weight.shape
            shape = (experts, outer, inner // 32)
            stored[f"{name}_blocks"] = torch.randint(0, 256, (*shape, 16), dtype=torch.uint8)
            stored[f"{name}_scales"] = torch.randint(118, 124, shape, dtype=torch.uint8)
            meant[name] = mxfp4_value(stored[f"{name}_blocks"], stored[f"{name}_scales"])
            assert meant[name].shape == weight.shape
        else:
            stored[name] = meant[name] = weight
    said = {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]}
    quantized = rewritten(tmp_path / "quantized", stored, quantization_config=said)
    same_as_plain(quantized, rewritten(tmp_path / "plain", meant), "MXFP4")
