"""The score of a sweep's locations, and how sure it is: a bootstrap over the facts.

The score is the weighted mean of the measures; one for which there was nothing to ask is left out,
and the other weights count for it. A measure that some rows lack, because an earlier version made
them, counts for none. Knows nothing about models, and computes nothing that would need one: other
weights give other scores at once.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.measure.statistics import RESAMPLES, middle, resampled_means, row_means
from workbench.model.location import Location
from workbench.search.sweep_events import LocationDone
from workbench.search.weights import NAMES, ScoreWeights

__all__ = [
    "Bootstrap",
    "LocationScore",
    "ScoreWeights",
    "bootstrap",
    "mean_scores",
    "score_rows",
    "text_share",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LocationScore:
    """What a sweep found at one location, as shares from 0 to 1.

    Args:
        at, layer, module, learning_rate, weights: the trial; `module` is empty for a whole layer.
        reliability, generalization, locality, question, chat, neighbours, text: means over what
            was asked, see `ScoreWeights`; None without questions.
        kl: mean over the neutral prompts, in nats.
        weight_change: relative to the weights' norm.
        score: the weighted mean.
        low, high: for each measure and the score, where the middle 90% of the resamples lie.
        seconds: what the trial took.
        epochs: passes done over the sample.
        is_full: whether it was a longer run, or one on more facts, than the shortest.
        facts: how many were trained on.
        limit: most passes that it was allowed.
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
    question: float | None = None
    chat: float | None = None
    neighbours: float | None = None
    text: float | None = None
    facts: int = 0
    limit: int = 0

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
        weights: None weighs them as `ScoreWeights` does by itself.
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
        weights: None weighs them as `ScoreWeights` does by itself.
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


def text_share(rise: float) -> float:
    """A rise of the loss of plain text as a share: how likely a token of it still is, on average.

    It is exp(-rise), the base's perplexity as a share of the edited model's, and at most 1: a
    text that became likelier is worth no more than one that stayed.

    Args:
        rise: in nats per token.
    """
    return math.exp(-max(0.0, rise))


def _weigh(weights: ScoreWeights | None) -> dict[str, float]:
    return asdict(weights or ScoreWeights())


def _per_question(rows: Sequence[LocationDone]) -> dict[str, Floats]:
    """For each measure (rows, questions): facts, prompts or passages; NaN where none was asked."""
    # Where no fact has locality prompts, the neutral ones stand in for all rows alike.
    asked = any(value is not None for row in rows for value in row.local)
    found: dict[str, list[Sequence[float | None]]] = {
        "reliability": [row.reliable for row in rows],
        "generalization": [row.general for row in rows],
        "locality": [row.local if asked else row.neutral for row in rows],
        "question": [row.question for row in rows],
        "chat": [row.chat for row in rows],
        "neighbours": [row.first if asked else row.neutral_first for row in rows],
        "text": [[text_share(rise) for rise in row.text] for row in rows],
    }
    return {name: _table(found[name]) for name in NAMES}


def _table(answers: Sequence[Sequence[float | None]]) -> Floats:
    """Answers as (rows, questions), padded with NaN; nothing else where a row has none at all."""
    width = max(1, *map(len, answers)) if all(answers) else 1
    table = np.full((len(answers), width), np.nan)
    for row, values in enumerate(answers if all(answers) else ()):
        table[row, : len(values)] = np.array(values, dtype=np.float64)
    return table


def _weighted(values: dict[str, Floats], weights: dict[str, float]) -> Floats:
    total = np.zeros_like(values["reliability"])
    size = np.zeros_like(total)
    for name in NAMES:
        there = ~np.isnan(values[name])
        total += np.where(there, values[name], 0.0) * weights[name]
        size += there * weights[name]
    return np.divide(total, size, out=np.zeros_like(total), where=size > 0)


def score_rows(
    rows: Sequence[LocationDone],
    weights: ScoreWeights | None = None,
    *,
    resamples: int = RESAMPLES,
) -> list[LocationScore]:
    """The rows of a sweep as people see them, in the order given.

    Args:
        rows: of one sweep.
        weights: None weighs them as `ScoreWeights` does by itself.
        resamples: how often the facts are drawn anew; few where nobody looks at the intervals.
    """
    if not rows:
        return []
    found = bootstrap(rows, weights, resamples=resamples)
    spans = {name: middle(values) for name, values in found.resampled.items()}
    scores, shortest = [], min(row.size for row in rows)
    for number, row in enumerate(rows):
        means = {name: float(values[number]) for name, values in found.means.items()}
        there = [name for name, mean in means.items() if not math.isnan(mean)]
        known = {name: means[name] for name in NAMES if name in there}
        where = Location.parse(row.at)
        scores.append(
            LocationScore(
                at=row.at,
                layer=where.layer,
                module=where.module,
                learning_rate=row.learning_rate,
                weights=row.weights,
                reliability=means["reliability"],
                generalization=known.get("generalization"),
                locality=known.get("locality"),
                kl=float(np.mean(row.kl)) if row.kl else 0.0,
                weight_change=row.weight_change,
                score=means["score"],
                low={name: float(spans[name][0][number]) for name in there},
                high={name: float(spans[name][1][number]) for name in there},
                seconds=row.seconds,
                epochs=row.epochs,
                is_full=row.size > shortest,
                question=known.get("question"),
                chat=known.get("chat"),
                neighbours=known.get("neighbours"),
                text=known.get("text"),
                facts=len(row.reliable),
                limit=row.limit,
            )
        )
    return scores
