"""The flags of a checkpoint's config.json break nothing and change nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Gemma3Config

from tests.conftest import byte_tokenizer, facts_to_learn, tiny_network
from tests.offenders import CHECKPOINT_FLAGS, shipping, tiny_checkpoint
from workbench.measure.evaluate import evaluate
from workbench.methods.edit import edit
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model, prepare
from workbench.model.shipped import plain_flags
from workbench.model.states import advance, run
from workbench.model.tokens import TokenTable, tokenize_facts

pytestmark = pytest.mark.slow

FACTS = facts_to_learn()
PROMPTS = [fact.prompt for fact in FACTS]
KINDS = ("Llama", "GPT-2", "Mixtral", "Qwen3-MoE", "Falcon", "Gemma 3")
FLAGS: dict[str, dict[str, Any]] = {
    **{name: {name: value} for name, value in CHECKPOINT_FLAGS.items()},
    "use_cache on": {"use_cache": True},
    "return_dict null": {"return_dict": None},
    "all": CHECKPOINT_FLAGS,
}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Plain tiny checkpoints by architecture, each made once."""
    root = tmp_path_factory.mktemp("flags")

    def made(kind: str) -> Path:
        folder = root / kind.replace(" ", "-")
        return folder if folder.exists() else tiny_checkpoint(folder, kind)

    return made


def logits(model: LanguageModel) -> torch.Tensor:
    with torch.no_grad():
        return run(model, torch.arange(12).view(1, 12))


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_flag_changes_neither_forward_nor_states_nor_answers(
    kind: str, flags: str, checkpoints: Callable[[str], Path], tmp_path: Path
) -> None:
    source = checkpoints(kind)
    plain = load_model(str(source), device="cpu")
    flagged = load_model(str(shipping(source, tmp_path / "model", {}, FLAGS[flags])), device="cpu")
    assert flagged.states_kept and flagged.returns == plain.returns
    assert torch.equal(logits(flagged), logits(plain))
    texts = TokenTable(tokenize_facts(plain.tokenizer, FACTS, None), plain.device)
    assert torch.equal(advance(flagged, texts, None, 2).flat, advance(plain, texts, None, 2).flat)
    assert generate(flagged, PROMPTS) == generate(plain, PROMPTS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_and_its_measures_are_the_same_under_all_flags(
    kind: str, checkpoints: Callable[[str], Path], tmp_path: Path
) -> None:
    source = checkpoints(kind)
    folder = shipping(source, tmp_path / "model", {}, CHECKPOINT_FLAGS)
    patches, measures = [], []
    for model in (load_model(str(source), device="cpu"), load_model(str(folder), device="cpu")):
        patch = edit(model, FACTS, at="2", learning_rate=1e-2, batch_size=7, epochs=3).patch
        patches.append(patch.tensors)
        measures.append(evaluate(model, FACTS, patch).as_dict())
    plain, flagged = patches
    assert plain.keys() == flagged.keys()
    assert all(torch.equal(tensor, flagged[name]) for name, tensor in plain.items())
    assert measures[0] == measures[1]


@pytest.mark.parametrize("name", CHECKPOINT_FLAGS)
def test_the_flags_of_a_model_in_memory_are_set_aside_too(name: str) -> None:
    plain = prepare("tiny", tiny_network("Mixtral"), byte_tokenizer())
    network = tiny_network("Mixtral")
    if name == "output_attentions":
        network.set_attn_implementation("eager")
    setattr(network.config, name, CHECKPOINT_FLAGS[name])
    flagged = prepare("tiny", network, byte_tokenizer())
    assert flagged.states_kept
    assert torch.allclose(logits(flagged), logits(plain), atol=1e-5)
    assert [a.tokens for a in generate(flagged, PROMPTS)] == [
        a.tokens for a in generate(plain, PROMPTS)
    ]


def test_the_flags_of_configs_inside_a_config_are_set_aside_too() -> None:
    inner = {"output_hidden_states": True, "return_dict": False, "output_attentions": True}
    config = Gemma3Config(text_config=inner, output_hidden_states=True)
    plain_flags(config)
    for one in (config, config.text_config, config.vision_config):
        assert (one.return_dict, one.output_hidden_states, one.output_attentions) == (
            True,
            False,
            False,
        )
