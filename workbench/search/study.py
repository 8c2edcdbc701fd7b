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

from workbench.errors import FactsError, ModelError
from workbench.facts.fact import Fact, facts_digest
from workbench.facts.forms import parse_forms
from workbench.facts.neighbours import are_few
from workbench.facts.subject import with_subjects
from workbench.facts.subject_kinds import listed_digest
from workbench.measure.capability import harness_version, measure_capability
from workbench.measure.evaluate import Examiner
from workbench.methods.base import find_method
from workbench.methods.edit import EditResult, editing
from workbench.methods.events import EpochDone
from workbench.methods.locft_settings import EditSettings, automatic_batch_size, automatic_epochs
from workbench.model.forms import system_prompts
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
from workbench.search.study_settings import TRAINED, Arm, StudySettings, arms
from workbench.search.sweep import Sweep
from workbench.search.sweep_events import LocationDone, SweepProgress
from workbench.search.sweep_settings import EVERY_MATRIX, SweepSettings
from workbench.work.events import Event, Work, sparing
from workbench.work.stop import Stop

__all__ = ["Study"]

SWEPT_FACTS = 64


class Study:
    """One study, step by step.

    Args:
        model: the base; it is the same before, between any two events, and after.
        facts: what the study draws its facts from.
        settings: what to compare.
        done: kept events of an earlier part of this study (see `identity`).
        stop: the wish to end it before its next step, with `StudyStopped`.

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
        last = self.model.locations()[-1].location
        names = sorted(self.model.weights_at((last,)))
        settings = self.settings.as_dict()
        if not self.settings.methods:
            # Studies that were kept before other methods could be named do not say so.
            del settings["methods"]
        told = {} if self.settings.trained == TRAINED else {"trained": self._trained()}
        for name, usual in TRAINED.items():
            if getattr(self.settings, name) == usual:
                del settings[name]  # likewise
        return told | {
            "model": self.model.name,
            "dtype": str(self.model.dtype),
            "base": {name: self.model.base_hash(name) for name in names},
            "facts": facts_digest(self.facts),
            "settings": settings,
        }

    def _trained(self) -> dict[str, Any]:
        """What the recipe of the arms stands for."""
        whole = EditSettings(**self.settings.trained).resolved(self.model.preset, len(self.facts))
        whole = whole.for_facts(any(fact.keep_prompts for fact in self.facts))
        systems = {
            form.form: list(system_prompts(self.model.tokenizer, form.form))
            for form in parse_forms(whole.forms)
        }
        names = ("keep", "spare", "kept", "rate_schedule")
        fewest = self.facts[: min(self.settings.sizes, default=len(self.facts))]
        listed = whole.holds_neighbours and are_few(with_subjects(fewest))
        further: dict[str, Any] = {"subjects of the lists": listed_digest()} if listed else {}
        if whole.keep and whole.keep_share != 1:
            further["keep_share"] = whole.keep_share
        return {"forms": list(whole.forms), "systems": systems, **further} | {
            name: value for name, value in whole.as_dict().items() if name in names
        }

    @property
    def trials(self) -> int:
        """How many runs the study makes."""
        return sum(len(self._rates(arm)) for arm in self.arms)

    def _rates(self, arm: Arm) -> tuple[float, ...]:
        """The learning rates that an arm tries; a method without one runs once."""
        return self.settings.learning_rates if arm.has_rate else (0.0,)

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
        for rate in self._rates(arm):
            if self.stop.asked:
                return
            if (arm.label, rate) not in self._trials:
                yield from self._try(arm, where, rate)
        wanted = self.settings.capability and arm.label not in self._examined
        if wanted and not self.stop.asked:
            yield from self._examine(arm, where)
        self._patches.pop(arm.label, None)

    def _examine(self, arm: Arm, where: str) -> Iterator[Event]:
        tried = [self._trials[arm.label, rate] for rate in self._rates(arm)]
        best = max(tried, key=score_of)
        kept = self._patches.get(arm.label)
        patch = kept[1] if kept is not None and kept[0] == best.key else None
        if patch is None:
            result = yield from self._edit(arm, where, best.learning_rate)
            if result is None:
                return
            patch = result.patch
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

    def _edit(self, arm: Arm, where: str, rate: float) -> Work[EditResult | None]:
        """One run; None when the study was stopped in it."""
        settings = arm.settings(where, rate, self.settings.seed, self.settings.trained)
        facts = self.facts[: arm.facts]
        run = find_method(arm.method).start(self.model, facts, settings, stop=self.stop)
        label = f"{arm.label}, rate {rate:g}" if arm.has_rate else arm.label

        def tell(event: Event) -> Event | None:
            if not isinstance(event, EpochDone):
                return None
            return StudyProgress(len(self._trials), self.trials, label, event.epoch / event.epochs)

        result = yield from sparing(editing(run), tell)
        return None if self.stop.asked else result

    def _try(self, arm: Arm, where: str, rate: float) -> Iterator[Event]:
        result = yield from self._edit(arm, where, rate)
        if result is None:
            return
        patch, finished = result.patch, result.finished
        examiner = self._examiner(arm.facts)
        report = examiner.evaluate(patch)
        sides = {
            side: {name: number.as_dict() for name, number in numbers.items()}
            for side, numbers in report.measured.items()
        }
        trial = TrialDone(
            label=arm.label,
            at=", ".join(patch.metadata["at"]) or where,
            learning_rate=rate,
            batch_size=arm.batch_size,
            facts=arm.facts,
            passes=arm.passes,
            steps=finished.steps,
            seconds=finished.seconds,
            loss=finished.losses[-1] if finished.losses else 0.0,
            before=sides["before"],
            after=sides["after"],
            asked=report.sentence,
            figures=report.figures,
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
