"""Measuring as one piece of work: parts in order, kept when whole, and ended soon when asked."""

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from workbench.errors import ModelError
from workbench.facts.fact import Fact
from workbench.facts.read import read_facts
from workbench.measure import harness, health, measuring
from workbench.measure.capability_result import Capability, task_result
from workbench.measure.evaluate import Examiner, evaluate, evaluating
from workbench.measure.evaluation import Evaluation
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.health import measure_health, measuring_health
from workbench.measure.measures import Measures, Part, PartBegun, part_name
from workbench.methods.edit import edit
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.paths import assets_dir
from workbench.work.events import Event, Progress, Work, follow
from workbench.work.stop import Cancelled, Stop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def builtin() -> LanguageModel:
    return load_model("builtin", device="cpu")


@pytest.fixture(scope="module")
def facts() -> list[Fact]:
    return list(read_facts(assets_dir() / "samples" / "facts_200.csv").facts)[:12]


@pytest.fixture(scope="module")
def patch(builtin: LanguageModel, facts: list[Fact]) -> Patch:
    return edit(builtin, facts, epochs=4).patch


@pytest.fixture(scope="module")
def low(builtin: LanguageModel, facts: list[Fact]) -> Patch:
    return edit(builtin, facts, at="0", epochs=4).patch


@contextmanager
def asking_at_pass(model: LanguageModel, number: int, stop: Stop) -> Iterator[list[int]]:
    """The wish comes at so many passes through the model; says how many were made in all."""
    passes = [0]

    def count(*_: object) -> None:
        passes[0] += 1
        if passes[0] == number:
            stop.ask()

    hook = model.network.register_forward_hook(count)
    try:
        yield passes
    finally:
        hook.remove()


@contextmanager
def unchanged(model: LanguageModel) -> Iterator[None]:
    """Afterwards the model is its base to the bit, and no hook of ours is left."""
    before = {name: value.clone() for name, value in model.network.named_parameters()}
    hooks = len(model.network._forward_pre_hooks)
    yield
    for name, value in model.network.named_parameters():
        assert torch.equal(value, before[name]), name
    assert len(model.network._forward_pre_hooks) == hooks


def passes_of(model: LanguageModel, work: Work[Any]) -> int:
    with asking_at_pass(model, 0, Stop()) as passes:
        follow(work)
    return passes[0]


def test_generation_ends_between_two_tokens(builtin: LanguageModel) -> None:
    prompts, stop = ["The author of Hamlet is", "The capital of Australia is"], Stop()
    with (
        unchanged(builtin),
        asking_at_pass(builtin, 3, stop) as passes,
        pytest.raises(Cancelled),
    ):
        generate(builtin, prompts, cancel=stop)
    assert passes == [3]
    with asking_at_pass(builtin, 0, stop) as passes, pytest.raises(Cancelled):
        generate(builtin, prompts, cancel=stop)
    assert passes == [0]
    assert generate(builtin, prompts, cancel=Stop()) == generate(builtin, prompts)


