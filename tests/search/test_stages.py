"""Where a sweep looks again after its short runs, and which rows a recommendation compares."""

import pytest

from tests.search.test_recommend import row
from workbench.search.recommend import recommend
from workbench.search.score import ScoreWeights, mean_scores, score_rows
from workbench.search.stages import best_layers, contenders, finalists, short_rows
from workbench.search.sweep_events import LocationDone

SHORT = [
    row("0.mlp", 1.0, 1.0, 0.1),
    row("3.mlp", 0.2, 0.1, 1.0),
    row("5.mlp", 0.9, 0.85, 0.95),
    row("6.mlp", 1.0, 0.9, 0.95),
    row("7.mlp", 1.0, 0.95, 0.85, epochs=3),
]


def full(of: LocationDone, general: float, local: float) -> LocationDone:
    return row(of.at, 1.0, general, local, epochs=30, limit=50)


def test_the_scores_are_those_of_the_table() -> None:
    assert mean_scores(SHORT) == pytest.approx([scored.score for scored in score_rows(SHORT)])
    weights = ScoreWeights(0, 1, 3)
    again = [scored.score for scored in score_rows(SHORT, weights)]
    assert mean_scores(SHORT, weights) == pytest.approx(again)
    assert mean_scores([]) == []


def test_the_best_layers_are_those_of_the_best_places() -> None:
    assert best_layers(SHORT) == (6, 7)
    assert best_layers([*SHORT, row("6.attn", 1.0, 0.9, 0.94)]) == (6, 7)
    assert best_layers(SHORT, ScoreWeights(0, 0, 1)) == (3, 6)
    assert best_layers([row(f"{layer}.mlp", 0.5, 0.5, 0.5) for layer in range(4)]) == (2, 3)
    assert best_layers(SHORT[:1]) == (0,) and best_layers([]) == ()


def test_a_full_run_is_for_the_best_that_a_longer_run_may_change() -> None:
    # 7 ended by the stop rule; 0 and 3 are far behind.
    assert [found.at for found in finalists(SHORT, None, 4)] == ["6.mlp", "5.mlp"]
    assert [found.at for found in finalists(SHORT, None, 1)] == ["6.mlp"]
    assert finalists([], None, 4) == []
    rows = [*SHORT, full(SHORT[3], 1.0, 1.0)]
    assert finalists(rows, None, 4) == finalists(SHORT, None, 4)


def test_full_runs_are_compared_with_what_is_settled() -> None:
    again = full(SHORT[3], 0.9, 0.9)
    assert contenders(SHORT) == short_rows(SHORT) == SHORT
    assert contenders([*SHORT, again]) == [again, SHORT[4]]


def test_a_slow_learner_is_recommended_for_what_it_reaches_in_the_end() -> None:
    rows = [*SHORT, full(SHORT[2], 1.0, 1.0), full(SHORT[3], 0.9, 0.9)]
    found = recommend(rows)
    assert found is not None
    assert (found.at, found.score) == ("5.mlp", 1.0)
    assert "5.mlp scores 100 of 100 in a run of full length" in found.reason
    assert found.score > max(score.score for score in score_rows(SHORT))


def test_a_short_run_that_converged_stands_beside_the_full_ones() -> None:
    found = recommend([*SHORT, full(SHORT[3], 0.5, 0.5)])
    assert found is not None and found.at == "7.mlp"
    assert "in a short run that had converged" in found.reason
    alone = recommend(SHORT[-1:])
    assert alone is not None and "converged" not in alone.reason


def test_full_runs_made_for_other_weights_decide_nothing() -> None:
    rows = [*SHORT, full(SHORT[2], 1.0, 1.0), full(SHORT[3], 0.9, 0.9)]
    gentle = recommend(rows, ScoreWeights(0, 0, 1))
    assert gentle is not None and gentle.at == "3.mlp"
    assert "full length" not in gentle.reason
