"""The paper's controlled experiments: arms with the same budget, each at its own best rate.

One trial is one run of one arm at one learning rate, measured on the facts it compiled. When
every rate of an arm is tried, the best is examined for general capability. LocFT-BF tunes where a
sweep recommends it, and the sweep is part of the study.

Invariants: between two events the model is its untouched base. A trial depends on the model, the
facts and the settings alone, so that a study that goes on from kept events ends with the same
numbers (seconds apart). Knows nothing about files, sentences or tables.
"""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from workbench.errors import FactsError, ModelError, WorkbenchError
from workbench.facts.fact import Fact
from workbench.measure.capability import harness_version, measure_capability, measuring_capability
from workbench.measure.evaluate import Examiner
from workbench.methods.base import find_method
from workbench.methods.locft_settings import automatic_batch_size, automatic_epochs
from workbench.model.language_model import LanguageModel
from workbench.model.location import parse_locations
from workbench.model.patch import Patch
from workbench.search.arms import Arm, arms
from workbench.search.recommend import recommend
from workbench.search.study_events import (
    ArmExamined,
    ArmLeftOut,
    LocationChosen,
    StudyFinished,
    StudyProgress,
    StudyStarted,
    StudyStopped,
    TrialDone,
)
from workbench.search.study_identity import study_identity
from workbench.search.study_result import score_of
from workbench.search.study_settings import StudySettings
from workbench.search.sweep import Sweep
from workbench.search.sweep_events import LocationDone, SweepProgress
from workbench.search.sweep_settings import EVERY_MATRIX, SweepSettings
from workbench.search.taking_up import TakenUp, taking_up, weights_changed
from workbench.work.events import Event, Work, follow, sparing
from workbench.work.stop import Cancelled, Stop

__all__ = ["Study"]

SWEPT_FACTS = 64


