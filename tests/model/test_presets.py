"""Presets: found by name, then by shape, else a guess that says so."""

import pytest

from workbench.model.location import parse_locations
from workbench.model.presets import PRESETS, ModelShape, Preset, find_preset

LLAMA_MATRICES = ("self_attn.q_proj", "self_attn.o_proj", "mlp.up_proj", "mlp.down_proj")
LLAMA_8B = ModelShape("llama", 32, 4096, 128256)
OTHER = ModelShape("llama", 16, 2048, 128256)


@pytest.mark.parametrize(
    "name",
    ["meta-llama/Meta-Llama-3-8B-Instruct", "META-LLAMA/meta-llama-3-8b-instruct",
     "/models/Meta-Llama-3-8B-Instruct/", r"C:\models\Meta-Llama-3-8B-Instruct"],
)  # fmt: skip
def test_a_model_is_known_by_its_name_wherever_it_lies(name: str) -> None:
    preset = find_preset(name, OTHER, LLAMA_MATRICES)
    assert (preset.at, preset.learning_rate) == (("22.mlp.down_proj",), 5e-4)
    assert not preset.is_guess


@pytest.mark.parametrize(
    ("name", "at", "learning_rate"),
    [
        ("meta-llama/Meta-Llama-3-8B-Instruct", ("22.mlp.down_proj",), 5e-4),
        ("Qwen/Qwen2.5-7B-Instruct", ("6.mlp.down_proj",), 5e-4),
        ("mistralai/Mistral-7B-v0.1", ("23",), 5e-5),
    ],
)
def test_the_papers_three_models_have_its_numbers(
    name: str, at: tuple[str, ...], learning_rate: float
) -> None:
    preset = find_preset(name, OTHER, LLAMA_MATRICES)
    assert (preset.at, preset.learning_rate) == (at, learning_rate)
    assert "2509.22072" in preset.source


def test_a_model_of_a_known_shape_gets_its_preset_as_a_guess() -> None:
    preset = find_preset("somebody/fine-tuned-llama", LLAMA_8B, LLAMA_MATRICES)
    assert (preset.at, preset.learning_rate) == (("22.mlp.down_proj",), 5e-4)
    assert preset.is_guess
    assert "same shape" in preset.name


@pytest.mark.parametrize(
    ("matrices", "module"),
    [
        (LLAMA_MATRICES, "mlp.down_proj"),
        (("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"), "mlp.c_proj"),
        (("attention.dense", "mlp.dense_h_to_4h", "mlp.dense_4h_to_h"), "mlp.dense_4h_to_h"),
        (("self_attn.out_proj", "fc1", "fc2"), "fc2"),
        (("mixer.in", "mixer.out"), "mixer.out"),
    ],
)
def test_an_unknown_model_gets_a_late_layers_output_matrix_as_a_guess(
    matrices: tuple[str, ...], module: str
) -> None:
    preset = find_preset("somebody/new", ModelShape("new", 24, 1024, 50_000), matrices)
    (location,) = parse_locations(preset.at)
    assert 12 <= location.layer < 24
    assert location.module == module
    assert preset.is_guess and "guess" in preset.source


@pytest.mark.parametrize("layers", [1, 2, 3, 100])
def test_a_guess_lies_inside_the_model(layers: int) -> None:
    preset = find_preset("x", ModelShape("new", layers, 64, 100), LLAMA_MATRICES)
    assert 0 <= parse_locations(preset.at)[0].layer < layers
    assert preset.learning_rate > 0


@pytest.mark.parametrize(
    ("name", "shape", "layer"),
    [
        ("Qwen/Qwen2.5-14B-Instruct", ModelShape("qwen2", 48, 5120, 152064), 11),
        ("Qwen/Qwen2.5-32B", ModelShape("qwen2", 64, 5120, 152064), 15),
        ("Qwen/Qwen2.5-72B-Instruct", ModelShape("qwen2", 80, 8192, 152064), 19),
    ],
)
def test_larger_models_of_a_tuned_family_have_its_place_at_the_same_depth_and_say_so(
    name: str, shape: ModelShape, layer: int
) -> None:
    for called in (name, "somebody/fine-tune"):
        preset = find_preset(called, shape, LLAMA_MATRICES)
        assert preset.at == (f"{layer}.mlp.down_proj",)
        assert preset.is_guess and preset.standing == "scaled, not tuned"
        assert "not tuned" in preset.source
    assert find_preset("Qwen/Qwen2.5-7B-Instruct", shape, LLAMA_MATRICES).standing == "measured"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_has_a_source_and_locations_that_can_be_read(preset: Preset) -> None:
    assert preset.source and parse_locations(preset.at)
    assert 0 < preset.learning_rate < 0.1
    assert preset.is_guess == preset.is_scaled
