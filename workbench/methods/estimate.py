"""How long a run will take and how much memory, from a few steps that are really made.

Invariant: the steps are thrown away; the model is the untouched base afterwards.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workbench.facts.fact import Fact
from workbench.methods.events import BatchDone, Started, StatesProgress
from workbench.methods.locft_bf import Edit
from workbench.methods.locft_settings import EditSettings
from workbench.model.language_model import LanguageModel

__all__ = ["Estimate", "estimate"]

MEASURED_BATCHES = 4
LONG_ENOUGH = 2.0  # seconds after which no further batch is measured


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run is expected to take at most, the stop rule left aside.

    Args:
        plan: what the run will do.
        states_seconds: computing the hidden states that are kept.
        step_seconds: one update.
        measured: how many updates that was measured over.
    """

    plan: Started
    states_seconds: float
    step_seconds: float
    measured: int

    @property
    def seconds(self) -> float:
        """The whole run."""
        return self.states_seconds + self.plan.steps * self.step_seconds


def estimate(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: EditSettings | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Estimate | None:
    """Plans a run and measures a few of its steps.

    Args:
        model: the base.
        facts: what the run would compile.
        settings: how; None for all automatic.
        should_stop: asked between steps; when it says so, there is no estimate.

    Raises:
        FactsError, SettingsError, LocationError: as the run itself would.
    """
    whole = Edit(model, facts, settings)
    batch_size = whole.settings.batch_size or 1
    sample = facts[: MEASURED_BATCHES * batch_size]
    # Steps are never skipped here, and their order does not matter for how long one takes.
    edit = Edit(
        model, sample, replace(whole.settings, epochs=1, pipeline="breadth-first", skip_loss=0)
    )
    plan = whole.plan()
    del whole
    states, began = 0.0, time.perf_counter()
    moments = [began]
    for event in edit.events():
        now = time.perf_counter()
        if isinstance(event, StatesProgress):
            states = now - began
        if isinstance(event, BatchDone):
            moments.append(now)
            if now - began > LONG_ENOUGH:
                break
        else:
            moments[-1] = now
        if should_stop():
            return None
    steps = [after - before for before, after in itertools.pairwise(moments)]
    # The first step also sets things up; where there are others, they say more.
    steps = steps[1:] or steps
    return Estimate(
        plan=plan,
        states_seconds=states * len(facts) / len(sample),
        step_seconds=sum(steps) / len(steps),
        measured=len(steps),
    )
