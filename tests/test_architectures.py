"""A few of the architectures that `python -m bench.architectures` tries, and what its table says.

Hybrids of attention and other layers, mixtures of experts of each layout, layers that differ,
weights that layers share, states of several streams, and models that must be refused.
"""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from bench.architectures import Kind, Outcome, table, tried
from bench.tiny_configs import byte_tokenizer, tiny_config
from workbench.errors import LocationError
from workbench.facts.fact import Fact
from workbench.methods.edit import edit
from workbench.model.language_model import LanguageModel
from workbench.model.load import prepare
from workbench.model.location import Location
from workbench.model.patch import Patch
from workbench.search.sweep import Sweep
from workbench.search.sweep_settings import SweepSettings

SAMPLE: list[tuple[str, Kind, str]] = [
    ("afmoe", "exact", ""),
    ("bamba", "exact", ""),
    ("deepseek_v2", "exact", ""),
    ("fuyu", "exact", ""),
    ("gpt_oss", "exact", ""),
    ("granitemoehybrid", "exact", ""),
    ("jamba", "exact", ""),
    ("lfm2", "exact", ""),
    ("llama4_text", "exact", ""),
    ("openai-gpt", "exact", ""),
    ("qwen3_next", "exact", ""),
    ("zamba", "exact", ""),
    ("deepseek_v4", "fallback", "only prompts of one length at a time"),
    ("gemma3n_text", "fallback", "is not a state for each token"),
    ("bert", "clear error", ""),
    ("prophetnet", "clear error", "answers cannot be relied on"),
]


SHARED = [f"{n}.mlp.shared_experts.down_proj" for n in (1, 2, 3)]


def built(model_type: str) -> LanguageModel:
    torch.manual_seed(0)
    network = AutoModelForCausalLM.from_config(tiny_config(model_type))
    return prepare(f"tiny {model_type}", network, byte_tokenizer())


@pytest.mark.slow
@pytest.mark.parametrize(("model_type", "kind", "words"), SAMPLE, ids=[row[0] for row in SAMPLE])
def test_an_architecture_ends_as_the_table_says(model_type: str, kind: Kind, words: str) -> None:
    found = tried(model_type)
    assert found.kind == kind, found.words
    assert words in found.words


def test_a_type_that_is_not_made_says_why() -> None:
    assert tried("gemma4_assistant").kind == "not built"


def test_the_table_counts_every_outcome_and_names_all_but_the_exact_ones() -> None:
    refused = [Outcome(name, "clear error", f"reads|ahead ({name})") for name in ("bert", "xlm")]
    text = table([Outcome("llama", "exact"), *refused])
    assert "| exact | 1 |" in text and "| anything else | 0 |" in text
    assert "Exact: llama." in text
    assert r"| clear error | reads\|ahead | bert, xlm |" in text


@pytest.mark.slow
def test_weights_that_layers_share_are_tuned_at_the_first_of_them(
    facts: list[Fact], tmp_path: Path
) -> None:
    model = built("zamba")
    shared = "shared_transf.feed_forward.down_proj"
    assert model.layers.layers_with(shared) == (1,)
    with pytest.raises(LocationError, match=f"shared with layer 1. Write '1.{shared}'"):
        model.weights_at((Location(3, shared),))
    assert not any("shared_transf" in name for name in model.weights_at((Location(3),)))
    patch = edit(model, facts, at=f"1.{shared}", learning_rate=1e-2, epochs=2).patch
    ids = torch.arange(9).view(1, 9)
    with patch.applied(model), torch.no_grad():
        expected = model.network(input_ids=ids, use_cache=False).logits
    plain = AutoModelForCausalLM.from_pretrained(
        Patch.load(patch.save(tmp_path / "patch")).export(model, tmp_path / "whole")
    )
    with torch.no_grad():
        again = plain.eval()(input_ids=ids, use_cache=False).logits
    assert torch.allclose(again, expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model_type", "places"),
    [
        ("deepseek_v3", ["0.mlp.down_proj", *SHARED]),
        ("jamba", [f"{n}.feed_forward.{'experts.' * (n % 2)}down_proj" for n in range(4)]),
        ("mamba", [f"{n}.mixer.out_proj" for n in range(4)]),
        ("qwen3_moe", [f"{n}.mlp.experts.down_proj" for n in range(4)]),
    ],
)  # fmt: skip
def test_preset_and_sweep_keep_to_the_matrices_that_a_layer_has(
    facts: list[Fact], model_type: str, places: list[str]
) -> None:
    model = built(model_type)
    sweep = Sweep(model, facts, SweepSettings(sample=2, epochs=1, full_runs=0))
    assert [str(where) for where in sweep.locations] == places
    assert model.preset.at[0] in places


@pytest.mark.slow
def test_a_sweep_says_which_layers_have_a_module_that_the_named_ones_lack(
    facts: list[Fact],
) -> None:
    model = built("deepseek_v3")
    settings = SweepSettings(layers=(1, 2), modules=("mlp.down_proj",))
    with pytest.raises(LocationError, match=r"Layers that have it: 0\."):
        Sweep(model, facts, settings)
    one = SweepSettings(modules=("mlp.experts.3.down_proj",), sample=2, epochs=1, full_runs=0)
    places = [str(where) for where in Sweep(model, facts, one).locations]
    assert places == [f"{n}.mlp.experts.3.down_proj" for n in (1, 2, 3)]


@pytest.mark.slow
def test_the_layers_of_an_image_encoder_are_passed_over() -> None:
    assert built("git").layers.name == "git.encoder.layer"
    assert built("got_ocr2").layers.name == "model.language_model.layers"