class Study:
    """One study, step by step.

    Args:
        model: the base; it is the same before, between any two events, and after.
        facts: what the study draws its facts from.
        settings: what to compare.
        done: kept events of an earlier part of this study (see `identity`).
        stop: the wish to end it before its next pass, with `StudyStopped`.

    Raises:
        FactsError: no facts, or one is too long for the model.
        LocationError: a location is not in this model.
        ModelError: capability is asked for, and lm-evaluation-harness is not installed.
    """

    def __init__(
        self,
        model: LanguageModel,
        facts: Sequence[Fact],
        settings: StudySettings,
        *,
        done: Sequence[Event] = (),
        stop: Stop | None = None,
    ) -> None:
        if not facts:
            raise FactsError("There are no facts to study. Name a file with facts.")
        if settings.capability and not harness_version():
            measure_capability(model, settings.capability)
        preset = parse_locations(model.preset.at)[0]
        self.model = model
        self.settings = settings.resolved(
            len(facts), model.preset.learning_rate, preset.module, model.places
        )
        where = [at for at in (self.settings.at, self.settings.locft_at) if at]
        model.weights_at(parse_locations(tuple(dict.fromkeys(where))))
        order = random.Random(self.settings.seed).sample(range(len(facts)), len(facts))
        self.facts = tuple(facts[row] for row in order[: self.settings.facts])
        self.arms = arms(self.settings)
        self.stop = stop or Stop()
        self._trials: dict[tuple[str, float], TrialDone] = {}
        self._examined: set[str] = set()
        self._swept: list[LocationDone] = []
        self._chosen: LocationChosen | None = None
        self.know(done)
        self._examiners: dict[int, Examiner] = {}
        self._patches: dict[str, tuple[tuple[str, float], Patch]] = {}

    def know(self, events: Iterable[Event]) -> None:
        """Takes over events of an earlier part of this study, which is then not repeated."""
        for event in events:
            if isinstance(event, TrialDone):
                self._trials[event.key] = event
            elif isinstance(event, ArmExamined):
                self._examined.add(event.label)
            elif isinstance(event, LocationDone):
                self._swept.append(event)
            elif isinstance(event, LocationChosen):
                self._chosen = event

    def identity(self) -> dict[str, Any]:
        """What must be the same for a study to go on."""
        return study_identity(self.model, self.facts, self.settings)

    @property
    def trials(self) -> int:
        """How many runs the study makes."""
        return sum(len(self._rates(arm)) for arm in self.arms)

    def _rates(self, arm: Arm) -> tuple[float, ...]:
        """The values of its main setting that an arm tries; a method without one runs once."""
        return arm.values(self.settings, self.model.preset)

    def events(self) -> Iterator[Event]:
        """Studies, and says what happens; the last is `StudyFinished` or `StudyStopped`.

        What was done before is not repeated, and not told again.

        Raises:
            MemoryShortage: not even one fact fits.
        """
        began = time.monotonic()
        yield self._plan()
        yield from self._choose_location()
        for arm in self.arms:
            yield from self._run_arm(arm)
        if self.stop.asked:
            yield StudyStopped(len(self._trials), self.trials)
        else:
            yield StudyFinished(self.trials, time.monotonic() - began)

    def _plan(self) -> StudyStarted:
        rates = ", ".join(f"{rate:g}" for rate in self.settings.learning_rates)
        if self.settings.kind == "locations":
            same = f"Every matrix of every layer, a full run each, on {len(self.facts):,} facts."
        elif self.settings.kind == "methods":
            grid = ", ".join(f"{strength:g}" for strength in self.settings.strengths)
            same = (
                f"{len(self.facts):,} facts; at most {self.settings.passes} passes over each, or "
                "steps for it, in every arm; the best of "
                f"{grid} times each method's main setting, chosen on these facts; seed "
                f"{self.settings.seed}."
            )
        else:
            same = (
                f"{len(self.facts):,} facts, at most {self.settings.passes} passes over each in "
                f"every arm, the best of the rates {rates} for each, seed {self.settings.seed}."
            )
        if self.settings.trained_words:
            same += f" Trained with {self.settings.trained_words}."
        kept = len(self._trials)
        return StudyStarted(self.settings.kind, self.trials, kept, len(self.facts), same)

    def _choose_location(self) -> Iterator[Event]:
        """A sweep where one is needed, and what it recommends."""
        search = self.settings.kind == "locations"
        if (self.settings.locft_at and not search) or self._chosen is not None:
            return
        sweep = Sweep(
            self.model, self.facts, self._sweep_settings(search), done=self._swept, stop=self.stop
        )
        for event in sweep.events():
            if isinstance(event, LocationDone):
                self._swept.append(event)
                yield event
            elif isinstance(event, SweepProgress):
                label = f"sweep, {event.at}"
                yield StudyProgress(len(self._trials), self.trials, label, event.share)
        chosen = recommend(self._swept)
        if not self.stop.asked and chosen is not None:
            self._chosen = LocationChosen(chosen.at, chosen.reason)
            yield self._chosen

    def _sweep_settings(self, search: bool) -> SweepSettings:
        how: dict[str, Any] = {"seed": self.settings.seed, **self.settings.trained}
        if not search:
            return SweepSettings(sample=min(SWEPT_FACTS, len(self.facts)), **how)
        batch = self.settings.batch_size or automatic_batch_size(len(self.facts))
        epochs = automatic_epochs(len(self.facts), batch)
        return SweepSettings(
            modules=(EVERY_MATRIX,),
            sample=len(self.facts),
            batch_size=batch,
            epochs=epochs,
            **how,
        )

    def _run_arm(self, arm: Arm) -> Iterator[Event]:
        """Every rate of an arm, then its best run's general capability."""
        where = arm.at or (self._chosen.at if self._chosen is not None else "")
        failed: dict[float, str] = {}
        for rate in self._rates(arm):
            if self.stop.asked:
                return
            try:
                if (arm.label, rate) not in self._trials:
                    yield from self._try(arm, where, rate)
            except WorkbenchError as error:
                if not arm.mode:
                    raise
                failed[rate] = str(error)
        if not self._tried(arm):
            yield from (ArmLeftOut(arm.label, why) for why in dict.fromkeys(failed.values()))
            return
        yield from (ArmLeftOut(_named(arm, rate), why) for rate, why in failed.items())
        wanted = self.settings.capability and arm.label not in self._examined
        if wanted and not self.stop.asked:
            yield from self._examine(arm, where)
        self._patches.pop(arm.label, None)

    def _tried(self, arm: Arm) -> list[TrialDone]:
        """The runs of an arm so far."""
        keys = [(arm.label, rate) for rate in self._rates(arm)]
        return [self._trials[key] for key in keys if key in self._trials]

    def _examine(self, arm: Arm, where: str) -> Iterator[Event]:
        best = max(self._tried(arm), key=score_of)
        kept = self._patches.get(arm.label)
        patch = kept[1] if kept is not None and kept[0] == best.key else None
        if patch is None:
            made = yield from self._edit(arm, where, best.learning_rate)
            if made is None:
                return
            patch = made.patch
        label = f"{arm.label}, general capability"
        yield StudyProgress(len(self._trials), self.trials, label, 0.0)
        facts = self.facts[: arm.facts]
        try:
            asking = measuring_capability(
                self.model,
                self.settings.capability,
                patch,
                facts=facts,
                limit=self.settings.limit,
                seed=self.settings.seed,
                stop=self.stop,
            )
            found = follow(asking)
            yield ArmExamined(arm.label, best.learning_rate, found.as_dict())
        except Cancelled:
            return
        except ModelError as error:
            yield ArmExamined(arm.label, best.learning_rate, {}, str(error))
        self._examined.add(arm.label)

    def _edit(self, arm: Arm, where: str, rate: float) -> Work[TakenUp | None]:
        """One run, or several in sequence; None when the study was stopped in it."""
        settings = arm.settings(where, rate, self.settings.seed, self.settings.trained)
        work = taking_up(
            self.model,
            self.facts[: arm.facts],
            find_method(arm.method),
            settings,
            arm.at_a_time,
            rehearsed=self.settings.rehearsed,
            stop=self.stop,
        )
        label = _named(arm, rate)
        made = yield from sparing(
            work, lambda share: StudyProgress(len(self._trials), self.trials, label, share)
        )
        return None if self.stop.asked else made

    def _try(self, arm: Arm, where: str, rate: float) -> Iterator[Event]:
        made = yield from self._edit(arm, where, rate)
        if made is None:
            return
        try:
            report = follow(self._examiner(arm.facts).examining(made.patch, stop=self.stop))
        except Cancelled:
            return
        sides = {
            side: {name: number.as_dict() for name, number in numbers.items()}
            for side, numbers in report.measured.items()
        }
        trial = TrialDone(
            label=arm.label,
            at=", ".join(made.patch.metadata["at"]) or "–",
            learning_rate=rate,
            batch_size=arm.batch_size or 0,
            facts=arm.facts,
            passes=arm.passes,
            steps=made.steps,
            seconds=made.seconds,
            loss=made.loss,
            before=sides["before"],
            after=sides["after"],
            asked=report.sentence,
            figures=report.figures,
            **(self._of_rivals(arm, made) if arm.mode else {"weights": _tuned(made.patch)}),
        )
        best = self._patches.get(arm.label)
        if best is None or score_of(trial) > score_of(self._trials[best[0]]):
            self._patches[arm.label] = trial.key, made.patch
        self._trials[trial.key] = trial
        yield trial

    def _of_rivals(self, arm: Arm, made: TakenUp) -> dict[str, Any]:
        """What is told of a run where methods are compared."""
        return {
            "method": arm.method,
            "mode": arm.mode,
            "tried": arm.tried,
            "memory_bytes": made.memory_bytes,
            "weights": weights_changed(self.model, made.patch),
            "first": made.first,
            "first_then": made.then,
            "first_now": made.now,
        }

    def _examiner(self, facts: int) -> Examiner:
        """The questions about the first so many facts; the base is asked them once."""
        if facts not in self._examiners:
            self._examiners.clear()
            self._examiners[facts] = Examiner(
                self.model,
                self.facts[:facts],
                written=self.settings.written,
                seed=self.settings.seed,
            )
        return self._examiners[facts]


def _named(arm: Arm, rate: float) -> str:
    """One of an arm's runs, for people."""
    named = arm.tried.replace("learning_rate", "rate").replace("_", " ")
    return f"{arm.label}, {named} {rate:g}" if arm.tried else arm.label


def _tuned(patch: Patch) -> int:
    """How many weights an edit tuned, whether each of them changed or not."""
    return sum(tensor.numel() for tensor in patch.tensors.values())
