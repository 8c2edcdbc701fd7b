"""What a sweep does after its short runs: it looks again where it is worth most.

A short run ends before a slow learner has caught up, so that short runs alone would prefer fast
learners. Therefore the few best places get a run of full length, and a recommendation rests on
those: two rungs of successive halving (Jamieson and Talwalkar 2016, "Non-stochastic best arm
identification and hyperparameter optimization"). With a budget there are more rungs, see
`halving`. A run that the stop rule ended early is settled: more passes would not have changed it.

Pure functions of a sweep's rows: the same rows lead to the same next step, so that a sweep that
was broken off goes on as it would have gone. Knows nothing about models.
"""

from collections.abc import Sequence

from workbench.model.location import Location
from workbench.search.score import ScoreWeights, mean_scores
from workbench.search.sweep_events import LocationDone

__all__ = [
    "WIDENED_LAYERS",
    "best_layers",
    "contenders",
    "finalists",
    "short_rows",
    "standing_at",
]

WIDENED_LAYERS = 2
"""In so many of the best layers every matrix is tried, where no module was named."""

GAP = 0.10
"""A full run is worth while for a place whose short run is within this of the best score."""

NEAR = 0.02
"""Longer runs were made for these weights where a place this near to the best short one has one."""


def short_rows(rows: Sequence[LocationDone]) -> list[LocationDone]:
    """The rows of the short runs; all of them when the runs were of one length."""
    shortest = min((row.size for row in rows), default=(0, 0))
    return [row for row in rows if row.size == shortest]


def standing_at(rows: Sequence[LocationDone], size: tuple[int, int]) -> list[LocationDone]:
    """The rows of one size, and those that would be the same there: shorter ones that are settled.

    Args:
        rows: of one sweep.
        size: facts and most passes, as `LocationDone.size`.
    """
    there = [row for row in rows if row.size == size]
    known = {row.place for row in there}
    for row in sorted(rows, key=lambda row: row.size):
        fewer = row.size[0] == size[0] and row.size[1] < size[1]
        if fewer and row.is_settled and row.place not in known:
            known.add(row.place)
            there.append(row)
    return there


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
    """The rows that a recommendation compares: the longest, of the places that were best before.

    These are the full runs and the short ones that are settled. Where the best short runs, by
    these weights, are not among them, the full runs were not made for these weights, and the short
    runs are compared; and so on from length to length where there are several.

    Args:
        rows: of one sweep.
        weights: of the score.
    """
    compared = short_rows(rows)
    for size in sorted({row.size for row in rows})[1:]:
        longer = standing_at(rows, size)
        scores = mean_scores(compared, weights)
        best = [
            row.place for row, s in zip(compared, scores, strict=True) if s >= max(scores) - NEAR
        ]
        if not set(best) & {row.place for row in longer}:
            break
        compared = longer
    return compared


def _ranked(
    rows: Sequence[LocationDone], weights: ScoreWeights | None
) -> list[tuple[LocationDone, float]]:
    """The short runs with their scores, best first; of equal ones the latest, which cost least."""
    short = short_rows(rows)
    pairs = zip(short, mean_scores(short, weights), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], -Location.parse(pair[0].at).layer))
