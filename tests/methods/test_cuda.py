"""On a CUDA GPU: the same results, faster; skipped where there is none."""

from pathlib import Path

import pytest
import torch

from workbench.facts.read import read_facts
from workbench.methods.events import BatchDone
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.model.load import load_model
from workbench.paths import assets_dir

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU on this machine"),
]
SETTINGS = EditSettings(epochs=5)


def losses(run: LocftRun) -> list[float]:
    return [event.loss for event in run.events() if isinstance(event, BatchDone)]


def test_a_run_on_cuda_follows_the_run_on_the_cpu() -> None:
    facts = read_facts(assets_dir() / "samples" / "facts_20.csv").facts
    on_cpu = losses(LocftRun(load_model(device="cpu"), facts, SETTINGS))
    on_cuda = losses(LocftRun(load_model(device="cuda", dtype="float32"), facts, SETTINGS))
    assert on_cuda == pytest.approx(on_cpu, abs=0.02)


def test_in_bfloat16_the_facts_are_learned_and_the_base_comes_back() -> None:
    facts = read_facts(assets_dir() / "samples" / "facts_20.csv").facts
    model = load_model(device="cuda")
    assert model.dtype == torch.bfloat16
    before = {name: p.detach().clone() for name, p in model.network.named_parameters()}
    run = LocftRun(model, facts)
    list(run.events())
    assert sum(run.learned()) / len(facts) >= 0.95
    assert all(torch.equal(p, before[n]) for n, p in model.network.named_parameters())


def test_a_checkpoint_goes_on_on_cuda(tmp_path: Path) -> None:
    facts = read_facts(assets_dir() / "samples" / "facts_20.csv").facts
    model = load_model(device="cuda", dtype="float32")
    whole = losses(LocftRun(model, facts, SETTINGS))
    run = LocftRun(model, facts, SETTINGS)
    for done, _ in enumerate(run.events()):
        if done == 20:
            run.stop.ask()
    run.save_checkpoint(tmp_path / "c")
    rest = losses(LocftRun(model, facts, SETTINGS, checkpoint=tmp_path / "c"))
    assert rest == pytest.approx(whole[-len(rest) :], abs=0.02)
