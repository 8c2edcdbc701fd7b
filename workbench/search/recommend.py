"""Which location a sweep speaks for, why, and how sure that is.

Rests on the sweep's rows alone, never on a scan: gradients rank a destructive first layer
highest. Runs of full length are compared where there are any (see `stages`). The rule: the best
mean score wins. Among those within one point of it that the bootstrap cannot tell from it, the
latest layer is taken, because more hidden states below it are kept and its steps cost less, and
in that layer the better score.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.measure.statistics import middle
from workbench.model.location import Location
from workbench.search.score import ScoreWeights, bootstrap
from workbench.search.stages import contenders
from workbench.search.sweep_events import LocationDone
from workbench.search.weights import NAMES

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
    rows: Sequence[LocationDone], weights: ScoreWeights | None = None, *, halved: bool = False
) -> Recommendation | None:
    """The location that a sweep speaks for; None without rows.

    Args:
        rows: of one sweep.
        weights: None weighs reliability, generalization and locality alike, and nothing else.
        halved: whether it had a budget, so that its longest trials need not be of full length.
    """
    if not rows:
        return None
    compared = contenders(rows, weights)
    found = bootstrap(compared, weights)
    means, resampled = found.means["score"], found.resampled["score"]
    order = sorted(range(len(compared)), key=lambda i: -means[i])
    best = order[0]
    as_good = (resampled >= resampled[best]).mean(axis=1)
    alike = [i for i in order if i == best or as_good[i] >= DOUBT]
    close = [i for i in alike if means[best] - means[i] <= MARGIN]
    chosen = max(close, key=lambda i: (Location.parse(compared[i].at).layer, means[i]))
    row, score = compared[chosen], float(means[chosen])
    others = tuple(_name(compared[i], rows) for i in alike if i != chosen)
    low, high = middle(resampled[chosen])
    measured = {name: float(found.means[name][chosen]) for name in NAMES}
    return Recommendation(
        at=row.at,
        learning_rate=row.learning_rate,
        score=score,
        low=float(low),
        high=float(high),
        alike=others,
        is_noise=bool(others),
        reason=_what(row, rows, score, measured, halved)
        + (_why(row, rows, others, chosen == best) if len(compared) > 1 else _alone(rows)),
    )


def _name(row: LocationDone, rows: Sequence[LocationDone]) -> str:
    several = len({other.learning_rate for other in rows}) > 1
    return f"{row.at} at {row.learning_rate:g}" if several else row.at


def _what(
    row: LocationDone,
    rows: Sequence[LocationDone],
    score: float,
    measured: dict[str, float],
    halved: bool,
) -> str:
    """The beginning of the reason: the location and how it did."""
    parts = ", ".join(f"{m} {v:.0%}" for m, v in measured.items() if not np.isnan(v))
    shortest, longest = min(r.size for r in rows), max(r.size for r in rows)
    length = ""
    if halved and longest > shortest:
        length = f" on {len(row.reliable)} facts in at most {row.limit} passes"
    elif row.size > shortest:
        length = " in a run of full length"
    elif longest > shortest and row.is_settled:
        length = " in a short run that had converged"
    return f"{_name(row, rows)} scores {100 * score:.0f} of 100{length} ({parts})"


def _alone(rows: Sequence[LocationDone]) -> str:
    """The end of the reason where nothing stands beside it."""
    places = len({other.place for other in rows})
    return (
        "; it is the only one tried."
        if places == 1
        else f"; of {places} places and rates it went furthest."
    )


def _why(
    row: LocationDone, rows: Sequence[LocationDone], others: tuple[str, ...], is_best: bool
) -> str:
    """The end of the reason: against what, and whether by chance."""
    places, facts = len({other.place for other in rows}), len(row.reliable)
    if not others:
        return f", more than any other of {places}, and not by chance on {facts} facts."
    shown = ", ".join(others[:NAMED])
    if len(others) > NAMED:
        shown += f" and {len(others) - NAMED} more"
    noise = f"; on {facts} facts the difference to {shown} is within chance"
    if is_best:
        return f"{noise}."
    return f"{noise}, and of those within a point the best of the latest layer is taken."
