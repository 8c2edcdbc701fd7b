"""A sweep from beginning to end: what is known of it, what it says, and what it found.

Knows nothing about how a trial is made.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.facts.fact import Fact
from workbench.model.language_model import LanguageModel
from workbench.search.recommend import Recommendation, recommend
from workbench.search.score import LocationScore, score_rows
from workbench.search.sweep import Sweep
from workbench.search.sweep_events import LocationDone, SweepFinished, SweepStarted
from workbench.search.sweep_settings import ResolvedSweepSettings, SweepSettings
from workbench.work.events import Work
from workbench.work.keeper import FORGETFUL, Keeper
from workbench.work.stop import Stop

__all__ = ["SweepResult", "sweeping"]


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep found.

    Args:
        plan: what it set out to do.
        settings: as they were resolved.
        rows: what was found, in the order of the trials.
        scores: the same as people see it.
        recommended: the location that the sweep speaks for; None without rows.
        finished: whether everything was tried, or the budget was used.
    """

    plan: SweepStarted
    settings: ResolvedSweepSettings
    rows: tuple[LocationDone, ...]
    scores: tuple[LocationScore, ...]
    recommended: Recommendation | None
    finished: bool


def sweeping(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: SweepSettings,
    *,
    keeper: Keeper = FORGETFUL,
    stop: Stop | None = None,
    clock: Callable[[], float] = time.monotonic,
    answer_tokens: int | None = None,
) -> Work[SweepResult]:
    """Sweeps; says the events, and returns what was found, also when it was stopped.

    Args:
        model: the base; it stays as it is.
        facts: what the sample is drawn from.
        settings: what is tried, and how it is weighed.
        keeper: where rows are kept, and known from.
        stop: the wish to end it.
        clock: tells the seconds by which a budget is kept.
        answer_tokens: see `Sweep`.

    Raises:
        WorkbenchError: see `Sweep`.
    """
    sweep = Sweep(model, facts, settings, stop=stop, clock=clock, answer_tokens=answer_tokens)
    identity = sweep.identity()
    sweep.know(keeper.recall(identity))
    keeper.begin(identity, sweep.rows)
    plan: SweepStarted | None = None
    finished = False
    for event in sweep.events():
        if isinstance(event, SweepStarted):
            plan = event
        finished = isinstance(event, SweepFinished)
        yield event
    assert plan is not None
    rows = sweep.rows
    return SweepResult(
        plan,
        sweep.settings,
        tuple(rows),
        tuple(score_rows(rows, sweep.weights)),
        recommend(rows, sweep.weights, halved=bool(plan.rungs)),
        finished,
    )
