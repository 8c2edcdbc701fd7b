"""What holds of every method: the base stays, a run that was stopped goes on, facts are learned."""

from pathlib import Path
from typing import Any

import pytest
import torch

import workbench
from tests.conftest import byte_tokenizer, facts_to_learn, tiny_network
from tests.methods.rivals import QUICK, quick
from workbench.errors import PatchError
from workbench.facts.fact import Fact
from workbench.methods.base import METHODS
from workbench.methods.edit import EditResult, edit
from workbench.methods.events import Finished, Started, Stopped
from workbench.methods.locft_settings import EditSettings
from workbench.methods.looped import LoopedRun
from workbench.model.language_model import LanguageModel
from workbench.model.load import prepare
from workbench.model.patch import Patch
from workbench.paths import assets_dir

USUAL = str(assets_dir() / "health" / "builtin.txt")
WRITTEN: dict[str, Any] = {
    "sentences": 0,
    "value_steps": 20,
    "value_norm": 1.5,
    "layers": (1,),
    "text": USUAL,
}
LEARNING: dict[str, tuple[dict[str, Any], float]] = {
    "memit": (WRITTEN | {"usual_weight": 10.0}, 0.95),
    # Directions that usual inputs take are left out, and with them a part of what is to be said.
    "alphaedit": (WRITTEN | {"layers": (1, 2)}, 0.85),
    "ultraedit": ({"step": 2e-3}, 0.95),
    "crispedit": ({"text": USUAL}, 0.95),
    "lora": ({}, 0.95),
    "ft-m": ({}, 0.95),
}
"""Settings with which the built-in model learns its 20 facts, and at least how many."""


def test_every_rival_that_changes_weights_is_tested_here() -> None:
    assert QUICK.keys() == METHODS.keys() - {"locft-bf", "in-context"}


@pytest.mark.parametrize("method", QUICK)
def test_a_run_leaves_the_base_alone_and_its_patch_switches_off_to_the_bit(
    model: LanguageModel,
    facts: list[Fact],
    method: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {name: p.detach().clone() for name, p in model.network.named_parameters()}
    run = METHODS[method].start(model, facts, quick(method, tmp_path, monkeypatch))
    plan, events = run.plan(), []
    for event in run.events():
        events.append(event)
        now = dict(model.network.named_parameters())
        assert now.keys() == before.keys()
        assert all(torch.equal(now[name], old) for name, old in before.items())
        assert not any(p.requires_grad for p in now.values())
    assert isinstance(events[0], Started) and isinstance(events[-1], Finished)
    assert events[0] == plan
    run.patch({}).save(tmp_path / "patch")
    patch = Patch.load(tmp_path / "patch")
    assert patch.metadata["method"] == method
    assert METHODS[method].settings.from_dict(patch.metadata["settings"]) == run.settings
    with patch.applied(model):
        changed = model.tensor(next(iter(patch.tensors)))
        assert not torch.equal(changed, before[next(iter(patch.tensors))])
    assert all(torch.equal(p, before[n]) for n, p in model.network.named_parameters())


@pytest.mark.parametrize("method", QUICK)
def test_a_run_that_is_stopped_goes_on_to_the_same_bits(
    model: LanguageModel,
    facts: list[Fact],
    method: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = quick(method, tmp_path, monkeypatch)
    whole = METHODS[method].start(model, facts, settings)
    unbroken = list(whole.events())
    for after in (1, len(unbroken) // 3, len(unbroken) // 2):
        broken = METHODS[method].start(model, facts, settings)
        said = []
        for event in broken.events():
            said.append(event)
            if len(said) == after:
                broken.stop.ask()
        stopped = said[-1]
        assert isinstance(stopped, Stopped)
        path = tmp_path / f"{after}.safetensors"
        broken.save_checkpoint(path)
        resumed = METHODS[method].start(model, facts, settings, checkpoint=path)
        rest = list(resumed.events())
        first, last, end = rest[0], rest[-1], unbroken[-1]
        assert isinstance(first, Started) and first.resumed_epoch == stopped.epoch
        assert isinstance(last, Finished) and isinstance(end, Finished)
        assert last.losses == end.losses
        for name, tensor in whole.patch().tensors.items():
            assert torch.equal(resumed.patch().tensors[name], tensor)
    with pytest.raises(PatchError, match="facts differ"):
        METHODS[method].start(model, facts[1:], settings, checkpoint=path)


@pytest.fixture(scope="module")
def builtin() -> LanguageModel:
    return workbench.load_model("builtin", device="cpu")


def learned(builtin: LanguageModel, method: str, own: dict[str, Any]) -> EditResult:
    facts = workbench.read_facts(assets_dir() / "samples" / "facts_20.csv")
    return edit(builtin, facts, method=method, **own)


@pytest.mark.slow
@pytest.mark.parametrize("method", LEARNING)
def test_the_built_in_model_learns_20_facts(
    builtin: LanguageModel, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    own, least = LEARNING[method]
    assert learned(builtin, method, own).reliability_strict >= least


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ft", "ft-l"])
def test_the_loss_at_a_prompts_end_teaches_no_answer_of_several_tokens(
    builtin: LanguageModel, method: str
) -> None:
    """Why FT and FT-L stand where they do: every answer here has two tokens or more, EOS last."""
    own = {"steps": 6} if method == "ft" else {"steps": 6, "bound": 0.01}
    assert learned(builtin, method, own).reliability_strict <= 0.3


@pytest.mark.parametrize("method", ["crispedit", "lora", "ft", "ft-l", "ft-m"])
def test_on_a_model_that_chats_others_train_facts_as_they_stand_as_their_papers_do(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
    model = prepare("tiny chat", tiny_network("Llama"), tokenizer)
    facts = facts_to_learn()[:3]
    assert EditSettings().resolved(model.preset, 3).recipe == "holds"
    run = METHODS[method].start(model, facts, quick(method, tmp_path, monkeypatch))
    assert isinstance(run, LoopedRun)
    loop = run._loop.settings
    assert (loop.recipe, loop.forms, loop.keep, loop.spare) == ("published", ("raw",), 0, 0)
