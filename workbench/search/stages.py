"""What a sweep does after its short runs: it looks again where it is worth most.

A short run ends before a slow learner has caught up, so that short runs alone would prefer fast
learners. Therefore the few best places get a run of full length, and a recommendation rests on
those: two rungs of successive halving (Jamieson and Talwalkar 2016, "Non-stochastic best arm
identification and hyperparameter optimization"). A run that the stop rule ended early is settled:
more passes would not have changed it.

Pure functions of a sweep's rows: the same rows lead to the same next step, so that a sweep that
was broken off goes on as it would have gone. Knows nothing about models.
"""

from collections.abc import Sequence

from workbench.model.location import Location
from workbench.search.score import ScoreWeights, mean_scores
from workbench.search.sweep_events import LocationDone

__all__ = ["WIDENED_LAYERS", "best_layers", "contenders", "finalists", "short_rows"]

WIDENED_LAYERS = 2
"""In so many of the best layers every matrix is tried, where no module was named."""

GAP = 0.10
"""A full run is worth while for a place whose short run is within this of the best score."""


def short_rows(rows: Sequence[LocationDone]) -> list[LocationDone]:
    """The rows of the short runs; all of them when the runs were of one length."""
    shortest = min((row.limit for row in rows), default=0)
    return [row for row in rows if row.limit == shortest]


def best_layers(
    rows: Sequence[LocationDone], weights: ScoreWeights | None = None, most: int = WIDENED_LAYERS
) -> tuple[int, ...]:
    """The layers of the best short runs, ascending.

    Args:
        rows: of one sweep.
        weights: of the score.
        most: how many layers.
    """
    layers = (Location.parse(row.at).layer for row, _ in _ranked(rows, weights))
    return tuple(sorted(list(dict.fromkeys(layers))[:most]))


def finalists(
    rows: Sequence[LocationDone], weights: ScoreWeights | None, most: int
) -> list[LocationDone]:
    """The short runs that are worth a run of full length, best first.

    Args:
        rows: of one sweep.
        weights: of the score.
        most: how many.
    """
    ranked = _ranked(rows, weights)
    return [row for row, score in ranked if not row.is_settled and ranked[0][1] - score <= GAP][
        :most
    ]


def contenders(
    rows: Sequence[LocationDone], weights: ScoreWeights | None = None
) -> list[LocationDone]:
    """The rows that a recommendation compares: those whose result is final, where there are any.

    These are the full runs and the short ones that are settled. Where the best short run, by
    these weights, is not among them, the full runs were not made for these weights, and the short
    runs are compared.

    Args:
        rows: of one sweep.
        weights: of the score.
    """
    short = short_rows(rows)
    full = [row for row in rows if row.limit > short[0].limit] if short else []
    if not full:
        return short
    again = {row.place for row in full}
    final = full + [row for row in short if row.is_settled and row.place not in again]
    best = _ranked(rows, weights)[0][0]
    return final if best.place in {row.place for row in final} else short


def _ranked(
    rows: Sequence[LocationDone], weights: ScoreWeights | None
) -> list[tuple[LocationDone, float]]:
    """The short runs with their scores, best first; of equal ones the latest, which cost least."""
    short = short_rows(rows)
    pairs = zip(short, mean_scores(short, weights), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], -Location.parse(pair[0].at).layer))
