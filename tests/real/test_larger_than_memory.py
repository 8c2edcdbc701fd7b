"""The real model within 250 MB for its weights, which are 538 MB."""

import json
import subprocess
import sys

import pytest

from workbench.api import sweep
from workbench.facts.fact import Fact
from workbench.measure.evaluate import evaluate
from workbench.measure.probe import probe
from workbench.methods.edit import EditResult, edit
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.real import REAL

pytestmark = pytest.mark.slow

MEMORY = 250_000_000

# Printed by a process that does nothing else: what it holds before and after it loads the model.
RESIDENT = """
import json, sys, psutil, torch
import accelerate.hooks
from transformers import LlamaForCausalLM
from workbench.facts.fact import Fact
from workbench.methods.edit import edit
from workbench.model.load import load_model

def resident():
    return psutil.Process().memory_info().rss

before = resident()
model = load_model("smollm2-135m", device="cpu", memory=int(sys.argv[1]) or None)
loaded = resident()
fact = Fact("The capital of France is", "Lyon")
edit(model, [fact], at=("24.mlp.down_proj",), epochs=2, forms=("raw",), keep=0.0)
print(json.dumps([before, loaded, resident()]))
"""


@pytest.fixture(scope="module")
def apart(real: LanguageModel) -> LanguageModel:
    return load_model(REAL, device="cpu", memory=MEMORY)


def test_edit_evaluation_probe_and_sweep_give_what_they_give_in_memory(
    real: LanguageModel, apart: LanguageModel, lies: list[Fact], edited: EditResult
) -> None:
    assert apart.placement.streamed == tuple(range(23))
    assert "a step reads layers 21,22 twice" in edit(apart, lies, epochs=1, keep=0.0).plan.streams
    patch = edit(apart, lies).patch
    for name, tensor in edited.patch.tensors.items():
        assert (tensor - patch.tensors[name]).abs().max() <= 1e-5
    prompts = [fact.prompt for fact in lies]
    found = []
    for model in (real, apart):
        after = evaluate(model, lies, edited.patch, written=1).as_dict()["after"]
        said = probe(model, prompts, edited.patch, max_new_tokens=4)
        swept = sweep(
            model, lies, layers=(24,), modules=("mlp.down_proj",), epochs=1, sample=2, full_runs=0
        )
        answers = [(row.before.tokens, row.after and row.after.tokens) for row in said]
        rows = [(row.at, row.loss, row.reliable) for row in swept.rows]
        found.append((after, answers, rows))
    assert found[0] == found[1]
    assert apart.stream is not None
    assert apart.held_bytes + apart.stream.meter.most_held <= MEMORY


def test_the_process_is_smaller_by_the_layers_that_it_does_not_hold(real: LanguageModel) -> None:
    found = []
    for memory in ("0", str(MEMORY)):
        ran = subprocess.run(
            [sys.executable, "-c", RESIDENT, memory], capture_output=True, text=True, check=True
        )
        found.append(json.loads(ran.stdout))
    (before, loaded, edited), (same, smaller, after) = found
    spared = real.memory_bytes - MEMORY
    assert abs(before - same) < 20e6
    assert (loaded - before) - (smaller - same) > 0.9 * spared
    assert (edited - before) - (after - same) > 0.8 * spared
