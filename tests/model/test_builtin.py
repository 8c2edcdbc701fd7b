"""The defaults on the built-in model: whatever the number of facts, they are learned."""

import json

import pytest

from workbench.facts.read import read_facts
from workbench.measure.evaluate import evaluate
from workbench.measure.probe import probe
from workbench.methods.edit import edit
from workbench.methods.locft_settings import EditSettings
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.paths import assets_dir


@pytest.fixture(scope="module")
def builtin() -> LanguageModel:
    return load_model("builtin", device="cpu")


@pytest.mark.parametrize("count", [1, 3, 20, pytest.param(200, marks=pytest.mark.slow)])
def test_with_nothing_set_the_sample_facts_are_learned(builtin: LanguageModel, count: int) -> None:
    facts = read_facts(assets_dir() / "samples" / "facts_200.csv").facts[:count]
    result = edit(builtin, facts)
    assert result.reliability_strict >= 0.99
    assert isinstance(result.settings, EditSettings)
    assert result.settings.at == ("6.mlp.down_proj",)


@pytest.mark.slow
def test_an_edit_carries_over_to_questions_and_leaves_others_alone(
    builtin: LanguageModel,
) -> None:
    facts = read_facts(assets_dir() / "samples" / "facts_20.json").facts
    patch = edit(builtin, facts).patch
    (asked,) = probe(builtin, ["What is the capital of Australia?"], patch)
    assert asked.after is not None
    assert (asked.before.text, asked.after.text) == ("Canberra", "Melbourne")
    after = evaluate(builtin, facts, patch, forms=("raw",)).as_dict()["after"]
    assert after["generalization_strict"] > 0.7
    assert after["locality_strict"] > 0.85


@pytest.mark.slow
def test_breadth_first_keeps_more_than_depth_first(builtin: LanguageModel) -> None:
    facts = read_facts(assets_dir() / "samples" / "facts_200.csv").facts[:60]
    locality = {}
    for pipeline in ("breadth-first", "depth-first"):
        result = edit(builtin, facts, batch_size=6, epochs=15, pipeline=pipeline)
        report = evaluate(builtin, facts, result.patch, forms=("raw",)).as_dict()["after"]
        locality[pipeline] = (report["reliability_strict"], report["locality_strict"])
    assert locality["breadth-first"][0] >= locality["depth-first"][0]
    assert locality["breadth-first"][1] > locality["depth-first"][1] + 0.05


def test_a_record_survives_json(builtin: LanguageModel) -> None:
    facts = read_facts(assets_dir() / "samples" / "facts_20.csv").facts[:2]
    patch: Patch = edit(builtin, facts, epochs=1).patch
    assert json.loads(json.dumps(patch.metadata)) == patch.metadata
