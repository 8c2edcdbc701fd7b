"""A sweep's settings, the scores of its rows, and what it recommends."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import LocationError, SettingsError
from workbench.search import sweep_events as events
from workbench.search.recommend import recommend
from workbench.search.score import ScoreWeights, bootstrap, score_rows
from workbench.search.sweep_settings import SweepSettings, automatic_sweep_epochs, parse_layers
from workbench.work.events import Event


def row(
    at: str, reliable: float, general: float | None, local: float | None, **more: Any
) -> events.LocationDone:
    """A trial on 20 facts of which so many shares are right, the first ones."""

    def shares(value: float | None) -> tuple[float | None, ...]:
        return tuple(None if value is None else float(i < 20 * value) for i in range(20))

    values: dict[str, Any] = {
        "at": at,
        "learning_rate": 0.005,
        "weights": 1000,
        "reliable": tuple(i < 20 * reliable for i in range(20)),
        "general": shares(general),
        "local": shares(local),
        "neutral": (True,) * 5 + (False,) * 5,
        "kl": (0.1,) * 10,
        "weight_change": 0.2,
        "epochs": 5,
        "steps": 50,
        "loss": 0.1,
        "seconds": 1.0,
        "limit": 5,
    }
    return events.LocationDone(**{**values, **more})


@pytest.mark.parametrize(
    ("text", "layers"),
    [("all", ()), ("", ()), ("0,3-7", (0, 3, 4, 5, 6, 7)), ("2, 1,2", (1, 2)), ("5-5", (5,))],
)
def test_layers_are_written_as_numbers_and_ranges(text: str, layers: tuple[int, ...]) -> None:
    assert parse_layers(text) == layers


@given(st.text(max_size=12))
def test_any_other_text_for_layers_is_refused_in_words(text: str) -> None:
    try:
        layers = parse_layers(text)
    except SettingsError as error:
        assert "Write numbers and ranges" in str(error)
    else:
        assert layers == tuple(sorted(set(layers)))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"sample": 0}, "sample"),
        ({"epochs": 0}, "epochs"),
        ({"seed": -1}, "seed"),
        ({"full_runs": -1}, "full_runs"),
        ({"learning_rates": (0.0,)}, "learning_rates"),
        ({"layers": (-1,)}, "layers"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        SweepSettings(**wrong)
    with pytest.raises(LocationError):
        SweepSettings(modules=("mlp..x",))


def test_settings_go_through_json_and_have_a_sentence_each() -> None:
    settings = SweepSettings(layers=(7, 3), modules=("mlp", "all"), learning_rates=(0.1,), epochs=4)
    assert SweepSettings.from_dict(json.loads(json.dumps(settings.as_dict()))) == settings
    assert set(SweepSettings.help()) == set(settings.as_dict())
    with pytest.raises(SettingsError, match="Unknown setting speed"):
        SweepSettings.from_dict({"speed": 1})


def test_events_go_through_json() -> None:
    every: list[Event] = [
        events.SweepStarted(("1",), (0.1,), 0, 9, 4, 1, 5, 4, 4, 3, 2, "why", 7, True, 50),
        events.SweepProgress(1, 2, "1", 0, 5, 0.5),
        row("1.mlp", 1, None, 0.5),
        events.SweepFinished(2, 1.5),
        events.SweepStopped(1, 2),
    ]
    for event in every:
        assert Event.from_dict(json.loads(json.dumps(event.as_dict()))) == event


def test_all_layers_together_cost_about_three_runs() -> None:
    # 64 facts in batches of 8 get 50 epochs; 8 layers share twice as many, and scoring is a third.
    assert automatic_sweep_epochs(64, 8, 8) == 12
    assert automatic_sweep_epochs(64, 8, 80) == 5
    assert automatic_sweep_epochs(64, 8, 1) == 50


def test_the_score_is_the_weighted_mean_of_what_was_asked() -> None:
    rows = [row("6", 1.0, 0.5, 0.75), row("7", 0.5, None, 1.0)]
    even = score_rows(rows)
    assert [s.score for s in even] == pytest.approx([0.75, 0.75])
    assert (even[1].generalization, "generalization" in even[1].low) == (None, False)
    only = score_rows(rows, ScoreWeights(0, 0, 2))
    assert [s.score for s in only] == pytest.approx([0.75, 1.0])


def test_without_locality_prompts_the_neutral_ones_stand_in() -> None:
    (found,) = score_rows([row("6", 1.0, 1.0, None)])
    assert found.locality == pytest.approx(0.5)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_band_holds_its_mean_and_stays_between_0_and_1(a: float, b: float, c: float) -> None:
    (found,) = score_rows([row("3", a, b, c)])
    for name in found.low:
        mean = getattr(found, name)
        assert 0 <= found.low[name] <= mean + 1e-9
        assert mean - 1e-9 <= found.high[name] <= 1


def test_the_same_facts_are_drawn_for_every_row() -> None:
    twins = [row("3", 0.6, 0.3, 0.8), row("4", 0.6, 0.3, 0.8)]
    found = bootstrap(twins, resamples=50)
    assert (found.resampled["score"][0] == found.resampled["score"][1]).all()
    assert found.resampled["score"].std() > 0


def test_a_clear_winner_is_recommended_as_such() -> None:
    found = recommend([row("2", 0.1, 0.1, 0.9), row("6", 1.0, 1.0, 1.0)])
    assert found is not None
    assert (found.at, found.is_noise, found.alike) == ("6", False, ())
    assert "6 scores 100 of 100" in found.reason and "not by chance" in found.reason


def test_among_equals_the_latest_layer_is_taken_and_noise_is_said() -> None:
    rows = [row("5", 1.0, 0.9, 0.9), row("6", 1.0, 0.9, 0.9), row("2", 0.2, 0.1, 0.3)]
    found = recommend(rows)
    assert found is not None
    assert (found.at, found.alike, found.is_noise) == ("6", ("5",), True)
    assert "within chance" in found.reason and "latest" in found.reason


def test_in_one_layer_the_better_score_is_taken() -> None:
    rows = [row("7.a", 1.0, 0.9, 0.9, weights=10), row("7.b", 1.0, 0.95, 0.86, kl=(9.0,) * 10)]
    found = recommend(rows)
    assert found is not None and found.at == max(score_rows(rows), key=lambda r: r.score).at


def test_the_recommendation_follows_the_weights() -> None:
    rows = [row("0", 1.0, 1.0, 0.1), row("6", 0.9, 0.6, 1.0)]
    gentle, thorough = ScoreWeights(1, 1, 4), ScoreWeights(1, 4, 0)
    assert getattr(recommend(rows, gentle), "at", "") == "6"
    assert getattr(recommend(rows, thorough), "at", "") == "0"
    assert recommend([]) is None
    only = recommend(rows[:1])
    assert only is not None and "only one tried" in only.reason


def test_weights_that_make_no_sense_are_refused() -> None:
    with pytest.raises(SettingsError, match="All weights are 0"):
        ScoreWeights(0, 0, 0)
    with pytest.raises(SettingsError, match="weight of locality"):
        ScoreWeights(1, 1, -1)
