"""The bootstrap: intervals hold their means, equal seeds agree, many items need little memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.measure.statistics import (
    CELLS,
    interval,
    mean_intervals,
    normal_interval,
    resampled_means,
    row_means,
)

SHARES = st.lists(st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 1.0]), min_size=1, max_size=60)
NAN = float("nan")


@settings(max_examples=30, deadline=None)
@given(SHARES, st.integers(0, 9))
def test_an_interval_lies_among_the_values_and_equal_seeds_agree(
    values: list[float], seed: int
) -> None:
    sums, counts = np.array(values), np.ones(len(values))
    low, high = interval(sums, counts, seed=seed)
    assert min(values) - 1e-12 <= low <= high <= max(values) + 1e-12
    assert (low, high) == interval(sums, counts, seed=seed)
    assert mean_intervals(sums[:, None], seed=seed) == [pytest.approx((low, high))]


@pytest.mark.parametrize(("items", "seed"), [(30, 0), (30, 7), (300, 1), (1000, 2)])
def test_an_interval_of_many_values_holds_their_mean(items: int, seed: int) -> None:
    values = np.random.default_rng(items).random((items, 1))
    ((low, high),) = mean_intervals(values, seed=seed)
    assert low < values.mean() < high
    width = 2 * 1.645 * values.std() / items**0.5
    assert high - low == pytest.approx(width, rel=0.2)


def test_a_fact_with_many_questions_counts_as_one_draw() -> None:
    one = interval(np.array([10.0, 0.0]), np.array([10.0, 10.0]))
    assert one == (0.0, 1.0)
    apart = interval(np.array([1.0] * 10 + [0.0] * 10), np.ones(20))
    assert 0.2 < apart[0] < 0.5 < apart[1] < 0.8


def test_a_change_is_judged_on_the_same_items_before_and_after() -> None:
    before = np.random.default_rng(0).random(200)
    after = before + 0.01
    spans = mean_intervals(np.stack([before, after, after - before], axis=1))
    assert spans[0][1] > spans[1][0]
    assert spans[2] == pytest.approx((0.01, 0.01))


def test_missing_values_are_passed_over() -> None:
    table = np.array([[1.0, NAN, 0.0, NAN], [NAN] * 4, [0.5] * 4, [NAN, NAN, NAN, 0.75]])
    means = row_means(table)
    assert means[[0, 2, 3]].tolist() == [0.5, 0.5, 0.75] and np.isnan(means[1])
    found = resampled_means({"some": table, "none": np.empty((4, 0))}, resamples=300)
    assert found["some"].shape == found["none"].shape == (4, 300)
    assert np.isnan(found["some"][1]).all() and np.isnan(found["none"]).all()
    # A resample without the only value of a row takes that row's mean.
    assert (found["some"][3] == 0.75).all() and (found["some"][2] == 0.5).all()
    assert set(found["some"][0]) > {0.0, 0.5, 1.0}


def test_rows_and_tables_of_one_size_see_the_same_draws() -> None:
    table = np.random.default_rng(1).random((1, 40))
    found = resampled_means({"a": np.vstack([table, table]), "b": table}, seed=3)
    assert np.allclose(found["a"], found["b"], rtol=0, atol=1e-12)
    again = resampled_means({"b": table}, seed=4)
    assert not np.allclose(again["b"], found["b"], rtol=0, atol=1e-3)


def test_drawing_in_blocks_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(2).random((50, 2))
    table = {"a": values.T}
    assert len(values) * 1000 < CELLS
    whole = mean_intervals(values), resampled_means(table)["a"]
    monkeypatch.setattr("workbench.measure.statistics.CELLS", 333)
    parts = mean_intervals(values), resampled_means(table)["a"]
    assert parts[0] == [pytest.approx(span, abs=1e-12) for span in whole[0]]
    assert np.allclose(parts[1], whole[1], rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [2, 20_000])
def test_many_items_need_little_memory(kinds: int) -> None:
    values = np.arange(20_000.0).reshape(-1, 1) % kinds
    tracemalloc.start()
    try:
        mean_intervals(values)
        resampled_means({"a": values.T[:, :600]})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 20e6


def test_a_standard_error_gives_an_interval_too() -> None:
    assert normal_interval(0.5, 0.1) == pytest.approx((0.3355, 0.6645), abs=1e-3)
