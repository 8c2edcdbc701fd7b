"""The score of a sweep's locations, and how sure it is: a bootstrap over the facts.

The score is the weighted mean of reliability, generalization and locality; a measure for which
there was nothing to ask is left out, and the other weights count for it. Knows nothing about
models, and computes nothing that would need one: other weights give other scores at once.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.measure.protocols import SCORED
from workbench.measure.statistics import RESAMPLES, middle, resampled_means, row_means
from workbench.model.location import Location
from workbench.search.sweep_events import LocationDone
from workbench.search.weights import ScoreWeights

__all__ = [
    "Bootstrap",
    "LocationScore",
    "ScoreWeights",
    "bootstrap",
    "mean_scores",
    "score_rows",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LocationScore:
    """What a sweep found at one location, as shares from 0 to 1.

    Args:
        at, layer, module, learning_rate, weights: the trial; `module` is empty for a whole layer.
        reliability, generalization, locality: means over facts; None without questions.
        kl: mean over the neutral prompts, in nats.
        weight_change: relative to the weights' norm.
        score: the weighted mean.
        low, high: for each of the four, where the middle 90% of the resamples lie.
        seconds: what the trial took.
        epochs: passes done over the sample.
        is_full: whether it was a run of full length among shorter ones.
    """

    at: str
    layer: int
    module: str
    learning_rate: float
    weights: int
    reliability: float
    generalization: float | None
    locality: float | None
    kl: float
    weight_change: float
    score: float
    low: dict[str, float]
    high: dict[str, float]
    seconds: float
    epochs: int
    is_full: bool

    def as_dict(self) -> dict[str, Any]:
        """The row as flat JSON-ready data, with ``score_low``, ``score_high`` and so on."""
        data = asdict(self)
        low, high = data.pop("low"), data.pop("high")
        for name in low:
            data |= {f"{name}_low": low[name], f"{name}_high": high[name]}
        return data


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Means of every row, and of every row in every resample of the facts.

    Args:
        means: for each measure and ``score``, (rows,); NaN without questions.
        resampled: likewise, (rows, resamples). A resample draws the same facts for all rows, so
            that two rows may be compared resample by resample.
    """

    means: dict[str, Floats]
    resampled: dict[str, Floats]


def mean_scores(rows: Sequence[LocationDone], weights: ScoreWeights | None = None) -> list[float]:
    """The score of each row, without saying how sure it is.

    Args:
        rows: of one sweep.
        weights: None weighs the three measures alike.
    """
    if not rows:
        return []
    means = {name: row_means(table) for name, table in _per_question(rows).items()}
    found: list[float] = _weighted(means, _weigh(weights)).tolist()
    return found


def bootstrap(
    rows: Sequence[LocationDone],
    weights: ScoreWeights | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Bootstrap:
    """Scores rows, and scores them again on facts drawn with replacement.

    Args:
        rows: of one sweep: the same facts and prompts in each.
        weights: None weighs the three measures alike.
        resamples: how often.
        seed: decides the draws.
    """
    values = _per_question(rows)
    means = {name: row_means(table) for name, table in values.items()}
    resampled = resampled_means(values, resamples=resamples, seed=seed)
    weigh = _weigh(weights)
    means["score"] = _weighted(means, weigh)
    resampled["score"] = _weighted(resampled, weigh)
    return Bootstrap(means, resampled)


def _weigh(weights: ScoreWeights | None) -> dict[str, float]:
    return asdict(weights or ScoreWeights())


def _per_question(rows: Sequence[LocationDone]) -> dict[str, Floats]:
    """For each measure (rows, questions): facts, or neutral prompts; NaN where none was asked."""
    local = [row.local for row in rows]
    asked = any(value is not None for answers in local for value in answers)
    return {
        "reliability": np.array([row.reliable for row in rows], dtype=np.float64),
        "generalization": np.array([row.general for row in rows], dtype=np.float64),
        "locality": np.array(local if asked else [row.neutral for row in rows], dtype=np.float64),
    }


def _weighted(values: dict[str, Floats], weights: dict[str, float]) -> Floats:
    total = np.zeros_like(values["reliability"])
    size = np.zeros_like(total)
    for name in SCORED:
        there = ~np.isnan(values[name])
        total += np.where(there, values[name], 0.0) * weights[name]
        size += there * weights[name]
    return np.divide(total, size, out=np.zeros_like(total), where=size > 0)


def score_rows(
    rows: Sequence[LocationDone], weights: ScoreWeights | None = None
) -> list[LocationScore]:
    """The rows of a sweep as people see them, in the order given.

    Args:
        rows: of one sweep.
        weights: None weighs the three measures alike.
    """
    if not rows:
        return []
    found = bootstrap(rows, weights)
    spans = {name: middle(values) for name, values in found.resampled.items()}
    scores, shortest = [], min(row.limit for row in rows)
    for number, row in enumerate(rows):
        means = {name: float(values[number]) for name, values in found.means.items()}
        there = [name for name, mean in means.items() if not math.isnan(mean)]
        where = Location.parse(row.at)
        scores.append(
            LocationScore(
                at=row.at,
                layer=where.layer,
                module=where.module,
                learning_rate=row.learning_rate,
                weights=row.weights,
                reliability=means["reliability"],
                generalization=means["generalization"] if "generalization" in there else None,
                locality=means["locality"] if "locality" in there else None,
                kl=float(np.mean(row.kl)) if row.kl else 0.0,
                weight_change=row.weight_change,
                score=means["score"],
                low={name: float(spans[name][0][number]) for name in there},
                high={name: float(spans[name][1][number]) for name in there},
                seconds=row.seconds,
                epochs=row.epochs,
                is_full=row.limit > shortest,
            )
        )
    return scores
