"""How many facts a place holds: reliability against facts per million tuned weights.

From the rows of a scale study, which are JSON-ready, so that what was kept earlier is read too.
Pure; imports no torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["HELD", "Capacity", "capacity_of", "capacity_sentence", "crowded_sentence", "density"]

HELD = 0.95
"""The share of the facts that are right (strict) where a place holds them."""

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a scale study says of its place.

    Args:
        at: the place.
        held: most facts per million tuned weights that were held; 0 where not even the fewest were.
        failed: fewest that were not; None where all were held.
    """

    at: str
    held: float
    failed: float | None


def density(facts: int, weights: int) -> float:
    """Facts per million tuned weights."""
    return facts * MILLION / weights


def capacity_of(rows: Sequence[Mapping[str, Any]]) -> Capacity | None:
    """What a scale study says of its place; None where it does not know the tuned weights.

    Args:
        rows: of `StudyResult.rows`.
    """
    known = [
        (row["density"], row["reliability_strict"], row["at"])
        for row in rows
        if row.get("density") and row.get("reliability_strict") is not None
    ]
    if not known:
        return None
    held, failed = 0.0, None
    for dense, reliable, _ in sorted(known):
        if reliable < HELD:
            failed = dense
            break
        held = dense
    return Capacity(known[-1][2], held, failed)


def capacity_sentence(found: Capacity) -> str:
    """What a scale study says of its place, for people."""
    if not found.held:
        return (
            f"{found.at} did not hold {HELD:.0%} of the fewest facts, {found.failed:,.4g} per "
            "million tuned weights: more passes, another rate or another place may."
        )
    told = f"{found.at} held {HELD:.0%} and more up to {found.held:,.4g} facts per million tuned "
    if found.failed is None:
        return f"{told}weights, the most that were tried."
    return f"{told}weights, and not at {found.failed:,.4g}. More matrices hold more."


def crowded_sentence(found: Capacity, facts: int, weights: int) -> str:
    """What a plan warns of: more facts than were held; empty where there are not.

    Args:
        found: of a scale study with this model.
        facts: of the plan.
        weights: that it tunes.
    """
    dense = density(facts, weights)
    if found.failed is None or dense <= found.held:
        return ""
    held = f"of at most {found.held:,.4g}" if found.held else "of none of its numbers of facts"
    return (
        f"These are {dense:,.4g} facts per million tuned weights. In this session's scale study "
        f"{found.at} held {HELD:.0%} {held}. Tune more matrices, or fewer facts."
    )
