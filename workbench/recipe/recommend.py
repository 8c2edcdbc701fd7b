"""Which location a sweep speaks for, why, and how sure that is.

Rests on the sweep's rows alone, never on a scan: gradients rank a destructive first layer
highest. The rule: the best mean score wins. Among those within one point of it that the
bootstrap cannot tell from it, the latest layer is taken, because more hidden states below it are
kept and its steps cost less; then the location with fewer weights; then the lower KL.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.recipe.location import Location
from workbench.recipe.score import MEASURES, ScoreWeights, bootstrap
from workbench.recipe.sweep_events import LocationDone

__all__ = ["MARGIN", "Recommendation", "recommend"]

MARGIN = 0.01
"""Scores closer than this (one point) are alike for people; then the cheaper one is taken."""

DOUBT = 0.05
"""Share of resamples in which another location must do at least as well to count as alike."""

NAMED = 4


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One location, and how sure it is.

    Args:
        at: the location.
        learning_rate: the rate that it was tried with.
        score: its mean score, from 0 to 1.
        low, high: where the middle 90% of the resamples lie.
        alike: other trials that the bootstrap cannot tell from the best, best first, such as
            ``5.mlp.down_proj``; with the rate behind it when several were tried.
        is_noise: whether there are such trials, so that the choice between them is a matter of
            taste or cost.
        reason: one sentence for people.
    """

    at: str
    learning_rate: float
    score: float
    low: float
    high: float
    alike: tuple[str, ...]
    is_noise: bool
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """The recommendation as JSON-ready data."""
        return {**asdict(self), "alike": list(self.alike)}


def recommend(
    rows: Sequence[LocationDone], weights: ScoreWeights | None = None
) -> Recommendation | None:
    """The location that a sweep speaks for; None without rows.

    Args:
        rows: of one sweep.
        weights: None weighs reliability, generalization and locality alike.
    """
    if not rows:
        return None
    found = bootstrap(rows, weights)
    means, resampled = found.means["score"], found.resampled["score"]
    order = sorted(range(len(rows)), key=lambda i: -means[i])
    best = order[0]
    as_good = (resampled >= resampled[best]).mean(axis=1)
    alike = [i for i in order if i == best or as_good[i] >= DOUBT]
    close = [i for i in alike if means[best] - means[i] <= MARGIN]
    chosen = min(close, key=lambda i: _cost(rows[i]))
    others = tuple(_name(rows[i], rows) for i in alike if i != chosen)
    low, high = np.quantile(resampled[chosen], (0.05, 0.95))
    measured = {name: float(found.means[name][chosen]) for name in MEASURES}
    return Recommendation(
        at=rows[chosen].at,
        learning_rate=rows[chosen].learning_rate,
        score=float(means[chosen]),
        low=float(low),
        high=float(high),
        alike=others,
        is_noise=bool(others),
        reason=_reason(rows, chosen, best, others, float(means[chosen]), measured),
    )


def _cost(row: LocationDone) -> tuple[int, int, float]:
    """The order among locations that are alike: the first one is taken."""
    kl = sum(row.kl) / len(row.kl) if row.kl else 0.0
    return -Location.parse(row.at).layer, row.weights, kl


def _name(row: LocationDone, rows: Sequence[LocationDone]) -> str:
    several = len({other.learning_rate for other in rows}) > 1
    return f"{row.at} at {row.learning_rate:g}" if several else row.at


def _reason(
    rows: Sequence[LocationDone],
    chosen: int,
    best: int,
    others: tuple[str, ...],
    score: float,
    measured: dict[str, float],
) -> str:
    name = _name(rows[chosen], rows)
    parts = ", ".join(f"{m} {v:.0%}" for m, v in measured.items() if not np.isnan(v))
    what = f"{name} scores {100 * score:.0f} of 100 ({parts})"
    if len(rows) == 1:
        return f"{what}; it is the only one tried."
    facts = len(rows[chosen].reliable)
    if not others:
        return f"{what}, more than any other of {len(rows)}, and not by chance on {facts} facts."
    shown = ", ".join(others[:NAMED])
    if len(others) > NAMED:
        shown += f" and {len(others) - NAMED} more"
    noise = f"on {facts} facts the difference to {shown} is within chance"
    if chosen == best:
        return f"{what}; {noise}."
    return f"{what}; {noise}, and of those within a point the latest, cheapest one is taken."
