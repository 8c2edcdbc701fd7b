"""LocFT-BF: the recipe to the letter, repeatable, resumable, and never a trace in the base."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn import functional

from tests.umask import UMASKS, permissions, under
from workbench.errors import FactsError, LocationError, PatchError, SettingsError
from workbench.facts.fact import Fact
from workbench.methods.batch_step import BatchStep
from workbench.methods.edit import edit
from workbench.methods.events import (
    BatchDone,
    EpochDone,
    Finished,
    MicroBatchHalved,
    Started,
    Stopped,
)
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings, ResolvedEditSettings
from workbench.methods.schedule import Schedule
from workbench.methods.seen import Seen
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import tokenize
from workbench.work.events import Event

SETTINGS = EditSettings(
    recipe="published", at=("2.mlp.down_proj",), learning_rate=1e-2, batch_size=3, epochs=6
)


def losses_of(events: list[Event]) -> list[float]:
    return [event.loss for event in events if isinstance(event, BatchDone)]


def plain_loop(
    model: LanguageModel, facts: list[Fact], settings: ResolvedEditSettings
) -> tuple[list[float], torch.Tensor]:
    """The same recipe as anyone would write it: full forward, nothing kept, fact by fact."""
    weight = model.network.get_parameter("model.layers.2.mlp.down_proj.weight")
    base = weight.detach().clone()
    weight.requires_grad_(True)
    optimizer = torch.optim.Adam([weight], lr=settings.learning_rate)
    schedule = Schedule.of(settings, len(facts))
    losses = []
    for epoch in range(schedule.epochs):
        if schedule.depth_first:
            optimizer = torch.optim.Adam([weight], lr=settings.learning_rate)
        for cursor in range(schedule.batches_per_epoch):
            per_fact = []
            for row in schedule.rows(epoch, cursor):
                (text,) = tokenize(model.tokenizer, [facts[row].prompt], [facts[row].target_new])
                ids = torch.tensor([text.prompt + text.target])
                logits = model.network(ids, use_cache=False).logits[0, len(text.prompt) - 1 : -1]
                per_fact.append(functional.cross_entropy(logits, torch.tensor(text.target)))
            loss = torch.stack(per_fact).mean()
            losses.append(loss.item())
            if loss.item() >= settings.skip_loss:
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            if schedule.depth_first and loss.item() < settings.stop_loss:
                break
    tuned = weight.detach().clone()
    weight.requires_grad_(False)
    weight.grad = None
    weight.data = base
    return losses, tuned


@pytest.mark.parametrize("pipeline", ["breadth-first", "depth-first"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_every_step_is_that_of_a_plain_loop(
    model: LanguageModel, facts: list[Fact], pipeline: str, batch_size: int
) -> None:
    settings = EditSettings.from_dict(
        SETTINGS.as_dict() | {"pipeline": pipeline, "batch_size": batch_size}
    )
    run = LocftRun(model, facts, settings)
    ours = losses_of(list(run.events()))
    plain, tuned = plain_loop(model, facts, run.settings)
    assert ours == pytest.approx(plain, abs=1e-4)
    assert torch.allclose(next(iter(run.patch().tensors.values())), tuned, atol=1e-4)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(
    model: LanguageModel, facts: list[Fact]
) -> None:
    first, again, other = (
        edit(model, facts, SETTINGS, seed=seed).patch.tensors for seed in (0, 0, 1)
    )
    (name,) = first
    assert torch.equal(first[name], again[name])
    assert not torch.equal(first[name], other[name])


def test_between_events_the_model_is_its_base(model: LanguageModel, facts: list[Fact]) -> None:
    before = {name: p.detach().clone() for name, p in model.network.named_parameters()}
    run = LocftRun(model, facts, SETTINGS)
    for event in run.events():
        assert all(torch.equal(p, before[n]) for n, p in model.network.named_parameters())
        if isinstance(event, EpochDone):
            with run.applied():
                tuned = model.network.get_parameter("model.layers.2.mlp.down_proj.weight")
                assert not torch.equal(tuned, before["model.layers.2.mlp.down_proj.weight"])
    assert not any(p.requires_grad for p in model.network.parameters())


@pytest.mark.parametrize("pipeline", ["breadth-first", "depth-first"])
@pytest.mark.parametrize("after_batches", [1, 4, 7])
def test_a_stopped_run_goes_on_to_the_same_bits(
    model: LanguageModel, facts: list[Fact], tmp_path: Path, pipeline: str, after_batches: int
) -> None:
    settings = EditSettings.from_dict(SETTINGS.as_dict() | {"pipeline": pipeline})
    whole = LocftRun(model, facts, settings)
    unbroken = list(whole.events())
    broken = LocftRun(model, facts, settings)
    seen = 0
    for event in broken.events():
        seen += isinstance(event, BatchDone)
        if seen == after_batches:
            broken.stop.ask()
    assert isinstance(event, Stopped)
    broken.save_checkpoint(tmp_path / "checkpoint.safetensors")
    resumed = LocftRun(model, facts, settings, checkpoint=tmp_path / "checkpoint.safetensors")
    rest = list(resumed.events())
    assert losses_of(rest) == losses_of(unbroken)[after_batches:]
    last, unbroken_last = rest[-1], unbroken[-1]
    assert isinstance(last, Finished) and isinstance(unbroken_last, Finished)
    assert last.losses == unbroken_last.losses
    for name, tensor in whole.patch().tensors.items():
        assert torch.equal(resumed.patch().tensors[name], tensor)


@pytest.mark.parametrize("umask", UMASKS, ids=oct)
def test_a_checkpoint_may_be_read_by_whoever_may_read_new_files(
    model: LanguageModel, facts: list[Fact], tmp_path: Path, umask: int
) -> None:
    with under(umask):
        LocftRun(model, facts, SETTINGS).save_checkpoint(tmp_path / "run" / "c.safetensors")
    assert permissions(tmp_path / "run", umask) == {}


def test_a_checkpoint_of_another_run_is_refused(
    model: LanguageModel, facts: list[Fact], tmp_path: Path
) -> None:
    run = LocftRun(model, facts, SETTINGS)
    path = tmp_path / "checkpoint.safetensors"
    run.save_checkpoint(path)
    with pytest.raises(PatchError, match="facts differ"):
        LocftRun(model, facts[:-1], SETTINGS, checkpoint=path)
    with pytest.raises(PatchError, match="settings differ"):
        edit_settings = EditSettings.from_dict(SETTINGS.as_dict() | {"seed": 7})
        LocftRun(model, facts, edit_settings, checkpoint=path)
    with pytest.raises(PatchError, match="no checkpoint"):
        LocftRun(model, facts, SETTINGS, checkpoint=tmp_path / "nothing")


@pytest.mark.parametrize(
    ("part", "text", "told"),
    [
        ("progress", "{", "no sound record"),
        ("progress", "[]", "no sound record"),
        ("progress", '{"epoch": "two"}', "epoch"),
        ("identity", "[1]", "no sound record"),
        ("identity", "[" * 100_000, "no sound record"),
        ("tensors", "", "lacks weights"),
    ],
    ids=["no JSON", "a list", "a text", "another list", "deep", "other weights"],
)
def test_a_checkpoint_that_is_not_sound_is_refused(
    model: LanguageModel, facts: list[Fact], tmp_path: Path, part: str, text: str, told: str
) -> None:
    path = tmp_path / "checkpoint.safetensors"
    LocftRun(model, facts, SETTINGS).save_checkpoint(path)
    with safe_open(path, framework="pt") as file:
        record = {**file.metadata(), **({part: text} if part != "tensors" else {})}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file({"other": torch.ones(1)} if part == "tensors" else tensors, path, metadata=record)
    with pytest.raises(PatchError, match=told):
        LocftRun(model, facts, SETTINGS, checkpoint=path)


def test_when_memory_runs_out_smaller_pieces_make_the_same_update(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = EditSettings.from_dict(SETTINGS.as_dict() | {"batch_size": 7})
    roomy = LocftRun(model, facts, settings)
    expected = losses_of(list(roomy.events()))
    losses = BatchStep._losses

    def tight(self: BatchStep, texts: list[int], logits: torch.Tensor, seen: Seen) -> torch.Tensor:
        if len(texts) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return losses(self, texts, logits, seen)

    monkeypatch.setattr(BatchStep, "_losses", tight)
    run = LocftRun(model, facts, settings)
    events = list(run.events())
    assert [e.size for e in events if isinstance(e, MicroBatchHalved)] == [3, 1]
    assert losses_of(events) == pytest.approx(expected, abs=1e-5)
    for name, tensor in roomy.patch().tensors.items():
        assert torch.allclose(run.patch().tensors[name], tensor, atol=1e-5)


def test_kept_states_or_plain_forward_the_run_is_the_same(
    make_model: Callable[..., LanguageModel], facts: list[Fact]
) -> None:
    kept, plain = make_model(), make_model()
    plain.fallback = "for the test"
    first, second = LocftRun(kept, facts, SETTINGS), LocftRun(plain, facts, SETTINGS)
    assert losses_of(list(first.events())) == pytest.approx(
        losses_of(list(second.events())), abs=1e-5
    )
    assert (first.plan().kept_from, second.plan().kept_from) == (2, 0)
    assert second.plan().fallback == "for the test"


def test_small_steps_are_not_lost_in_bfloat16(
    make_model: Callable[..., LanguageModel], facts: list[Fact]
) -> None:
    tiny_steps = EditSettings.from_dict(SETTINGS.as_dict() | {"learning_rate": 1e-5})
    run = LocftRun(make_model(dtype=torch.bfloat16), facts, tiny_steps)
    list(run.events())
    (name,) = run.patch().tensors
    base = run.model.network.get_parameter(name).float()
    moved = (run._tuned.master[name] - base).abs().max().item()
    assert 5e-5 < moved < 5e-4
    assert run.patch().tensors[name].dtype == torch.bfloat16


def test_the_run_stops_when_an_epoch_is_learned_and_skips_what_is_known(
    model: LanguageModel, facts: list[Fact]
) -> None:
    easy = EditSettings.from_dict(
        SETTINGS.as_dict() | {"skip_loss": 1e9, "stop_loss": 1e9, "batch_size": 1}
    )
    events = list(LocftRun(model, facts, easy).events())
    assert all(e.skipped for e in events if isinstance(e, BatchDone))
    last = events[-1]
    assert isinstance(last, Finished)
    assert (last.reason, last.epochs, last.steps) == ("converged", 1, 0)


def test_the_plan_says_what_will_happen_before_it_does(
    model: LanguageModel, facts: list[Fact]
) -> None:
    plan = LocftRun(model, facts, SETTINGS).plan()
    events = list(LocftRun(model, facts, SETTINGS).events())
    assert isinstance(events[0], Started) and events[0] == plan
    assert plan.steps == sum(isinstance(e, BatchDone) for e in events) == 6 * math.ceil(7 / 3)
    assert plan.weights == 32 * 64


def test_several_locations_and_whole_blocks_are_tuned_together(
    model: LanguageModel, facts: list[Fact]
) -> None:
    result = edit(model, facts, SETTINGS, at=("1.mlp", "3.self_attn.q_proj"), epochs=2)
    assert set(result.patch.tensors) == {
        "model.layers.1.mlp.gate_proj.weight",
        "model.layers.1.mlp.up_proj.weight",
        "model.layers.1.mlp.down_proj.weight",
        "model.layers.3.self_attn.q_proj.weight",
    }


def test_what_makes_no_sense_is_refused_before_any_work(
    model: LanguageModel, facts: list[Fact]
) -> None:
    with pytest.raises(FactsError, match="no facts"):
        LocftRun(model, [], SETTINGS)
    with pytest.raises(LocationError, match="has 4 layers"):
        LocftRun(model, facts, EditSettings(at=("9.mlp.down_proj",)))
    with pytest.raises(LocationError, match="layer 2 has no module"):
        LocftRun(model, facts, EditSettings(at=("2.mlp.down",)))
    with pytest.raises(SettingsError, match="Unknown setting rate"):
        edit(model, facts, rate=1)
    with pytest.raises(FactsError, match="at most 128"):
        LocftRun(model, [Fact("x" * 200, "y")], SETTINGS)
