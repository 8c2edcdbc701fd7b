"""A sweep within a budget: many short trials, the better half goes on, and time is kept."""

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.search.test_recommend import row
from workbench.errors import SettingsError
from workbench.facts.fact import Fact
from workbench.facts.forms import Form
from workbench.measure.strict import strict_matches
from workbench.methods.edit import edit
from workbench.methods.locft_bf import LocftRun
from workbench.model.forms import tokenize_form
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.location import Location
from workbench.model.states import advancing
from workbench.model.tokens import TokenTable
from workbench.search.budget import parse_budget, write_budget
from workbench.search.halving import Halving, rungs_of
from workbench.search.held_out import hold_out
from workbench.search.neutral import BUILT_IN
from workbench.search.recommend import recommend
from workbench.search.sample import Sample
from workbench.search.score import mean_scores, score_rows, text_share
from workbench.search.stages import contenders
from workbench.search.sweep import Sweep
from workbench.search.sweep_events import (
    LocationDone,
    SweepFinished,
    SweepProgress,
    SweepStarted,
    SweepStopped,
)
from workbench.search.sweep_settings import SweepSettings
from workbench.search.trials import Trial
from workbench.search.weights import PRESET_WEIGHTS, ScoreWeights, parse_weights, short_weights
from workbench.work.events import Event

RATES = (0.002, 0.006, 0.0006)
PLACES = [Location(layer, "mlp") for layer in range(12)]
PASS = 1e-3  # seconds that a pass of a fact through a layer takes


def quality(at: str, rate: float) -> float:
    """What a place can do: the best is layer 7 at the middle rate."""
    return max(0.0, 1 - 0.07 * abs(int(at.split(".")[0]) - 7) - 0.2 * abs(math.log(rate / 0.002)))


def raced(budget: float, places: list[Location] = PLACES) -> tuple[list[LocationDone], float]:
    """A whole sweep of pretended trials, in its order, and the seconds that it took."""
    halving = Halving(places, RATES, rungs_of(64, 8), start=Location(9, "mlp"), layers=12)
    rows: list[LocationDone] = []
    spent = 0.0
    while (trial := halving.next(rows, budget - spent)) is not None:
        seconds = PASS * trial.facts * trial.limit * (13 - trial.at.layer)
        spent += seconds
        good = quality(*trial.place)
        reliable = tuple(i < good * trial.facts for i in range(trial.facts))
        general = (good,) * trial.facts
        rows.append(pretended(trial, reliable, general, seconds))
    return rows, spent


def pretended(trial: Trial, reliable: Any, general: Any, seconds: float) -> LocationDone:
    return replace(
        row(str(trial.at), 1.0, 1.0, 1.0),
        learning_rate=trial.learning_rate,
        limit=trial.limit,
        epochs=trial.limit,
        reliable=reliable,
        general=general,
        local=(1.0,) * trial.facts,
        seconds=seconds,
    )


def test_each_length_takes_about_twice_the_one_before_and_the_last_is_a_run() -> None:
    sizes = [rung.size for rung in rungs_of(64, 8)]
    assert sizes == [(16, 12), (32, 12), (32, 25), (64, 25), (64, 50)]
    assert [rung.batch_size for rung in rungs_of(64, 8)] == [2, 4, 4, 8, 8]
    few = [rung.size for rung in rungs_of(6, 1, epochs=8)]
    assert few == [(6, 2), (6, 4), (6, 8)]
    assert [rung.size for rung in rungs_of(1, 1, epochs=1)] == [(1, 1)]


def test_with_time_for_all_everything_begins_and_the_better_half_goes_on() -> None:
    rows, _ = raced(1e9)
    assert len({row.place for row in rows}) == 36
    sizes = [rung.size for rung in rungs_of(64, 8)]
    before: list[LocationDone] = []
    for size, many in zip(sizes, (36, 18, 9, 4, 2), strict=True):
        there = [row for row in rows if row.size == size]
        assert len(there) == many
        if before:
            scores = dict(zip((r.place for r in before), mean_scores(before), strict=True))
            better = sorted(scores, key=lambda place: -scores[place])[:many]
            lowest = min(scores[place] for place in better)
            assert all(scores[row.place] >= lowest for row in there)
        before = there
    found = recommend(rows, halved=True)
    assert found is not None and (found.at, found.learning_rate) == ("7.mlp", 0.002)
    assert "on 64 facts in at most 50 passes" in found.reason


