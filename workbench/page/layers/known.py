"""What scan, sweep and runs measured at the places of a model. Pure functions over records."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workbench.search.scan_result import Scan
from workbench.search.score import LocationScore
from workbench.store.runs import Run
from workbench.work.glossary import GLOSSARY
from workbench.work.words import share, small

__all__ = ["Measured", "measured_places"]

NARROWEST = 0.2  # of a scale of shares, so that noise does not look like a difference


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure with what it came to, place by place.

    Args:
        key: how it is called in an event.
        label: its name.
        sentence: what it means.
        values: by location.
        words: how each value reads aloud, by location.
        is_share: whether it is a share from 0 to 1; else it is coloured by its logarithm.
    """

    key: str
    label: str
    sentence: str
    values: Mapping[str, float]
    words: Mapping[str, str]
    is_share: bool = True

    @property
    def ends(self) -> tuple[float, float]:
        """The values that get the ends of the scale of colours."""
        low, high = min(self.values.values()), max(self.values.values())
        if self.is_share and high - low < NARROWEST:
            low = min(max(0.0, (low + high - NARROWEST) / 2), 1 - NARROWEST)
            high = low + NARROWEST
        return low, high

    def height(self, value: float) -> float:
        """Where a value lies between the ends, from 0 to 1."""
        low, high = self.ends
        if not self.is_share:
            low, high, value = (math.log(max(each, 1e-12)) for each in (low, high, value))
        return (value - low) / (high - low) if high > low else 1.0


def measured_places(
    scan: Scan | None, scores: Sequence[LocationScore], runs: Iterable[Run]
) -> list[Measured]:
    """Every measure of which something is known, with what it is known of.

    Args:
        scan: the newest one.
        scores: of the sweep that is looked at; at each place, the trial on most facts counts, and
            among several rates the best.
        runs: finished ones, newest first; the newest at a place counts, alone before with others.
    """
    best: dict[str, LocationScore] = {}
    for score in sorted(scores, key=lambda each: (each.facts, each.limit, each.score)):
        best[score.at] = score
    found = [
        *(_of_scan(scan) if scan is not None else ()),
        _of_sweep("score", "Score", "What the sweep makes of all its measures.", best),
        _of_sweep("generalization", "Gen.", "Rephrases answered right after a trial.", best),
        _of_sweep("locality", "Loc.", "Other prompts answered as before a trial.", best),
        _of_runs(runs),
    ]
    return [each for each in found if each.values]


def _of_scan(scan: Scan) -> list[Measured]:
    pull = {row.at: row.relative for row in scan.places}
    overlap = {row.at: row.overlap for row in scan.places}
    return [
        Measured(
            "relative",
            "Pull",
            GLOSSARY["pull"],
            pull,
            {at: f"pull {small(value)}" for at, value in pull.items()},
            is_share=False,
        ),
        Measured(
            "overlap",
            "Overlap",
            GLOSSARY["overlap"],
            overlap,
            {at: f"overlap {value:.0%}" for at, value in overlap.items()},
        ),
    ]


def _of_sweep(key: str, label: str, sentence: str, best: Mapping[str, LocationScore]) -> Measured:
    values = {at: getattr(score, key) for at, score in best.items()}
    known = {at: value for at, value in values.items() if value is not None}
    words = {at: f"{key} of the sweep {share(value)}" for at, value in known.items()}
    return Measured(key, label, sentence, known, words)


def _of_runs(runs: Iterable[Run]) -> Measured:
    values: dict[str, float] = {}
    words: dict[str, str] = {}
    for run in sorted(runs, key=lambda each: (len(each.at), -each.id)):
        value = (run.metrics.get("after") or {}).get("generalization_strict")
        if value is None:
            continue
        for at in run.at:
            if at not in values:
                beside = f" with {len(run.at) - 1} more" if len(run.at) > 1 else ""
                values[at] = value
                words[at] = f"{run.name}{beside} {share(value)}"
    return Measured("run", "Runs", "The generalization that a run there came to.", values, words)
