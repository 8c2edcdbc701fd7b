"""A sweep: true short runs from states that advance, scored on what was never trained on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from workbench.errors import FactsError, LocationError
from workbench.facts.fact import Fact, Question
from workbench.measure.evaluate import evaluate
from workbench.methods.edit import edit
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings, automatic_epochs
from workbench.model import layer_states
from workbench.model.language_model import LanguageModel
from workbench.model.states import advancing
from workbench.model.tokens import prompt_tokens
from workbench.search import held_out as held_out_module
from workbench.search.sample import draw_sample
from workbench.search.score import ScoreWeights
from workbench.search.stages import best_layers, finalists
from workbench.search.sweep import Sweep
from workbench.search.sweep_events import (
    LocationDone,
    SweepFinished,
    SweepProgress,
    SweepStarted,
    SweepStopped,
)
from workbench.search.sweep_settings import SweepSettings
from workbench.work.events import Event

pytestmark = pytest.mark.slow

SETTINGS = SweepSettings(
    modules=("mlp.down_proj",),
    learning_rates=(1e-2,),
    sample=5,
    epochs=4,
    full_runs=0,
    batch_size=2,
)


@pytest.fixture
def short_full_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full runs that are but a little longer than the short ones of `SETTINGS`."""
    monkeypatch.setattr("workbench.search.trials.automatic_epochs", lambda *_: 6)


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """From which layer to which hidden states are taken; a run must not take them anew."""
    found = []

    def watch(model: object, texts: object, states: object, to: int, **more: object) -> object:
        found.append((getattr(states, "layer", 0), to))
        return advancing(model, texts, states, to, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(layer_states, "advancing", watch)
    monkeypatch.setattr("workbench.methods.locft_bf.advancing", None)
    return found


def rows_of(events: list[Event]) -> list[LocationDone]:
    """The rows, without what no two runs have in common: their time."""
    return [replace(event, seconds=0.0) for event in events if isinstance(event, LocationDone)]


def swept(model: LanguageModel, facts: list[Fact], settings: SweepSettings) -> list[LocationDone]:
    return rows_of(list(Sweep(model, facts, settings).events()))


@pytest.mark.parametrize("name", ["Llama", "GPT-2"])
def test_each_row_is_a_run_and_its_evaluation(
    make_model: Callable[..., LanguageModel], facts: list[Fact], name: str
) -> None:
    model = make_model(name)
    module = "mlp.down_proj" if name == "Llama" else "mlp.c_proj"
    settings = replace(SETTINGS, modules=(module,))
    sweep = Sweep(model, facts, settings)
    rows = rows_of(list(sweep.events()))
    assert [row.at for row in rows] == [f"{layer}.{module}" for layer in range(4)]
    for row in rows:
        run = edit(model, sweep.sample, at=row.at, learning_rate=1e-2, batch_size=2, epochs=4)
        verdicts = evaluate(model, sweep.sample, run.patch).after
        assert verdicts is not None
        assert row.reliable == verdicts.reliability_strict == run.learned
        assert row.general == tuple(map(float, verdicts.generalization_strict))
        assert row.local == tuple(map(float, verdicts.locality_strict))
        assert row.loss == pytest.approx(run.losses[-1], abs=1e-5)
        (change,) = (
            (tensor - model.network.get_parameter(weight)).norm()
            / model.network.get_parameter(weight).norm()
            for weight, tensor in run.patch.tensors.items()
        )
        assert row.weight_change == pytest.approx(change.item(), rel=1e-4)
        assert all(value >= 0 for value in row.kl) and max(row.kl) > 0


def test_between_events_the_model_is_its_base(model: LanguageModel, facts: list[Fact]) -> None:
    before = {name: p.detach().clone() for name, p in model.network.named_parameters()}
    for _ in Sweep(model, facts, replace(SETTINGS, modules=("layer", "mlp"))).events():
        assert all(torch.equal(p, before[n]) for n, p in model.network.named_parameters())
        assert not any(p.requires_grad for p in model.network.parameters())


def test_states_advance_by_one_layer_and_never_from_the_start_again(
    model: LanguageModel, facts: list[Fact], moves: list[tuple[int, int]]
) -> None:
    swept(model, facts, replace(SETTINGS, modules=("mlp.down_proj", "mlp.up_proj")))
    assert moves == [(0, 1), (0, 1), (1, 2), (1, 2), (2, 3), (2, 3)]


def test_held_out_prompts_are_never_trained_on(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each fact's rephrase and locality prompt is another fact's prompt: some will be trained on.
    shifted = [
        replace(
            fact,
            rephrase_prompts=(facts[(i + 1) % 7].prompt, f"Say it, {i}:"),
            locality_prompts=(Question(facts[(i + 2) % 7].prompt), Question(f"Not that, {i}:")),
        )
        for i, fact in enumerate(facts)
    ]
    trained: list[str] = []
    begin = LocftRun.__init__

    def watch(
        self: LocftRun, model: LanguageModel, facts: list[Fact], *args: Any, **more: Any
    ) -> None:
        trained.extend(fact.prompt for fact in facts)
        begin(self, model, facts, *args, **more)

    monkeypatch.setattr(LocftRun, "__init__", watch)
    asked: list[str] = []

    def listen(tokenizer: PreTrainedTokenizerFast, prompts: list[str]) -> list[tuple[int, ...]]:
        asked.extend(prompts)
        return prompt_tokens(tokenizer, prompts)

    monkeypatch.setattr(held_out_module, "prompt_tokens", listen)
    swept(model, shifted, SETTINGS)
    assert len(set(trained)) == 5
    assert {f"Not that, {i}:" for i in range(7)} & set(asked)
    assert not set(trained) & set(asked)


def test_a_sweep_that_goes_on_ends_as_if_unbroken(model: LanguageModel, facts: list[Fact]) -> None:
    settings = replace(SETTINGS, learning_rates=(1e-2, 3e-3), epochs=2)
    unbroken = swept(model, facts, settings)
    for stop_after in (1, 2, 5):
        first = Sweep(model, facts, settings)
        rows: list[LocationDone] = []
        last: Event | None = None
        for event in first.events():
            rows += rows_of([event])
            last = event
            if len(rows) == stop_after:
                first.stop.ask()
        assert last == SweepStopped(stop_after, 8)
        rest = Sweep(model, facts, settings, done=rows)
        assert rest.identity() == first.identity()
        events = list(rest.events())
        assert isinstance(events[0], SweepStarted) and events[0].kept == stop_after
        assert rows + rows_of(events) == unbroken


def test_a_stop_in_the_middle_of_a_location_is_heard_at_once(
    model: LanguageModel, facts: list[Fact]
) -> None:
    sweep = Sweep(model, facts, replace(SETTINGS, epochs=100_000))
    for event in sweep.events():
        if isinstance(event, SweepProgress) and event.epoch == 2:
            sweep.stop.ask()
    assert event == SweepStopped(0, 4)


def test_without_kept_states_the_numbers_are_the_same(
    make_model: Callable[..., LanguageModel], facts: list[Fact]
) -> None:
    plain = make_model()
    plain.fallback = "for the test"
    kept_rows, plain_rows = swept(make_model(), facts, SETTINGS), swept(plain, facts, SETTINGS)
    for kept, other in zip(kept_rows, plain_rows, strict=True):
        assert (kept.at, kept.reliable, kept.general) == (other.at, other.reliable, other.general)
        assert kept.loss == pytest.approx(other.loss, abs=1e-4)
        assert kept.kl == pytest.approx(other.kl, abs=1e-4)


def test_modules_rates_and_whole_layers_are_tried_side_by_side(
    model: LanguageModel, facts: list[Fact]
) -> None:
    settings = replace(
        SETTINGS,
        layers=(1, 3),
        modules=("layer", "self_attn.o_proj"),
        learning_rates=(1e-3, 1e-2),
        epochs=1,
    )
    rows = swept(model, facts, settings)
    assert [row.place for row in rows] == [
        (at, rate)
        for at in ("1", "1.self_attn.o_proj", "3", "3.self_attn.o_proj")
        for rate in (1e-3, 1e-2)
    ]
    every = Sweep(model, facts, replace(settings, modules=("all",), learning_rates=()))
    assert len(every.locations) == 2 * 7


def test_what_was_not_asked_is_said(model: LanguageModel, facts: list[Fact]) -> None:
    bare = [Fact(fact.prompt, fact.target_new) for fact in facts]
    events = list(Sweep(model, bare, replace(SETTINGS, layers=(3,))).events())
    plan, row = events[0], rows_of(events)[0]
    assert isinstance(plan, SweepStarted)
    assert (plan.rephrases, plan.locality_prompts) == (0, 0)
    assert (plan.neutral_from_facts, plan.neutral_built_in) == (2, 30)
    assert "rephrases" not in plan.held_out
    assert "(2 of other facts, 30 built in), which stand in for" in plan.held_out
    assert set(row.general) == set(row.local) == {None}
    assert len(row.neutral) == len(row.kl) == 32
    last = events[-1]
    assert isinstance(last, SweepFinished) and last.trials == 1


def test_the_sample_is_drawn_by_the_seed(facts: list[Fact]) -> None:
    drawn = {seed: draw_sample(facts, 4, seed) for seed in range(6)}
    assert draw_sample(facts, 4, 0) == drawn[0]
    assert len({sample.facts for sample in drawn.values()}) > 1
    for sample in drawn.values():
        prompts = [fact.prompt for fact in sample.facts]
        assert [fact.prompt for fact in facts if fact.prompt in prompts] == prompts
        assert not set(prompts) & set(sample.others) and len(sample.others) == 3


def test_a_fact_too_long_for_the_model_is_passed_over(
    model: LanguageModel, facts: list[Fact]
) -> None:
    sweep = Sweep(model, [Fact("x" * 200, "y"), *facts], replace(SETTINGS, sample=100))
    assert [fact.prompt for fact in sweep.sample] == [fact.prompt for fact in facts]
    with pytest.raises(FactsError, match="Every fact is too long"):
        Sweep(model, [Fact("x" * 200, "y")], SETTINGS)


def test_what_makes_no_sense_is_refused_before_any_work(
    model: LanguageModel, facts: list[Fact]
) -> None:
    with pytest.raises(LocationError, match="has 4 layers"):
        Sweep(model, facts, replace(SETTINGS, layers=(2, 9)))
    with pytest.raises(LocationError, match=r"has no module 'mlp\.down'"):
        Sweep(model, facts, replace(SETTINGS, modules=("mlp.down",)))
    with pytest.raises(FactsError, match="no facts"):
        Sweep(model, [], SETTINGS)


def test_other_facts_or_settings_are_another_sweep(model: LanguageModel, facts: list[Fact]) -> None:
    identity = Sweep(model, facts, SETTINGS).identity()
    assert Sweep(model, facts, replace(SETTINGS, layers=(2,))).identity() == identity
    for other in (
        Sweep(model, facts[1:], SETTINGS),
        Sweep(model, facts, replace(SETTINGS, epochs=5)),
        Sweep(model, facts, replace(SETTINGS, seed=1)),
    ):
        assert other.identity() != identity


STAGED = replace(SETTINGS, modules=(), full_runs=2, layers=(1, 2, 3))


def test_after_the_short_runs_come_other_matrices_and_full_runs(
    model: LanguageModel, facts: list[Fact]
) -> None:
    sweep = Sweep(model, facts, STAGED)
    events = list(sweep.events())
    rows, plan, last = rows_of(events), events[0], events[-1]
    assert isinstance(plan, SweepStarted) and plan.widens
    assert rows == rows_of(list(sweep.rows))
    short, wider, full = rows[:3], rows[3:15], rows[15:]
    assert [row.at for row in short] == [f"{layer}.mlp.down_proj" for layer in (1, 2, 3)]
    shares = [event.share for event in events if isinstance(event, SweepProgress)]
    assert shares[0] == 0 and 0.9 < shares[-1] <= 1
    layers = best_layers(short)
    assert len(wider) == 2 * 6 and {row.at.split(".")[0] for row in wider} == set(map(str, layers))
    assert not {row.at for row in wider} & {row.at for row in short}
    chosen = finalists(short + wider, None, 2)
    assert 0 < len(full) <= 2
    assert {row.place for row in full} == {row.place for row in chosen}
    assert {row.limit for row in full} == {plan.full_epochs} == {automatic_epochs(5, 2)}
    assert isinstance(last, SweepFinished) and last.trials == len(rows) <= plan.trials
    for row in full:
        run = edit(model, sweep.sample, at=row.at, learning_rate=1e-2, batch_size=2)
        assert (row.reliable, row.epochs) == (run.learned, len(run.losses))
        assert row.loss == pytest.approx(run.losses[-1], abs=1e-5)


@pytest.mark.usefixtures("short_full_runs")
def test_modules_that_are_named_are_the_only_ones(model: LanguageModel, facts: list[Fact]) -> None:
    rows = swept(model, facts, replace(STAGED, modules=("mlp.up_proj",), full_runs=1))
    assert {row.at.split(".", 1)[1] for row in rows} == {"mlp.up_proj"}
    assert len(rows) <= 4


def test_the_weights_decide_where_a_sweep_looks_again(
    model: LanguageModel, facts: list[Fact]
) -> None:
    found = []
    for weights in (ScoreWeights(0, 0, 1), ScoreWeights(1, 1, 0)):
        settings = replace(STAGED, layers=(), learning_rates=(1e-3,), full_runs=0)
        rows = rows_of(list(Sweep(model, facts, settings, weights=weights).events()))
        layers = {int(row.at.split(".")[0]) for row in rows[4:]}
        assert layers == set(best_layers(rows[:4], weights))
        found.append(layers)
    assert found[0] != found[1]


@pytest.mark.usefixtures("short_full_runs")
def test_all_stages_start_from_states_that_are_kept(
    model: LanguageModel, facts: list[Fact], moves: list[tuple[int, int]]
) -> None:
    swept(model, facts, STAGED)
    assert moves == [(0, 1), (0, 1), (1, 2), (1, 2), (2, 3), (2, 3)]


@pytest.mark.usefixtures("short_full_runs")
def test_stages_that_were_broken_off_go_on_the_same(
    model: LanguageModel, facts: list[Fact]
) -> None:
    settings = replace(STAGED, layers=(2, 3), full_runs=1)
    unbroken = swept(model, facts, settings)
    for stop_after in (1, 2, 9, len(unbroken) - 1):
        known = unbroken[:stop_after]
        rest = Sweep(model, facts, settings, done=known)
        events = list(rest.events())
        assert isinstance(events[0], SweepStarted) and events[0].kept == stop_after
        assert known + rows_of(events) == unbroken
        assert rows_of(list(rest.rows)) == unbroken


@pytest.mark.usefixtures("short_full_runs")
def test_what_an_earlier_sweep_found_is_told_when_it_belongs_to_this_one(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = swept(model, facts, STAGED)
    known = [row for row in whole if row.at != "1.mlp.down_proj"]
    began: list[str] = []
    begin = LocftRun.__init__

    def watch(
        self: LocftRun,
        model: LanguageModel,
        facts: list[Fact],
        settings: EditSettings,
        **more: Any,
    ) -> None:
        began.extend(settings.at)
        begin(self, model, facts, settings, **more)

    monkeypatch.setattr(LocftRun, "__init__", watch)
    again = Sweep(model, facts, STAGED, done=known)
    told = rows_of(list(again.events()))
    assert began[:1] == ["1.mlp.down_proj"]
    assert rows_of(list(again.rows)) == whole
    assert {row.key for row in told} == {row.key for row in whole} - {row.key for row in whole[1:3]}


def test_every_matrix_is_every_one_that_the_layer_has(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a model whose layers differ: one kind of matrix is in none of the layers asked for.
    names = (*model.layers.matrices(), "mlp.elsewhere")
    monkeypatch.setattr(type(model.layers), "matrices", lambda self: names)
    sweep = Sweep(model, facts, replace(SETTINGS, layers=(3,), modules=("all",)))
    assert len(sweep.locations) == len(names) - 1
    with pytest.raises(LocationError, match="elsewhere"):
        Sweep(model, facts, replace(SETTINGS, layers=(3,), modules=("mlp.elsewhere",)))


def test_a_stop_that_comes_with_the_last_row_stops_nothing(
    model: LanguageModel, facts: list[Fact]
) -> None:
    sweep = Sweep(model, facts, replace(SETTINGS, layers=(3,)))
    for event in sweep.events():
        if isinstance(event, LocationDone):
            sweep.stop.ask()
    assert isinstance(event, SweepFinished)
