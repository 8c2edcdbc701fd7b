"""The real model within 250 MB for its weights, which are 538 MB."""

import json
import subprocess
import sys
from typing import Any

import pytest

from workbench.facts.fact import Fact
from workbench.measure.evaluate import evaluate
from workbench.measure.probe import probe
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.model.real import REAL
from workbench.search.sweep import Sweep
from workbench.search.sweep_events import LocationDone
from workbench.search.sweep_settings import SweepSettings

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
edit(model, [fact], at=("24.mlp.down_proj",), epochs=2, recipe="published")
print(json.dumps([before, loaded, resident()]))
"""


@pytest.fixture(scope="module")
def apart(real: LanguageModel) -> LanguageModel:
    return load_model(REAL, device="cpu", memory=MEMORY)


def test_edit_evaluation_probe_and_sweep_give_what_they_give_in_memory(
    real: LanguageModel, apart: LanguageModel, lies: list[Fact]
) -> None:
    assert apart.placement.streamed == tuple(range(23))
    plain: dict[str, Any] = {"recipe": "published", "epochs": 3}
    found, patches = [], list[Patch]()
    for model in (real, apart):
        run = LocftRun(model, lies, EditSettings(at=("21.mlp.down_proj",), **plain), watch=False)
        for _ in run.events():
            pass
        patches.append(patch := run.patch())
        after = evaluate(model, lies, patch, written=0).as_dict()["after"]
        said = probe(model, [fact.prompt for fact in lies], patch, max_new_tokens=2)
        settings = SweepSettings(
            layers=(24,), modules=("mlp.down_proj",), sample=1, full_runs=0, **plain
        )
        rows = [
            (event.at, event.loss, event.reliable)
            for event in Sweep(model, lies, settings, answer_tokens=1).events()
            if isinstance(event, LocationDone)
        ]
        answers = [(row.before.tokens, row.after and row.after.tokens) for row in said]
        found.append((run.learned(), after, answers, rows))
    assert found[0] == found[1]
    assert "a step reads layers 21,22 twice" in run.plan().streams
    for name, tensor in patches[0].tensors.items():
        assert (tensor - patches[1].tensors[name]).abs().max() <= 1e-5
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
