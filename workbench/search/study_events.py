"""What a study says while it works: typed events, the same for the page, the commands, the tests.

`LocationChosen`, `TrialDone`, `ArmExamined` and a sweep's `LocationDone` are also what is kept
of a study: its table and its sentences follow from them alone, and a study that was broken off
goes on from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.measure.capability_result import Capability
from workbench.measure.protocols import Measured
from workbench.search import sweep_events
from workbench.work.events import Event, Told

__all__ = [
    "KEPT",
    "ArmExamined",
    "ArmLeftOut",
    "LocationChosen",
    "StudyFinished",
    "StudyProgress",
    "StudyStarted",
    "StudyStopped",
    "TrialDone",
]


@dataclass(frozen=True, slots=True)
class StudyStarted(Event):
    """The plan of a study, before its first step.

    Args:
        kind: which study.
        trials: how many runs it makes.
        kept: how many of them are known from before and not repeated.
        facts: how many facts it is about.
        sentence: what is the same for every arm, for people.
    """

    kind: str
    trials: int
    kept: int
    facts: int
    sentence: str


@dataclass(frozen=True, slots=True)
class StudyProgress(Event):
    """What is done now.

    Args:
        done: trials done.
        trials: how many there are.
        label: what is being worked on.
        share: how much of that is done, 0 to 1.
    """

    done: int
    trials: int
    label: str
    share: float

    def told(self) -> Told:
        """Which run is made, and how many are done."""
        trials = max(1, self.trials)
        whole = (self.done + self.share) / trials if self.trials else self.share
        return Told(f"{self.label}, {self.done} of {trials} runs done", whole)


@dataclass(frozen=True, slots=True)
class LocationChosen(Event):
    """Where LocFT-BF tunes in this study, and why."""

    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class TrialDone(Event):
    """One run of one arm at one learning rate.

    Args:
        label: the arm.
        at: where it tuned.
        learning_rate: Adam's rate.
        batch_size: facts per update.
        facts: how many facts it compiled.
        passes: most passes over each fact.
        steps: updates made.
        seconds: of the run, without its evaluation.
        loss: mean loss at the end.
        before, after: every share by name, see `Measured`; `before` is the base.
        asked: what was asked by which protocol.
        figures: what is no share, before and after, see `FIGURES`; empty in earlier versions.
        method: key of the method, where methods are compared; so all that follows but `weights`.
        mode: how it took up the facts.
        tried: the setting whose value `learning_rate` is.
        memory_bytes: estimate of what its runs take on top of the model.
        weights: how many numbers of the base it changed; elsewhere how many it tuned, 0 in earlier
            versions.
        first: how many facts were followed from their turn to the end.
        first_then: the share of them that were right (strict) after their turn.
        first_now: the share of them that are right at the end.
    """

    label: str
    at: str
    learning_rate: float
    batch_size: int
    facts: int
    passes: int
    steps: int
    seconds: float
    loss: float
    before: Mapping[str, Mapping[str, float]]
    after: Mapping[str, Mapping[str, float]]
    asked: str = ""
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    method: str = ""
    mode: str = ""
    tried: str = ""
    memory_bytes: int = 0
    weights: int = 0
    first: int = 0
    first_then: float = 0.0
    first_now: float = 0.0

    @property
    def key(self) -> tuple[str, float]:
        """What tells this trial from the others of a study."""
        return self.label, self.learning_rate

    def measured(self, name: str) -> Measured | None:
        """One share after the edit; None when it was not measured."""
        found = self.after.get(name)
        return Measured.from_dict(name, found) if found is not None else None


@dataclass(frozen=True, slots=True)
class ArmExamined(Event):
    """General capability with the best run of an arm.

    Args:
        label: the arm.
        learning_rate: which of its runs.
        capability: `Capability.as_dict`; empty when it could not be measured.
        problem: why not.
    """

    label: str
    learning_rate: float
    capability: Mapping[str, Any]
    problem: str = ""

    @property
    def found(self) -> Capability | None:
        """The measurement; None when there is none."""
        return Capability.from_dict(dict(self.capability)) if self.capability else None


@dataclass(frozen=True, slots=True)
class ArmLeftOut(Event):
    """An arm that cannot be run here, and why; another time it is tried again."""

    label: str
    problem: str


@dataclass(frozen=True, slots=True)
class StudyFinished(Event):
    """Everything was tried; `seconds` since this part of the study began."""

    trials: int
    seconds: float


@dataclass(frozen=True, slots=True)
class StudyStopped(Event):
    """The study was stopped by its user; it can go on from what is done."""

    done: int
    trials: int


KEPT = (LocationChosen, TrialDone, ArmExamined, ArmLeftOut, sweep_events.LocationDone)
"""What is kept of a study."""
