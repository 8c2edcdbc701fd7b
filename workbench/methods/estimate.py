"""How long a run will take and how much memory, from a few steps that are really made.

Invariant: the steps are thrown away; the model is the untouched base afterwards.
"""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.facts.fact import Fact
from workbench.methods.base import LOCFT_BF, find_method
from workbench.methods.brought import left_out
from workbench.methods.events import BatchDone, Started, StatesProgress
from workbench.model.language_model import LanguageModel
from workbench.work.settings import SettingsRecord
from workbench.work.stop import Stop

__all__ = ["Estimate", "estimate"]

LONG_ENOUGH = 2.0  # seconds after which no further batch is measured


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run is expected to take at most, the stop rule left aside.

    Args:
        plan: what the run will do.
        states_seconds: computing the hidden states that are kept.
        step_seconds: one update.
        measured: how many updates that was measured over; 0 where the method cannot tell.
        left_out: what facts bring and the run does not train on, in sentences.
    """

    plan: Started
    states_seconds: float
    step_seconds: float
    measured: int
    left_out: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """The whole run."""
        return self.states_seconds + self.plan.steps * self.step_seconds


def estimate(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: SettingsRecord | None = None,
    *,
    method: str = LOCFT_BF.key,
    stop: Stop | None = None,
) -> Estimate | None:
    """Plans a run and measures a few of its steps.

    Args:
        model: the base.
        facts: what the run would compile.
        settings: of the method; None for all automatic.
        method: its key.
        stop: asked between steps; when somebody wants it to end, there is no estimate.

    Raises:
        WorkbenchError: as the run itself would.
    """
    whole = find_method(method).start(model, facts, settings)
    plan, few = whole.plan(), whole.rehearsal()
    prompts, texts = whole.kept_prompts, whole.kept_texts
    missing = tuple(left_out(whole.facts, whole.settings))
    del whole
    if few is None:
        return Estimate(plan, 0.0, 0.0, 0, missing)
    states, kept, began = 0.0, 0.0, time.perf_counter()
    moments = [began]
    for event in few.events():
        now = time.perf_counter()
        if isinstance(event, StatesProgress) and event.kept:
            kept = now - began
        elif isinstance(event, StatesProgress):
            states = now - began - kept
        if isinstance(event, BatchDone):
            moments.append(now)
            if now - began > LONG_ENOUGH:
                break
        else:
            moments[-1] = now
        if stop is not None and stop.asked:
            return None
    steps = [after - before for before, after in itertools.pairwise(moments)]
    # The first step also sets things up; where there are others, they say more.
    steps = steps[1:] or steps
    return Estimate(
        plan=plan,
        states_seconds=kept * prompts / max(1, few.kept_prompts)
        + states * texts / max(1, few.kept_texts),
        step_seconds=sum(steps) / len(steps),
        measured=len(steps),
        left_out=missing,
    )
