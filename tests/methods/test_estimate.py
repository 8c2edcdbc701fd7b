"""Estimates: what a run will take, measured without leaving a trace."""

from typing import Any

import pytest
import torch

from workbench.errors import LocationError
from workbench.facts.fact import Fact, Question
from workbench.methods.estimate import estimate
from workbench.methods.events import BatchDone, StatesProgress
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.work.stop import Stop, StopWhen


def facts(count: int) -> list[Fact]:
    return [Fact(f"Number {i} is", f"called {i * 7}") for i in range(count)]


def test_the_plan_is_that_of_the_run_and_time_grows_with_its_steps(model: LanguageModel) -> None:
    few = estimate(model, facts(40), EditSettings(at=("1",), batch_size=4, epochs=3))
    assert few is not None
    assert few.plan == LocftRun(model, facts(40), EditSettings(("1",), None, 4, 3)).plan()
    assert few.plan.steps == 30
    assert few.measured == 3
    assert few.seconds == pytest.approx(few.states_seconds + 30 * few.step_seconds)
    assert few.step_seconds > 0
    assert few.states_seconds > 0


def test_what_must_stay_is_that_of_the_whole_run_and_is_asked_only_once(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr("workbench.methods.estimate.time.perf_counter", lambda: next(clock))
    settings = EditSettings(at=("2.mlp.down_proj",), batch_size=1, epochs=2, keep=1.0)
    run = LocftRun(model, facts(12), settings)
    few = run.rehearsal()
    assert len(few.facts) == 4 and few.keep is run.keep is not None
    told = [event for event in few.events() if isinstance(event, StatesProgress)]
    kept = [event for event in told if event.kept]
    assert "what must stay" in kept[0].told().line and "facts" in told[-1].told().line
    found = estimate(model, facts(12), settings)
    assert found is not None
    # A tick an event: those of what must stay are counted once, the facts' for three times as many.
    assert found.states_seconds == 1 + len(kept) + 3 * (len(told) - len(kept))


def test_of_very_many_prompts_that_must_stay_some_are_asked_and_stand_for_all(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr("workbench.methods.estimate.time.perf_counter", lambda: next(clock))
    monkeypatch.setattr("workbench.methods.locft_bf.REHEARSED_KEPT", 6)
    settings = EditSettings(at=("2.mlp.down_proj",), batch_size=1, epochs=2, keep=1.0)
    run = LocftRun(model, facts(12), settings)
    few = run.rehearsal()
    assert few.kept_prompts == 6 < run.kept_prompts
    told = [event for event in few.events() if isinstance(event, StatesProgress)]
    kept = sum(event.kept for event in told)
    found = estimate(model, facts(12), settings)
    assert found is not None
    asked = (1 + kept) * run.kept_prompts / 6
    assert found.states_seconds == pytest.approx(asked + 3 * (len(told) - kept))


def test_what_must_stay_is_asked_a_few_prompts_at_a_time_and_can_be_given_up(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.methods.kept_prompts.AT_ONCE", {"cpu": 2})
    asked: list[int] = []

    def counted(model: LanguageModel, prompts: list[str], **how: Any) -> Any:
        asked.append(len(prompts))
        return generate(model, prompts, **how)

    monkeypatch.setattr("workbench.methods.kept_prompts.generate", counted)
    settings = EditSettings(at=("2.mlp.down_proj",), keep=1.0)
    stop = StopWhen(lambda: len(asked) >= 2)
    assert estimate(model, facts(12), settings, stop=stop) is None
    assert len(asked) == 2 and sum(asked) <= 4


def test_a_rehearsal_keeps_the_states_of_what_it_sees_alone(model: LanguageModel) -> None:
    settings = EditSettings(at=("2.mlp.down_proj",), batch_size=30, forms=("raw", "rephrase"))
    run = LocftRun(model, facts(200), settings)
    few = run.rehearsal()
    assert len(few.facts) == few.kept_texts == 90 < 200 < run.kept_texts
    done = [event for event in few.events() if isinstance(event, BatchDone)]
    assert len(done) == 3
    found = estimate(model, facts(200), settings)
    assert found is not None and found.states_seconds > 0


def test_one_fact_can_be_estimated(model: LanguageModel) -> None:
    one = estimate(model, facts(1))
    assert one is not None
    assert (one.plan.facts, one.measured) == (1, 1)


def test_what_facts_bring_and_the_run_leaves_out_is_said(model: LanguageModel) -> None:
    kept = (Question("The capital of chad is."), Question("Peru lies in"))
    chad = Fact(
        "The capital of Chad is", "x", wordings=("Chad has the capital",), keep_prompts=kept
    )
    found = estimate(model, [chad, Fact("A b", "c")], EditSettings(at=("1.mlp",), epochs=1))
    assert found is not None
    measured, wordings, keeps = found.left_out
    assert "'The capital of chad is.' is left out, for it is the prompt of 'The capital" in measured
    assert "wordings of 1 fact are not trained on" in wordings
    assert "keep prompts of 1 fact are not held" in keeps
    whole = EditSettings(at=("1.mlp",), epochs=1, recipe="holds")
    held = estimate(model, [chad], whole)
    assert held is not None and held.left_out == (measured,)


def test_the_model_is_its_base_afterwards(model: LanguageModel) -> None:
    before = {name: weight.clone() for name, weight in model.network.named_parameters()}
    assert estimate(model, facts(9), EditSettings(at=("0",), learning_rate=0.1)) is not None
    for name, weight in model.network.named_parameters():
        assert torch.equal(weight, before[name]), name


def test_it_gives_way_when_asked_to(model: LanguageModel) -> None:
    stop = Stop()
    stop.ask()
    assert estimate(model, facts(9), stop=stop) is None


def test_what_the_run_would_refuse_is_refused_here(model: LanguageModel) -> None:
    with pytest.raises(LocationError, match="77"):
        estimate(model, facts(2), EditSettings(at=("77",)))


def test_memory_grows_with_the_batch_and_falls_with_the_layer(model: LanguageModel) -> None:
    def memory(batch: int, at: str) -> int:
        settings = EditSettings(recipe="published", at=(at,), batch_size=batch)
        return LocftRun(model, facts(64), settings).plan().memory_bytes

    assert memory(16, "1.mlp.down_proj") > memory(2, "1.mlp.down_proj")
    assert memory(16, "0.mlp.down_proj") > memory(16, "1.mlp.down_proj")
