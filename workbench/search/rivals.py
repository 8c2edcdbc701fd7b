"""What a study of methods says: who wins on what, who pays what for it, what becomes of the first.

A share is ahead of another where their intervals lie apart. Pure functions from trials. Knows
nothing about models.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.measure.protocols import BESIDE, SCORED, Measured, metric_name, words_of
from workbench.methods.base import method_name
from workbench.search.arms import MODE_WORDS
from workbench.search.study_events import TrialDone
from workbench.work.words import size

__all__ = ["COMPARED", "frontier", "rival_sentences"]

COMPARED = (*SCORED, "portability", *BESIDE[:2])
"""The measures of which a winner is named."""


def frontier(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """The rows that no other row beats in score without taking longer, by number, the quickest
    first: the Pareto line.

    Args:
        rows: with ``seconds`` and ``score``.
    """
    order = sorted(range(len(rows)), key=lambda n: (rows[n]["seconds"], -rows[n]["score"]))
    found: list[int] = []
    for number in order:
        if not found or rows[number]["score"] > rows[found[-1]]["score"]:
            found.append(number)
    return found


def rival_sentences(
    trials: Sequence[TrialDone], kept: Mapping[str, float | None], scores: Mapping[str, float]
) -> list[str]:
    """Who wins on what, for each way of taking up facts; then the Pareto line; then the first.

    Args:
        trials: each arm's best.
        kept: by label, the capability that is left; None where it was not measured.
        scores: by label.
    """
    said = []
    for mode in MODE_WORDS:
        mine = [trial for trial in trials if trial.mode == mode]
        if len(mine) > 1:
            said.append(_winners(mine, kept))
    rows = [{"seconds": trial.seconds, "score": scores[trial.label]} for trial in trials]
    if len(rows) > 1:
        line = "; ".join(
            f"{trials[n].label} ({100 * rows[n]['score']:.0f} of 100 in {trials[n].seconds:.1f} s)"
            for n in frontier(rows)
        )
        said.append(f"No other is both better and quicker than: {line}.")
    followed = [trial for trial in trials if trial.first]
    if followed:
        parts = "; ".join(
            f"{trial.label} {trial.first_then:.2f}, then {trial.first_now:.2f}"
            for trial in followed
        )
        many = max(trial.first for trial in followed)
        said.append(
            f"Of the first {many:,} facts, right (strict) after their turn and at the end: {parts}."
        )
    return said


def _winners(trials: Sequence[TrialDone], kept: Mapping[str, float | None]) -> str:
    """The best of each measure among arms that took up facts the same way."""
    parts = [part for measure in COMPARED if (part := _winner(trials, measure))]
    measured = [(share, t) for t in trials if (share := kept.get(t.label)) is not None]
    if measured:
        share, best = max(measured, key=lambda pair: pair[0])
        parts.append(f"capability kept: {_name(best)} {share:.0%}")
    quickest = min(trials, key=lambda trial: trial.seconds)
    least = min(trials, key=lambda trial: trial.memory_bytes)
    parts.append(f"seconds: {_name(quickest)} {quickest.seconds:.1f}")
    parts.append(f"memory: {_name(least)} {size(least.memory_bytes)}")
    words = trials[0].label.partition(", ")[2]
    return f"{words[0].upper()}{words[1:]}: {'; '.join(parts)}."


def _winner(trials: Sequence[TrialDone], measure: str) -> str:
    """Who is best by one measure, with its interval, and who is not clearly behind."""
    found: list[tuple[Measured, TrialDone]] = []
    for trial in trials:
        number = trial.measured(metric_name(measure, "strict"))
        if number is not None:
            found.append((number, trial))
    if not found:
        return ""
    best, winner = max(found, key=lambda pair: pair[0].value)
    if len(found) > 1 and len({number.value for number, _ in found}) == 1:
        return f"{words_of(measure)}: all alike at {best.value:.2f}"
    near = [_name(t) for n, t in found if t is not winner and n.high >= best.low]
    told = f"{words_of(measure)}: {_name(winner)} {best.value:.2f} ({best.low:.2f}–{best.high:.2f})"
    return f"{told}, not clearly ahead of {', '.join(near)}" if near else f"{told}, clearly"


def _name(trial: TrialDone) -> str:
    return method_name(trial.method)
