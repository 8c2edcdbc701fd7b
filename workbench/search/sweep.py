"""A sweep: LocFT-BF at many locations, on a sample, scored on what is held out.

Without a budget, short runs come first, at every location of interest in ascending order of
layers; then, in the best layers, at matrices that were not asked for by name; then the best places
get a run of full length (see `trials`). With a budget in seconds, many short runs on few facts are
halved again and again (see `halving`), and the sweep ends in time, though not without one trial.
What enters the layer at hand is kept for every text, those that are trained on and those that are
held out, and the next layer is reached from there; where the sweep may return to, it stays kept.
Nothing is computed from the start again.

Invariants: between two events the model is its untouched base. A trial depends on the model, the
facts and the settings alone, not on what was tried before it, so that a sweep that goes on from
kept rows ends with the same numbers; with a budget, which trials are made depends on the time that
those before them took.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from itertools import groupby
from typing import Any

from workbench.facts.fact import Fact, facts_digest
from workbench.methods.events import EpochDone, Finished, MicroBatchHalved
from workbench.methods.keep import KeepSet
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.methods.states_told import layer_told_of
from workbench.model.language_model import LanguageModel
from workbench.model.layer_states import LayerStates
from workbench.model.location import Location, parse_locations
from workbench.model.states import HiddenStates
from workbench.search.halving import Halving, Rung, rungs_of
from workbench.search.held_out import (
    ANSWER_TOKENS,
    SHORT_ANSWER,
    HeldOut,
    held_out_scores,
    hold_out,
)
from workbench.search.score import ScoreWeights
from workbench.search.sweep_events import (
    LocationDone,
    SweepFinished,
    SweepProgress,
    SweepStarted,
    SweepStopped,
)
from workbench.search.sweep_settings import SweepSettings
from workbench.search.trained import Trained
from workbench.search.trials import Trial, Trials
from workbench.work.events import Event, Work, ending_early, sparing
from workbench.work.stop import Stop

__all__ = ["Sweep"]


class Sweep:
    """One sweep, step by step.

    Args:
        model: the base; it is the same before, between any two events, and after.
        facts: what the sample is drawn from.
        settings: None for all automatic.
        weights: of the score by which the sweep chooses where it looks again; None takes those
            of the settings.
        done: rows of an earlier part of this sweep (see `identity`); they are not repeated.
        stop: the wish to end it before its next step, with `SweepStopped`.
        clock: tells the seconds by which a budget is kept.
        answer_tokens: most tokens of the base's own answers to what must not change; None takes
            fewer where there is a budget.

    Raises:
        FactsError: no facts, or none short enough for the model.
        LocationError: a layer or module is not in this model.
        ModelError: the facts are to be trained in a form that the model does not have.
    """

    def __init__(
        self,
        model: LanguageModel,
        facts: Sequence[Fact],
        settings: SweepSettings | None = None,
        *,
        weights: ScoreWeights | None = None,
        done: Sequence[LocationDone] = (),
        stop: Stop | None = None,
        clock: Callable[[], float] = time.monotonic,
        answer_tokens: int | None = None,
    ) -> None:
        self.model = model
        asked = settings or SweepSettings()
        self.settings = asked.resolved(len(facts), model.preset, model.places)
        self.weights = weights or asked.score_weights
        batch = self.settings.batch_size

        def rungs(sample: int) -> tuple[Rung, ...]:
            return () if asked.budget is None else rungs_of(sample, batch, asked.epochs)

        self._trained = Trained(
            model, facts, self.settings, lambda sample: [rung.facts for rung in rungs(sample)]
        )
        self._trials = Trials(model, asked, self.settings, self.weights, len(self.sample))
        self._halving = self._halved(rungs(len(self.sample))) if asked.budget else None
        self._facts = len(facts)
        self._digest = facts_digest(facts)
        self._known = {row.key: row for row in done}
        self._micro_batch: int | None = None
        self._keep_sets: dict[int, KeepSet] = {}  # by the number of facts; the base is asked once
        usual = ANSWER_TOKENS if self._halving is None else SHORT_ANSWER
        self._answer_tokens = answer_tokens or usual
        self._clock = clock
        self._deadline = float("inf")
        self._tried_since = self._tried_for = 0.0
        self.stop = stop or Stop()

    def _halved(self, rungs: Sequence[Rung]) -> Halving:
        preset = parse_locations(self.model.preset.at)[0]
        return Halving(
            self.locations,
            self.settings.learning_rates,
            rungs,
            start=preset,
            layers=self.model.layer_count,
            weights=self.weights,
            further=self._trials.further,
        )

    @property
    def sample(self) -> tuple[Fact, ...]:
        """The facts that are tried."""
        return self._trained.facts

    @property
    def locations(self) -> tuple[Location, ...]:
        """Where the short runs are made, before any is looked at again."""
        return self._trials.locations

    @property
    def rows(self) -> list[LocationDone]:
        """What was found so far, known from before or new, in the order of the trials."""
        if self._halving is not None:
            return self._halving.rows(self._known.values())
        trials = self._trials.known(self._known)
        return [self._known[trial.key] for trial in trials if trial.key in self._known]

    def identity(self) -> dict[str, Any]:
        """What must be the same for two rows to be of one sweep; which locations need not be."""
        places = self.model.locations()
        ends = tuple(Location(places[i].location.layer) for i in (0, -1))
        names = sorted(self.model.weights_at(ends[:1])), sorted(self.model.weights_at(ends[1:]))
        same = ("sample", "epochs", "batch_size", "seed")
        return {
            "model": self.model.name,
            "dtype": str(self.model.dtype),
            "base": {name: self.model.base_hash(name) for name in (names[0][0], names[1][-1])},
            "facts": self._digest,
            "settings": {name: getattr(self.settings, name) for name in same}
            | self._trained.unusual()
            | ({"halving": True} if self._halving is not None else {}),
        }

    def know(self, rows: Iterable[Event]) -> None:
        """Takes over rows of an earlier part of this sweep, which are then not repeated."""
        self._known |= {row.key: row for row in rows if isinstance(row, LocationDone)}

    def events(self) -> Iterator[Event]:
        """Sweeps, and says what happens; the last event is `SweepFinished` or `SweepStopped`.

        Trials that were done before are not repeated. Their rows are told only where it turns out
        on the way that they belong to this sweep.

        Raises:
            MemoryShortage: not even one fact fits.
        """
        began = self._clock()
        if self.settings.budget is not None:
            spent = sum(row.seconds for row in self.rows)
            self._deadline = began + self.settings.budget - spent
        rungs = self._halving.rungs if self._halving is not None else ()
        kept = self._trained.kept_prompts([len(self.sample), *(rung.facts for rung in rungs)])
        held_out = hold_out(self.model, self._trained.sample, kept, self._answer_tokens)
        yield self._plan(held_out)
        states = (
            LayerStates(self.model, self._trained.table),
            LayerStates(self.model, held_out.table),
        )
        told = {row.key for row in self.rows}
        self._tried_since = self._clock()
        while pending := self._pending():
            for layer, group in groupby(pending, key=lambda trial: trial.at.layer):
                trials = list(group)
                yield self._progress(trials[0], 0)  # hidden states may take a while
                trained = yield from self._reach(states[0], layer)
                asked = yield from self._reach(states[1], layer)
                for trial in trials:
                    if not self.stop.asked:
                        yield from self._try(trial, held_out, trained, asked)
                    if self._is_late and self.rows and not self.stop.asked:
                        yield SweepFinished(len(self.rows), self._clock() - began)
                        return
                    if trial.key not in self._known:
                        done = len(self.rows)
                        yield SweepStopped(done, 0 if self._halving else len(self._foreseen()))
                        return
            told |= {trial.key for trial in pending}
            for row in self.rows:
                if row.key not in told:
                    told.add(row.key)
                    yield row
        yield SweepFinished(len(self.rows), self._clock() - began)

    @property
    def _is_late(self) -> bool:
        return self._clock() >= self._deadline

    def _foreseen(self) -> list[Trial]:
        return self._trials.foreseen(self._known)

    def _pending(self) -> list[Trial]:
        if self._halving is not None:
            following = self._halving.next(self._known.values(), self._left_for_trials())
            return [following] if following is not None else []
        return [t for t in self._trials.known(self._known) if t.key not in self._known]

    def _left_for_trials(self) -> float:
        """The seconds that trials may still take; hidden states take their share between them."""
        now = self._clock()
        passed = now - self._tried_since
        share = min(1.0, self._tried_for / passed) if self._tried_for and passed > 0 else 1.0
        return (self._deadline - now) * share

    def _plan(self, held_out: HeldOut) -> SweepStarted:
        halving = self._halving
        return SweepStarted(
            locations=tuple(str(where) for where in self.locations),
            learning_rates=self.settings.learning_rates,
            kept=len(self.rows),
            facts=self._facts,
            sample=len(self.sample),
            batch_size=self.settings.batch_size,
            epochs=self.settings.epochs,
            rephrases=len(held_out.rephrase_of),
            locality_prompts=len(held_out.locality_of),
            neutral_from_facts=held_out.neutral_from_facts,
            neutral_built_in=held_out.neutral - held_out.neutral_from_facts,
            fallback=self.model.fallback,
            trials=len(self._foreseen()) if halving is None else 0,
            widens=self._trials.widens,
            full_epochs=self._trials.full_epochs if halving is None else 0,
            budget=self.settings.budget or 0.0,
            rungs=tuple(rung.size for rung in halving.rungs) if halving is not None else (),
            chat=bool(held_out.chat_of),
            passages=len(held_out.base_loss),
        )

    def _reach(self, states: LayerStates, layer: int) -> Work[HiddenStates | None]:
        """What enters a layer; None for the plain forward, or when the sweep is stopped in it.

        Says how far it is, where one layer after another is brought in.
        """
        work = ending_early(states.reaching(layer), self.stop)
        reached = yield from sparing(work, lambda way: layer_told_of(way, states.texts))
        if self._halving is not None:
            promising = self._halving.promising(self._known.values())
        else:
            promising = self._trials.promising(self._known)
        states.forget_all_but(promising | {layer})
        return reached

    def _try(
        self,
        trial: Trial,
        held_out: HeldOut,
        trained: HiddenStates | None,
        asked: HiddenStates | None,
    ) -> Iterator[Event]:
        """A run at one location, and its row, unless the sweep was stopped in it."""
        began = self._clock()
        some = self._trained.some(trial.facts)
        edit = LocftRun(
            self.model,
            [self.sample[row] for row in some],
            self._edit_settings(trial),
            stop=self.stop,
            states=self._trained.states(trained, trial.facts),
            keep=self._keep_sets.get(trial.facts),
            watch=False,
        )
        yield self._progress(trial, 0)
        finished: Finished | None = None
        for event in edit.events():
            if isinstance(event, EpochDone):
                yield self._progress(trial, event.epoch)
            elif isinstance(event, MicroBatchHalved):
                self._micro_batch = event.size
            elif isinstance(event, Finished):
                finished = event
            if self._is_late and self.rows:
                return
        if finished is None or self.stop.asked:
            return
        if edit.keep is not None:
            self._keep_sets[trial.facts] = edit.keep
        reliable = edit.learned()
        with edit.applied():
            scores = held_out_scores(self.model, held_out, asked, some)
        row = LocationDone(
            at=str(trial.at),
            learning_rate=trial.learning_rate,
            weights=edit.plan().weights,
            reliable=tuple(reliable),
            weight_change=edit.weight_change(),
            epochs=finished.epochs,
            steps=finished.steps,
            loss=finished.losses[-1],
            seconds=self._clock() - began,
            limit=trial.limit,
            **{field.name: getattr(scores, field.name) for field in fields(scores)},
        )
        self._known[row.key] = row
        self._tried_for += row.seconds
        yield row

    def _progress(self, trial: Trial, epoch: int) -> SweepProgress:
        several = len(self.settings.learning_rates) > 1
        told = SweepProgress(
            number=len(self.rows) + 1,
            trials=0,
            at=str(trial.at),
            epoch=epoch,
            epochs=trial.limit,
            share=0.0,
            learning_rate=trial.learning_rate if several else 0.0,
            facts=trial.facts,
        )
        if self.settings.budget is not None:
            left = max(0.0, self._deadline - self._clock())
            return replace(told, share=max(0.0, 1 - left / self.settings.budget))
        work, foreseen = self._trials.work, self._foreseen()
        done = [other for other in foreseen if other.key in self._known]
        share = sum(map(work, done)) + work(trial) * epoch / trial.limit
        share /= sum(map(work, foreseen))
        return replace(told, number=len(done) + 1, trials=len(foreseen), share=share)

    def _edit_settings(self, trial: Trial) -> EditSettings:
        return self.settings.edit_settings(
            at=(str(trial.at),),
            learning_rate=trial.learning_rate,
            batch_size=trial.batch_size,
            epochs=trial.limit,
            seed=self.settings.seed,
            micro_batch_size=self._micro_batch,
        )
