"""A sweep: LocFT-BF at many locations, on a sample, scored on what is held out.

Short runs come first, at every location of interest in ascending order of layers; then, in the
best layers, at matrices that were not asked for by name; then the best places get a run of full
length (see `trials`). What enters the layer at hand is kept for every text, those that are trained
on and those that are held out, and advanced by one layer when the next is tried; where the sweep
may return to, it stays kept. Nothing is computed from the start again.

Invariants: between two events the model is its untouched base. A trial depends on the model, the
facts and the settings alone, not on what was tried before it, so that a sweep that goes on from
kept rows ends with the same numbers.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from workbench.errors import FactsError
from workbench.facts.fact import Fact, facts_digest
from workbench.methods.base import LOCFT_BF
from workbench.methods.events import EpochDone, Finished, MicroBatchHalved
from workbench.methods.locft_settings import EditSettings
from workbench.model.language_model import LanguageModel
from workbench.model.layer_states import LayerStates
from workbench.model.location import Location
from workbench.model.states import HiddenStates
from workbench.model.tokens import TokenTable, tokenize, tokenize_facts
from workbench.search.held_out import HeldOut, held_out_scores, hold_out
from workbench.search.sample import draw_sample
from workbench.search.score import ScoreWeights
from workbench.search.sweep_events import (
    LocationDone,
    SweepFinished,
    SweepProgress,
    SweepStarted,
    SweepStopped,
)
from workbench.search.sweep_settings import SweepSettings
from workbench.search.trials import Trial, Trials
from workbench.work.events import Event, ending_early, follow
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

    Raises:
        FactsError: no facts, or none short enough for the model.
        LocationError: a layer or module is not in this model.
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
    ) -> None:
        self.model = model
        asked = settings or SweepSettings()
        self.settings = asked.resolved(len(facts), model.preset, model.places)
        self.weights = weights or asked.score_weights
        self._trials = Trials(model, asked, self.settings, self.weights)
        self._sample = draw_sample(facts, self.settings.sample, self.settings.seed, self._fits)
        if facts and not self._sample.facts:
            raise FactsError("Every fact is too long for this model. Shorten their prompts.")
        trained = tokenize_facts(model.tokenizer, self._sample.facts, model.longest)
        self._trained = TokenTable(trained, model.device)
        self._facts = len(facts)
        self._digest = facts_digest(facts)
        self._known = {row.key: row for row in done}
        self._micro_batch: int | None = None
        self.stop = stop or Stop()

    def _fits(self, fact: Fact) -> bool:
        (text,) = tokenize(self.model.tokenizer, [fact.prompt], [fact.target_new])
        return self.model.longest is None or text.length <= self.model.longest

    @property
    def sample(self) -> tuple[Fact, ...]:
        """The facts that are tried."""
        return self._sample.facts

    @property
    def locations(self) -> tuple[Location, ...]:
        """Where the short runs are made, before any is looked at again."""
        return self._trials.locations

    @property
    def rows(self) -> list[LocationDone]:
        """What was found so far, known from before or new, in the order of the trials."""
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
            "settings": {name: getattr(self.settings, name) for name in same},
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
        began = time.monotonic()
        held_out = hold_out(self.model, self._sample)
        yield self._plan(held_out)
        trained = LayerStates(self.model, self._trained)
        asked = LayerStates(self.model, held_out.table)
        told = {row.key for row in self.rows}
        while pending := self._pending():
            for layer, trials in groupby(pending, key=lambda trial: trial.at.layer):
                below = self._reach(trained, layer), self._reach(asked, layer)
                for trial in trials:
                    if not self.stop.asked:
                        yield from self._try(trial, held_out, *below)
                    if trial.key not in self._known:
                        yield SweepStopped(len(self.rows), len(self._foreseen()))
                        return
            told |= {trial.key for trial in pending}
            for row in self.rows:
                if row.key not in told:
                    told.add(row.key)
                    yield row
        yield SweepFinished(len(self.rows), time.monotonic() - began)

    def _foreseen(self) -> list[Trial]:
        return self._trials.foreseen(self._known)

    def _pending(self) -> list[Trial]:
        return [t for t in self._trials.known(self._known) if t.key not in self._known]

    def _plan(self, held_out: HeldOut) -> SweepStarted:
        neutral = len(held_out.neutral_rows)
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
            neutral_built_in=neutral - held_out.neutral_from_facts,
            fallback=self.model.fallback,
            trials=len(self._foreseen()),
            widens=self._trials.widens,
            full_epochs=self._trials.full_epochs,
        )

    def _reach(self, states: LayerStates, layer: int) -> HiddenStates | None:
        """What enters a layer; None for the plain forward, or when the sweep is stopped in it."""
        reached: HiddenStates | None = follow(ending_early(states.reaching(layer), self.stop))
        states.forget_all_but(self._trials.promising(self._known) | {layer})
        return reached

    def _try(
        self,
        trial: Trial,
        held_out: HeldOut,
        trained: HiddenStates | None,
        asked: HiddenStates | None,
    ) -> Iterator[Event]:
        """A run at one location, and its row, unless the sweep was stopped in it."""
        began = time.monotonic()
        edit = LOCFT_BF.start(
            self.model, self.sample, self._edit_settings(trial), stop=self.stop, states=trained
        )
        foreseen = self._foreseen()
        yield self._progress(trial, 0, foreseen)
        finished: Finished | None = None
        for event in edit.events():
            if isinstance(event, EpochDone):
                yield self._progress(trial, event.epoch, foreseen)
            elif isinstance(event, MicroBatchHalved):
                self._micro_batch = event.size
            elif isinstance(event, Finished):
                finished = event
        if finished is None or self.stop.asked:
            return
        reliable = edit.learned()
        with edit.applied():
            scores = held_out_scores(self.model, held_out, asked)
        row = LocationDone(
            at=str(trial.at),
            learning_rate=trial.learning_rate,
            weights=edit.plan().weights,
            reliable=tuple(reliable),
            general=scores.general,
            local=scores.local,
            neutral=scores.neutral,
            kl=scores.kl,
            weight_change=edit.weight_change(),
            epochs=finished.epochs,
            steps=finished.steps,
            loss=finished.losses[-1],
            seconds=time.monotonic() - began,
            limit=trial.limit,
        )
        self._known[row.key] = row
        yield row

    def _progress(self, trial: Trial, epoch: int, foreseen: list[Trial]) -> SweepProgress:
        work = self._trials.work
        done = [other for other in foreseen if other.key in self._known]
        share = sum(map(work, done)) + work(trial) * epoch / trial.limit
        return SweepProgress(
            number=len(done) + 1,
            trials=len(foreseen),
            at=str(trial.at),
            epoch=epoch,
            epochs=trial.limit,
            share=share / sum(map(work, foreseen)),
        )

    def _edit_settings(self, trial: Trial) -> EditSettings:
        return EditSettings(
            at=(str(trial.at),),
            learning_rate=trial.learning_rate,
            batch_size=self.settings.batch_size,
            epochs=trial.limit,
            seed=self.settings.seed,
            micro_batch_size=self._micro_batch,
        )
