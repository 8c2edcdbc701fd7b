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
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from workbench.errors import FactsError, ModelError
from workbench.facts.fact import Fact, facts_digest
from workbench.measure.capability import harness_version, measure_capability
from workbench.measure.evaluate import Examiner
from workbench.methods.events import EpochDone, Finished
from workbench.methods.locft_bf import Edit
from workbench.methods.locft_settings import automatic_batch_size, automatic_epochs
from workbench.model.language_model import LanguageModel
from workbench.model.location import parse_locations
from workbench.model.patch import Patch
from workbench.search.recommend import recommend
from workbench.search.study_events import (
    ArmExamined,
    LocationChosen,
    StudyFinished,
    StudyProgress,
    StudyStarted,
    StudyStopped,
    TrialDone,
)
from workbench.search.study_result import score_of
from workbench.search.study_settings import Arm, StudySettings, arms
from workbench.search.sweep import Sweep
from workbench.search.sweep_events import LocationDone, SweepProgress
from workbench.search.sweep_settings import EVERY_MATRIX, SweepSettings
from workbench.work.events import Event

__all__ = ["Study"]

SWEPT_FACTS = 64


class Study:
    """One study, step by step.

    Args:
        model: the base; it is the same before, between any two events, and after.
        facts: what the study draws its facts from.
        settings: what to compare.
        done: kept events of an earlier part of this study (see `identity`).

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
    ) -> None:
        if not facts:
            raise FactsError("There are no facts to study. Name a file with facts.")
        if settings.capability and not harness_version():
            measure_capability(model, settings.capability)
        preset = parse_locations(model.preset.at)[0]
        self.model = model
        self.settings = settings.resolved(
            len(facts), model.preset.learning_rate, preset.module, model.layer_count
        )
        where = [at for at in (self.settings.at, self.settings.locft_at) if at]
        model.weights_at(parse_locations(tuple(dict.fromkeys(where))))
        assert self.settings.facts is not None
        order = random.Random(self.settings.seed).sample(range(len(facts)), len(facts))
        self.facts = tuple(facts[row] for row in order[: self.settings.facts])
        self.arms = arms(self.settings)
        self._trials = {event.key: event for event in done if isinstance(event, TrialDone)}
        self._examined = {event.label for event in done if isinstance(event, ArmExamined)}
        self._swept = [event for event in done if isinstance(event, LocationDone)]
        chosen = [event for event in done if isinstance(event, LocationChosen)]
        self._chosen = chosen[-1] if chosen else None
        self._examiners: dict[int, Examiner] = {}
        self._patches: dict[str, tuple[tuple[str, float], Patch]] = {}
        self._stopping = False

    def identity(self) -> dict[str, Any]:
        """What must be the same for a study to go on."""
        last = self.model.locations()[-1].location
        names = sorted(self.model.weights_at((last,)))
        return {
            "model": self.model.name,
            "dtype": str(self.model.dtype),
            "base": {name: self.model.base_hash(name) for name in names},
            "facts": facts_digest(self.facts),
            "settings": self.settings.as_dict(),
        }

    @property
    def trials(self) -> int:
        """How many runs the study makes."""
        return len(self.arms) * len(self.settings.learning_rates)

    def stop(self) -> None:
        """Asks the study to end before its next step, with `StudyStopped`."""
        self._stopping = True

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
        if self._stopping:
            yield StudyStopped(len(self._trials), self.trials)
        else:
            yield StudyFinished(self.trials, time.monotonic() - began)

    def _plan(self) -> StudyStarted:
        rates = ", ".join(f"{rate:g}" for rate in self.settings.learning_rates)
        if self.settings.kind == "locations":
            same = f"Every matrix of every layer, a full run each, on {len(self.facts):,} facts."
        else:
            same = (
                f"{len(self.facts):,} facts, at most {self.settings.passes} passes over each in "
                f"every arm, the best of the rates {rates} for each, seed {self.settings.seed}."
            )
        kept = len(self._trials)
        return StudyStarted(self.settings.kind, self.trials, kept, len(self.facts), same)

    def _choose_location(self) -> Iterator[Event]:
        """A sweep where one is needed, and what it recommends."""
        search = self.settings.kind == "locations"
        if (self.settings.locft_at and not search) or self._chosen is not None:
            return
        sweep = Sweep(self.model, self.facts, self._sweep_settings(search), done=self._swept)
        for event in sweep.events():
            if isinstance(event, LocationDone):
                self._swept.append(event)
                yield event
            elif isinstance(event, SweepProgress):
                label = f"sweep, {event.at}"
                yield StudyProgress(len(self._trials), self.trials, label, event.share)
            if self._stopping:
                sweep.stop()
        chosen = recommend(self._swept)
        if not self._stopping and chosen is not None:
            self._chosen = LocationChosen(chosen.at, chosen.reason)
            yield self._chosen

    def _sweep_settings(self, search: bool) -> SweepSettings:
        seed = self.settings.seed
        if not search:
            return SweepSettings(sample=min(SWEPT_FACTS, len(self.facts)), seed=seed)
        batch = self.settings.batch_size or automatic_batch_size(len(self.facts))
        epochs = automatic_epochs(len(self.facts), batch)
        return SweepSettings(
            modules=(EVERY_MATRIX,),
            sample=len(self.facts),
            batch_size=batch,
            epochs=epochs,
            seed=seed,
        )

    def _run_arm(self, arm: Arm) -> Iterator[Event]:
        """Every rate of an arm, then its best run's general capability."""
        where = arm.at or (self._chosen.at if self._chosen is not None else "")
        for rate in self.settings.learning_rates:
            if self._stopping:
                return
            if (arm.label, rate) not in self._trials:
                yield from self._try(arm, where, rate)
        wanted = self.settings.capability and arm.label not in self._examined
        if wanted and not self._stopping:
            yield from self._examine(arm, where)
        self._patches.pop(arm.label, None)

    def _examine(self, arm: Arm, where: str) -> Iterator[Event]:
        tried = [self._trials[arm.label, rate] for rate in self.settings.learning_rates]
        best = max(tried, key=score_of)
        kept = self._patches.get(arm.label)
        patch = kept[1] if kept is not None and kept[0] == best.key else None
        if patch is None:
            run = yield from self._edit(arm, where, best.learning_rate)
            if run is None:
                return
            patch = run[0].patch()
        label = f"{arm.label}, general capability"
        yield StudyProgress(len(self._trials), self.trials, label, 0.0)
        facts = self.facts[: arm.facts]
        try:
            found = measure_capability(
                self.model,
                self.settings.capability,
                patch,
                facts=facts,
                limit=self.settings.limit,
                seed=self.settings.seed,
            )
            yield ArmExamined(arm.label, best.learning_rate, found.as_dict())
        except ModelError as error:
            yield ArmExamined(arm.label, best.learning_rate, {}, str(error))
        self._examined.add(arm.label)

    def _edit(
        self, arm: Arm, where: str, rate: float
    ) -> Generator[Event, None, tuple[Edit, Finished] | None]:
        """One run; None when the study was stopped in it."""
        settings = arm.settings(where, rate, self.settings.seed)
        edit = Edit(self.model, self.facts[: arm.facts], settings)
        finished: Finished | None = None
        told = 0.0
        for event in edit.events():
            if isinstance(event, EpochDone) and time.monotonic() - told > 0.1:
                told, share = time.monotonic(), event.epoch / event.epochs
                label = f"{arm.label}, rate {rate:g}"
                yield StudyProgress(len(self._trials), self.trials, label, share)
            elif isinstance(event, Finished):
                finished = event
            if self._stopping:
                edit.stop()
        return None if finished is None or self._stopping else (edit, finished)

    def _try(self, arm: Arm, where: str, rate: float) -> Iterator[Event]:
        run = yield from self._edit(arm, where, rate)
        if run is None:
            return
        edit, finished = run
        patch = edit.patch()
        examiner = self._examiner(arm.facts)
        report = examiner.evaluate(patch)
        sides = {
            side: {name: number.as_dict() for name, number in numbers.items()}
            for side, numbers in report.measured.items()
        }
        trial = TrialDone(
            label=arm.label,
            at=where,
            learning_rate=rate,
            batch_size=arm.batch_size,
            facts=arm.facts,
            passes=arm.passes,
            steps=finished.steps,
            seconds=finished.seconds,
            loss=finished.losses[-1],
            before=sides["before"],
            after=sides["after"],
            asked=report.sentence,
        )
        best = self._patches.get(arm.label)
        if best is None or score_of(trial) > score_of(self._trials[best[0]]):
            self._patches[arm.label] = trial.key, patch
        self._trials[trial.key] = trial
        yield trial

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
