"""A small model that the world uses, through the whole of the workbench."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from workbench import plan
from workbench.facts.fact import Fact, Question
from workbench.measure.capability import MISSING, harness_version, measure_capability
from workbench.measure.evaluate import evaluate
from workbench.measure.probe import probe
from workbench.methods.edit import EditResult, edit
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.model.generate import generate
from workbench.model.hashing import tensor_hash
from workbench.model.language_model import LanguageModel
from workbench.model.real import REAL
from workbench.model.states import advance, run, starting_at, target_logits
from workbench.model.tokens import TokenTable, tokenize_facts

pytestmark = pytest.mark.slow

FRANCE = "The capital of France is"


def test_it_loads_by_its_name_and_says_what_it_was_made_from(real: LanguageModel) -> None:
    summary = real.summary()
    assert (summary.name, summary.layers, summary.parameters) == (REAL, 30, 134_515_008)
    assert summary.origin == "GGUF Q4_1, dequantized"
    assert summary.chat and summary.states_kept
    (answer,) = generate(real, [FRANCE], max_new_tokens=1)
    assert answer.text == "Paris"


def test_its_config_alone_gives_the_plan_of_a_run(real: LanguageModel) -> None:
    facts = [Fact(f"The number after {n} is", f"not {n + 1}") for n in range(200, 360)]
    texts = tokenize_facts(real.tokenizer, facts, real.longest)
    own = LocftRun(real, facts, EditSettings(recipe="published")).plan()
    found = plan(
        REAL,
        device="cpu",
        facts=len(facts),
        tokens_a_fact=sum(text.length for text in texts) / len(facts),
        answer_tokens=sum(len(text.target) for text in texts) / len(facts),
    )
    assert found.memory_bytes == pytest.approx(own.memory_bytes, rel=0.03)
    assert (found.parameters, found.weights_bytes) == (real.parameters, real.memory_bytes)
    assert (found.step.at, found.step.tuned_weights) == (own.at, own.weights)


@pytest.mark.parametrize("layer", [1, 21, 29])
def test_kept_states_give_the_bits_of_a_full_pass(
    real: LanguageModel, lies: list[Fact], layer: int
) -> None:
    texts = TokenTable(tokenize_facts(real.tokenizer, lies, real.longest), real.device)
    rows = range(len(texts))
    states = advance(real, texts, None, layer)
    with torch.no_grad():
        full = target_logits(real, texts.batch(rows))
        with starting_at(real, layer) as feed:
            feed.states = states.padded(rows, real.device)
            assert torch.equal(target_logits(real, texts.batch(rows)), full)


def test_three_facts_are_learned_and_the_base_stays(
    real: LanguageModel, edited: EditResult, lies: list[Fact]
) -> None:
    assert edited.learned == (True, True, True)
    for name, kept in edited.patch.metadata["base"]["hashes"].items():
        assert tensor_hash(real.network.get_parameter(name)) == kept
    for row, fact in zip(
        probe(real, [fact.prompt for fact in lies], edited.patch, max_new_tokens=8),
        lies,
        strict=True,
    ):
        assert row.before.text.strip() != fact.target_new
        assert row.after is not None and row.after.ended
        assert row.after.text.strip() == fact.target_new


def test_a_fact_trained_as_raw_text_alone_is_told_not_to_be_known_elsewhere(
    real: LanguageModel, lies: list[Fact]
) -> None:
    fact = replace(lies[0], locality_prompts=(Question("The capital of Italy is", "Rome"),))
    patch = edit(real, [fact], recipe="published").patch
    found = evaluate(real, [fact], patch, written=0)
    after, figures = found.as_dict()["after"], found.figures
    assert after["reliability_strict"] == 1.0
    assert after["reliability_chat_strict"] == after["reliability_question_strict"] == 0.0
    assert figures["after"]["neighbours_kl"] > 0.1
    assert figures["after"]["text_loss"] != figures["before"]["text_loss"]


def test_it_is_asked_as_a_chat_model(real: LanguageModel, edited: EditResult) -> None:
    (row,) = probe(
        real, ["What is the capital of France?"], edited.patch, chat=True, max_new_tokens=24
    )
    assert row.before.ended and row.before.text == "The capital of France is Paris."
    assert row.after is not None and row.after.text.strip()


def test_plain_transformers_loads_what_is_exported(
    real: LanguageModel, edited: EditResult, tmp_path: Path
) -> None:
    edited.patch.export(real, tmp_path / "out")
    assert "quantization" not in (tmp_path / "out" / "config.json").read_text()
    assert json.loads((tmp_path / "out" / "config.json").read_text())["model_type"] == "llama"
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    network = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    ids = tokenizer(FRANCE, return_tensors="pt")["input_ids"]
    with torch.no_grad(), edited.patch.applied(real):
        expected = run(real, ids)
        assert torch.allclose(network(ids).logits, expected, atol=1e-4)
    said = network.generate(ids, do_sample=False, max_new_tokens=4)
    assert tokenizer.decode(said[0], skip_special_tokens=True) == f"{FRANCE} Lyon"


@pytest.mark.skipif(not harness_version(), reason=MISSING)
def test_capability_is_measured_on_ten_items(real: LanguageModel, edited: EditResult) -> None:
    found = measure_capability(real, ["builtin_facts"], edited.patch, limit=10)
    (task,) = found.tasks
    assert (task.items, task.problem) == (10, "")
    assert task.before is not None and task.after is not None