def test_with_less_time_fewer_begin_spread_over_the_model_from_the_preset_on() -> None:
    few, spent = raced(60.0)
    assert 0.5 * 60 < spent <= 60
    began = [row.place for row in few if row.size == (16, 12)]
    assert 6 < len(began) < 36
    assert began[0] == ("9.mlp", 0.002)
    assert {int(at.split(".")[0]) // 4 for at, _ in began[:5]} == {0, 1, 2}
    assert len({rate for _, rate in began}) > 1
    found = recommend(few)
    assert found is not None and quality(found.at, found.learning_rate) >= 0.85


def test_where_little_fits_late_layers_are_tried_rather_than_none() -> None:
    few, spent = raced(2.0)
    assert len(few) > 2 and spent <= 2.0
    assert {row.size for row in few} == {(16, 12)}
    assert min(int(row.at.split(".")[0]) for row in few) >= 7


def test_where_no_matrix_was_named_others_begin_beside_the_best() -> None:
    further = [Location(layer, "attn") for layer in range(12)]
    start = Location(9, "mlp")
    halving = Halving(PLACES, RATES, rungs_of(64, 8), start=start, layers=12, further=further)
    rows: list[LocationDone] = []
    for _ in range(20):
        trial = halving.next(rows, 1e9)
        assert trial is not None
        good = quality(*trial.place) if trial.at.module == "mlp" else 0.0
        general = (good,) * trial.facts
        rows.append(pretended(trial, (good > 0.5,) * trial.facts, general, 1.0))
    began = [row.at for row in rows]
    assert {at for at in began if at.endswith("attn")} == {"7.attn"}
    assert len({at for at in began if at.endswith("mlp")}) > 6


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 2000))
def test_the_budget_is_kept_and_the_best_of_what_is_known_is_recommended(budget: float) -> None:
    rows, spent = raced(budget, PLACES[::3])
    assert spent <= budget or len(rows) == 1
    assert len(rows) == len({row.key for row in rows})
    for known in (rows[: len(rows) // 2 + 1], rows):
        found = recommend(known)
        assert found is not None
        size = max(row.size for row in known)
        there = [row.place for row in known if row.size == size]
        assert (found.at, found.learning_rate) in there or len(there) == 1


def test_what_converged_needs_no_more_passes_on_the_same_facts() -> None:
    short = row("6.mlp", 1.0, 0.9, 1.0, epochs=3, limit=12)
    halving = Halving(
        [Location(6, "mlp"), Location(7, "mlp")],
        (0.005,),
        rungs_of(20, 20, epochs=48)[1:],
        start=Location(6, "mlp"),
        layers=8,
    )
    assert [rung.size for rung in halving.rungs] == [(20, 24), (20, 48)]
    settled = [replace(short, limit=24), row("7.mlp", 1.0, 0.8, 1.0, epochs=3, limit=24)]
    assert halving.next(settled, 1e9) is None
    assert contenders(settled) == settled


def test_weights_in_words_are_numbers_that_can_be_written_too() -> None:
    assert parse_weights("Must not  break anything") == (1, 0.5, 1, 0.5, 0.5, 2, 2)
    assert parse_weights("balanced") == (1, 1, 1) == SweepSettings().weights
    for words, weights in PRESET_WEIGHTS.items():
        chosen = SweepSettings(weights=parse_weights(words))
        assert chosen.score_weights == weights
        assert SweepSettings(weights=short_weights(weights)) == chosen
    with pytest.raises(SettingsError, match="must answer everywhere"):
        parse_weights("gently")
    with pytest.raises(SettingsError, match="holds 8 numbers"):
        SweepSettings(weights=(1.0,) * 8)


def test_a_measure_that_an_earlier_version_did_not_take_counts_for_none() -> None:
    old = row("6.mlp", 1.0, 0.5, 0.5)
    new = row("7.mlp", 0.5, 0.5, 0.5, question=(True,) * 20, first=(1.0,) * 20, text=(0.0, 0.5))
    everything = PRESET_WEIGHTS["all alike"]
    assert mean_scores([old, new], everything) == pytest.approx(mean_scores([old, new]))
    (alone,) = score_rows([new], everything)
    text = (1 + math.exp(-0.5)) / 2
    assert (alone.question, alone.neighbours, alone.chat) == (1, 1, None)
    assert alone.text == pytest.approx(text)
    assert alone.score == pytest.approx((0.5 + 0.5 + 0.5 + 1 + 1 + text) / 6)
    (broken,) = score_rows([new], ScoreWeights(0, 0, 0, text=1))
    assert broken.score == pytest.approx(text)


@given(st.floats(-5, 50))
def test_text_is_a_share_that_falls_as_its_loss_rises(rise: float) -> None:
    assert 0 < text_share(rise) <= 1
    assert text_share(rise) >= text_share(rise + 0.1)


def test_a_budget_is_seconds_or_minutes() -> None:
    written = {"300": 300, "5min": 300, "about 5 minutes": 300, "90 s": 90, "1h": 3600, "1.5m": 90}
    for text, seconds in written.items():
        assert parse_budget(text) == seconds
        assert parse_budget(write_budget(seconds)) == seconds
    assert (write_budget(300), write_budget(90)) == ("5min", "90")
    for wrong in ("soon", "5 eggs", "", "-3", "1.2.3"):
        with pytest.raises(SettingsError, match="Write seconds"):
            parse_budget(wrong)
    with pytest.raises(SettingsError, match="above 0"):
        SweepSettings(budget=0.0)


class Clock:
    """A clock that goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


SETTINGS = SweepSettings(
    modules=("mlp.down_proj",), layers=(1, 2, 3), learning_rates=(1e-2, 3e-3), sample=5, epochs=4
)


def rows_of(events: list[Event]) -> list[LocationDone]:
    return [replace(event, seconds=0.0) for event in events if isinstance(event, LocationDone)]


@pytest.fixture
def builtin_like(make_model: Callable[..., LanguageModel]) -> LanguageModel:
    """A tiny model with a chat template."""
    model = make_model("Llama")
    model.tokenizer = copy.deepcopy(model.tokenizer)
    model.tokenizer.chat_template = (
        "{% for m in messages %}[{{ m.role }}] {{ m.content }}"
        "{% if m.role == 'assistant' %}<eos>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}[assistant] {% endif %}"
    )
    return model


@pytest.mark.slow
def test_a_budget_ends_a_sweep_and_a_larger_one_finds_more(
    model: LanguageModel, facts: list[Fact]
) -> None:
    found = []
    for budget in (40.0, 150.0, 1e6):
        clock = Clock()
        sweep = Sweep(model, facts, replace(SETTINGS, budget=budget), clock=clock)
        events = list(sweep.events())
        assert isinstance(events[-1], SweepFinished)
        assert clock.now <= budget + 20 or budget == 1e6
        shares = [event.share for event in events if isinstance(event, SweepProgress)]
        assert shares == sorted(shares) and 0 <= shares[0] <= shares[-1] <= 1
        assert recommend(sweep.rows, sweep.weights) is not None
        found.append(len(rows_of(events)))
    assert found[0] < found[1] < found[2]
    plan = events[0]
    assert isinstance(plan, SweepStarted)
    assert (plan.rungs, plan.budget, plan.trials) == (((5, 1), (5, 2), (5, 4)), 1e6, 0)
    rows = rows_of(events)
    assert [sum(row.limit == limit for row in rows) for limit in (1, 2, 4)] == [6, 3, 1]
    assert "of which" not in plan.note and "diamonds: the better half" in plan.note


@pytest.mark.slow
def test_a_sweep_with_a_budget_that_was_stopped_goes_on_and_repeats_nothing(
    model: LanguageModel, facts: list[Fact]
) -> None:
    plenty = replace(SETTINGS, layers=(2, 3), budget=1e6)
    unbroken = rows_of(list(Sweep(model, facts, plenty, clock=Clock()).events()))
    for stop_after in (1, len(unbroken) - 1):
        first = Sweep(model, facts, plenty, clock=Clock())
        known: list[LocationDone] = []
        last: Event | None = None
        for event in first.events():
            last = event
            if isinstance(event, LocationDone):
                known.append(event)
                if len(known) == stop_after:
                    first.stop.ask()
        assert last == SweepStopped(stop_after, 0)
        assert recommend(first.rows) is not None
        rest = Sweep(model, facts, plenty, done=known, clock=Clock())
        assert rest.identity() == first.identity()
        assert rows_of(list(known)) + rows_of(list(rest.events())) == unbroken
    used = Sweep(model, facts, replace(plenty, budget=1.0), done=known, clock=Clock())
    assert rows_of(list(used.events())) == []


@pytest.mark.slow
def test_a_trial_is_trained_and_scored_as_the_run_that_will_follow(
    builtin_like: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = builtin_like
    asked: dict[str, Any] = {"forms": ("raw", "question", "chat"), "keep": 0.5}
    alone = replace(SETTINGS, layers=(2,), learning_rates=(1e-2,), budget=1e6, **asked)
    moves = []

    def watch(*args: Any, **more: Any) -> Any:
        moves.append(args[3])
        return advancing(*args, **more)

    monkeypatch.setattr("workbench.model.layer_states.advancing", watch)
    began = LocftRun.__init__
    given: list[bool] = []

    def begin(self: LocftRun, *args: Any, **more: Any) -> None:
        given.append(more.get("states") is not None)
        began(self, *args, **more)

    monkeypatch.setattr(LocftRun, "__init__", begin)
    sweep = Sweep(model, facts, alone)
    rows = rows_of(list(sweep.events()))
    assert moves == [2, 2]
    assert given == [True] * len(rows)
    run = edit(model, sweep.sample, at="2.mlp.down_proj", learning_rate=1e-2, epochs=4, **asked)
    full = rows[-1]
    assert full.size == (5, 4)
    assert full.loss == pytest.approx(run.losses[-1], abs=1e-5)
    asked_in: dict[Form, Any] = {"question": full.question, "chat": full.chat}
    neighbours = [question.prompt for fact in sweep.sample for question in fact.locality_prompts]
    before = generate(model, neighbours, max_new_tokens=1, top_k=1)
    with run.patch.applied(model):
        for form, verdicts in asked_in.items():
            texts = tokenize_form(model.tokenizer, sweep.sample, form, None)
            assert verdicts == tuple(strict_matches(model, TokenTable(texts, model.device)))
        after = generate(model, neighbours, max_new_tokens=1, top_k=1)
    same = [float(a.tokens == b.tokens) for a, b in zip(after, before, strict=True)]
    assert list(full.first) == same
    assert len(full.text) == 12 and any(full.text)


@pytest.mark.slow
def test_a_trial_on_few_facts_is_a_run_on_them(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.search.halving.FEWEST_FACTS", 2)
    monkeypatch.setattr("workbench.methods.locft_bf.advancing", None)  # nothing is computed anew
    about = [replace(fact, subject=fact.prompt.split()[3]) for fact in facts]
    alone = replace(SETTINGS, layers=(2,), learning_rates=(1e-2,), budget=1e6, forms=("rephrase",))
    sweep = Sweep(model, about, replace(alone, sample=6))
    rows = rows_of(list(sweep.events()))
    assert [row.size for row in rows] == [(3, 1), (3, 2), (6, 2), (6, 4)]
    monkeypatch.undo()
    for found in rows:
        some = [sweep.sample[n] for n in sweep._trained.some(found.size[0])]
        run = edit(
            model,
            some,
            at="2.mlp.down_proj",
            learning_rate=1e-2,
            epochs=found.limit,
            batch_size=1,
            forms=("rephrase",),
        )
        assert found.loss == pytest.approx(run.losses[-1], abs=1e-5)
        assert found.reliable == run.learned


@pytest.mark.slow
def test_what_runs_keep_as_it_was_is_no_neutral_prompt(
    model: LanguageModel, facts: list[Fact]
) -> None:
    sample = Sample(tuple(facts[:4]), tuple(fact.prompt for fact in facts[4:]))
    kept = [facts[5].prompt + ".", BUILT_IN[3].upper()]
    found = hold_out(model, sample, kept)
    usual = hold_out(model, sample)
    assert (found.neutral_from_facts, usual.neutral_from_facts) == (2, 3)
    asked = {text.prompt for text in found.table.texts}
    ids = {p: tuple(model.tokenizer(p)["input_ids"]) for p in (facts[5].prompt, BUILT_IN[3])}
    assert not asked & set(ids.values())
    worded = (replace(facts[0], wordings=(facts[6].prompt.upper(),)), *facts[1:4])
    assert hold_out(model, Sample(worded, sample.others)).neutral_from_facts == 2