def test_an_evaluation_ends_at_the_next_pass_wherever_it_is(
    builtin: LanguageModel, facts: list[Fact], patch: Patch
) -> None:
    whole = passes_of(builtin, evaluating(builtin, facts, patch))
    assert whole > 12
    for number in (1, 4, whole // 2 + 2, whole):
        stop = Stop()
        with unchanged(builtin), asking_at_pass(builtin, number, stop) as passes:
            with pytest.raises(Cancelled) as held:
                follow(evaluating(builtin, facts, patch, stop=stop))
            assert held.type is Cancelled
        assert passes == [number]


def test_the_look_at_the_writing_ends_at_the_next_pass(
    builtin: LanguageModel, facts: list[Fact], patch: Patch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "TOKENS", 5)
    whole = passes_of(builtin, measuring_health(builtin, facts, patch))
    for number in (2, whole // 2 + 7, whole - 1):
        stop = Stop()
        with (
            unchanged(builtin),
            asking_at_pass(builtin, number, stop) as passes,
            pytest.raises(Cancelled),
        ):
            follow(measuring_health(builtin, facts, patch, stop=stop))
        assert passes == [number]
    seen: list[tuple[int, int]] = []
    measure_health(builtin, facts, patch, on_progress=lambda *step: seen.append(step))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_work_that_is_left_in_the_middle_leaves_the_base(
    builtin: LanguageModel, facts: list[Fact], patch: Patch
) -> None:
    with unchanged(builtin):
        steps = evaluating(builtin, facts, patch)
        while next(steps).share < 0.6:
            pass
        with pytest.raises(ModelError, match="Another patch is applied"), patch.applied(builtin):
            pass
        steps.close()


def test_an_examiner_that_was_stopped_keeps_no_states_for_another_patch(
    builtin: LanguageModel, facts: list[Fact], patch: Patch, low: Patch
) -> None:
    examiner, stop = Examiner(builtin, facts), Stop()
    assert patch.lowest_layer > low.lowest_layer == 0
    with pytest.raises(Cancelled):
        follow(examiner.examining(patch, stop=stop), lambda step: stop.ask())
    assert examiner.evaluate(low).rows == evaluate(builtin, facts, low).rows


def test_parts_come_in_order_and_each_is_handed_on_when_it_is_whole(
    builtin: LanguageModel, facts: list[Fact], patch: Patch, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Capability((task_result("skills", "acc", [1, 0], [1, 1]),), 2, "0.4")

    def asking(*_: object, **__: object) -> Generator[Progress, None, Capability]:
        yield Progress(0, 2, "skills")
        yield Progress(2, 2)
        return asked

    monkeypatch.setattr(measuring, "measuring_capability", asking)
    monkeypatch.setattr(health, "TOKENS", 5)
    told: list[str | Part] = []

    def take(event: Event) -> None:
        assert event.told() is not None
        if isinstance(event, PartBegun):
            told.append(event.part)
        elif isinstance(event, Progress) and event.line not in ("", told[-1]):
            told.append(event.line)

    settings = EvaluationSettings(written=3, health=True, capability=("builtin",))
    work = measuring.measuring(builtin, facts, patch, settings, on_part=told.append)
    found = follow(work, take)
    assert told == [
        "evaluation",
        "Evaluating on 12 facts",
        found.evaluation,
        "health",
        "Looking at the writing",
        found.health,
        "capability",
        "General capability, 0 of 2: skills",
        asked,
    ]
    parts = found.parts()
    assert list(parts) == ["evaluation", "health", "capability"]
    assert all(part["sentence"] for part in parts.values())
    assert parts["evaluation"]["counts"]["generated_facts"] == 3
    assert list(Measures(found.evaluation).parts()) == ["evaluation"]


def test_a_wish_behind_the_shares_leaves_them_whole(
    builtin: LanguageModel, facts: list[Fact], patch: Patch
) -> None:
    kept: list[str] = []
    stop = Stop()

    def keep(part: Part) -> None:
        assert isinstance(part, Evaluation)
        kept.append(part_name(part))
        stop.ask()

    settings = EvaluationSettings(health=True)
    work = measuring.measuring(builtin, facts, patch, settings, stop=stop, on_part=keep)
    with unchanged(builtin), pytest.raises(Cancelled):
        follow(work)
    assert kept == ["evaluation"]


def stand_in(monkeypatch: pytest.MonkeyPatch, simple_evaluate: Callable[..., Any]) -> None:
    """A stand-in for the harness's library, which need not be installed."""
    names = ("lm_eval", "lm_eval.models", "lm_eval.models.huggingface", "lm_eval.tasks")
    made = {name: ModuleType(name) for name in names}
    made["lm_eval"].simple_evaluate = simple_evaluate  # type: ignore[attr-defined]
    made[names[2]].HFLM = lambda **_: None  # type: ignore[attr-defined]
    made[names[3]].TaskManager = lambda **_: None  # type: ignore[attr-defined]
    for name, module in made.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(harness, "_be_quiet", lambda: None)


def test_the_harness_ends_at_the_next_pass_and_a_wish_is_no_problem_of_a_task(
    builtin: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, ids = Stop(), torch.tensor([[1, 2, 3]])

    def simple_evaluate(**_: object) -> dict[str, Any]:
        for _round in range(9):
            builtin.network(ids)
        raise ValueError("one\ntwo")

    stand_in(monkeypatch, simple_evaluate)
    asked = harness.Harness(builtin, ["builtin_facts"], tmp_path, None)
    assert "(ValueError: one)" in asked.run("builtin_facts", stop).problem
    with (
        unchanged(builtin),
        asking_at_pass(builtin, 4, stop) as passes,
        pytest.raises(Cancelled),
    ):
        asked.run("builtin_facts", stop)
    assert passes == [4]


def test_the_harness_gets_greedy_answers_whatever_settings_the_checkpoint_ships(
    builtin: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, said = torch.tensor([builtin.tokenizer("The capital of Peru is")["input_ids"]]), []

    def simple_evaluate(**_: object) -> dict[str, Any]:
        found = builtin.network.generate(ids, do_sample=False, max_new_tokens=12)
        said.append(found[0, ids.shape[1] :].tolist())
        return {"results": {}}

    stand_in(monkeypatch, simple_evaluate)
    own = builtin.network.generation_config
    monkeypatch.setattr(own, "repetition_penalty", 9.0)
    monkeypatch.setattr(own, "return_dict_in_generate", True)
    harness.Harness(builtin, ["builtin_facts"], tmp_path, None).run("builtin_facts")
    (answer,) = generate(builtin, ["The capital of Peru is"], max_new_tokens=12)
    assert said == [list(answer.tokens)]
    assert builtin.network.generation_config is own
