"""A sweep: a short LocFT-BF at every location of interest, on a sample, scored on what is held out.

Layers are tried in ascending order. What enters the layer at hand is kept for every text, those
that are trained on and those that are held out, and advanced by one layer when the next is
tried: nothing is ever computed from the start again.

Invariants: between two events the model is its untouched base. A trial depends on the model, the
facts and the settings alone, not on what was tried before it, so that a sweep that goes on from
kept rows ends with the same numbers. Knows nothing about scores and recommendations.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from workbench.engine.held_out import HeldOut, held_out_scores, hold_out
from workbench.engine.language_model import LanguageModel
from workbench.engine.locft import Edit
from workbench.engine.sample import draw_sample
from workbench.engine.states import HiddenStates, advancing
from workbench.engine.tokens import TokenTable, tokenize, tokenize_facts
from workbench.facts.fact import Fact, facts_digest
from workbench.recipe.errors import FactsError, LocationError
from workbench.recipe.events import EpochDone, Finished, MicroBatchHalved
from workbench.recipe.location import Location, parse_locations
from workbench.recipe.settings import EditSettings, automatic_batch_size
from workbench.recipe.sweep import EVERY_MATRIX, WHOLE_LAYER, SweepSettings, automatic_sweep_epochs
from workbench.recipe.sweep_events import (
    LocationDone,
    SweepEvent,
    SweepFinished,
    SweepProgress,
    SweepStarted,
    SweepStopped,
)

__all__ = ["Sweep", "Trial", "resolve", "swept_locations"]


@dataclass(frozen=True, slots=True)
class Trial:
    """A location with a learning rate to try there."""

    at: Location
    learning_rate: float

    @property
    def key(self) -> tuple[str, float]:
        """As `LocationDone.key`."""
        return str(self.at), self.learning_rate


def resolve(settings: SweepSettings, model: LanguageModel, facts: int) -> SweepSettings:
    """These settings with every automatic field filled in.

    Args:
        settings: what was asked for.
        model: the base.
        facts: how many facts there are to draw from.
    """
    sample = max(1, min(settings.sample, facts))
    batch_size = settings.batch_size or automatic_batch_size(sample)
    preset = parse_locations(model.preset.at)[0]
    return replace(
        settings,
        layers=settings.layers or tuple(range(model.layer_count)),
        modules=settings.modules or (preset.module or WHOLE_LAYER,),
        learning_rates=settings.learning_rates or (model.preset.learning_rate,),
        sample=sample,
        batch_size=batch_size,
        epochs=settings.epochs or automatic_sweep_epochs(sample, batch_size, model.layer_count),
    )


def swept_locations(model: LanguageModel, settings: SweepSettings) -> tuple[Location, ...]:
    """What resolved settings try, layer by layer; a module that a layer lacks is left out there.

    Raises:
        LocationError: the model has no such layer, or none of the layers such a module.
    """
    modules: list[str] = []
    for name in settings.modules:
        modules += model.layers.matrices() if name == EVERY_MATRIX else [name]
    inside = {"" if name == WHOLE_LAYER else name: False for name in modules}
    found = []
    for layer in settings.layers:
        for module in inside:
            where = Location(layer, module)
            try:
                model.weights_at((where,))
            except LocationError:
                if layer >= model.layer_count:
                    raise
                continue
            inside[module] = True
            found.append(where)
    for module, is_there in inside.items():
        if not is_there:
            model.weights_at((Location(settings.layers[0], module),))
    return tuple(found)


class Sweep:
    """One sweep, step by step.

    Args:
        model: the base; it is the same before, between any two events, and after.
        facts: what the sample is drawn from.
        settings: None for all automatic.
        done: rows of an earlier part of this sweep (see `identity`); they are not repeated.

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
        done: Sequence[LocationDone] = (),
    ) -> None:
        self.model = model
        self.settings = resolve(settings or SweepSettings(), model, len(facts))
        self.locations = swept_locations(model, self.settings)
        self.trials = tuple(
            Trial(where, rate) for where in self.locations for rate in self.settings.learning_rates
        )
        self._sample = draw_sample(facts, self.settings.sample, self.settings.seed, self._fits)
        if facts and not self._sample.facts:
            raise FactsError("Every fact is too long for this model. Shorten their prompts.")
        trained = tokenize_facts(model.tokenizer, self._sample.facts, model.longest)
        self._trained = TokenTable(trained, model.device)
        self._held_out: HeldOut | None = None
        self._facts = len(facts)
        self._digest = facts_digest(facts)
        wanted = {trial.key for trial in self.trials}
        self._done = {row.key for row in done} & wanted
        self._micro_batch: int | None = None
        self._stopping = False

    def _fits(self, fact: Fact) -> bool:
        (text,) = tokenize(self.model.tokenizer, [fact.prompt], [fact.target_new])
        return self.model.longest is None or text.length <= self.model.longest

    @property
    def sample(self) -> tuple[Fact, ...]:
        """The facts that are tried."""
        return self._sample.facts

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

    def stop(self) -> None:
        """Asks the sweep to end before its next step, with `SweepStopped`."""
        self._stopping = True

    def events(self) -> Iterator[SweepEvent]:
        """Sweeps, and says what happens; the last event is `SweepFinished` or `SweepStopped`.

        Rows of trials that were done before are not repeated.

        Raises:
            MemoryShortage: not even one fact fits.
        """
        began = time.monotonic()
        held_out = hold_out(self.model, self._sample)
        yield self._plan(held_out)
        done = len(self._done)
        trained: HiddenStates | None = None
        asked: HiddenStates | None = None
        pending = [trial for trial in self.trials if trial.key not in self._done]
        for layer, trials in groupby(pending, key=lambda trial: trial.at.layer):
            trained = self._advance(self._trained, trained, layer)
            asked = self._advance(held_out.table, asked, layer)
            for trial in trials:
                row = None
                if not self._stopping:
                    row = yield from self._try(trial, trained, held_out, asked)
                if row is None:
                    yield SweepStopped(done, len(self.trials))
                    return
                done += 1
                yield row
        yield SweepFinished(len(self.trials), time.monotonic() - began)

    def _plan(self, held_out: HeldOut) -> SweepStarted:
        neutral = len(held_out.neutral_rows)
        assert self.settings.batch_size is not None and self.settings.epochs is not None
        return SweepStarted(
            locations=tuple(str(where) for where in self.locations),
            learning_rates=self.settings.learning_rates,
            kept=len(self._done),
            facts=self._facts,
            sample=len(self.sample),
            batch_size=self.settings.batch_size,
            epochs=self.settings.epochs,
            rephrases=len(held_out.rephrase_of),
            locality_prompts=len(held_out.locality_of),
            neutral_from_facts=held_out.neutral_from_facts,
            neutral_built_in=neutral - held_out.neutral_from_facts,
            fallback=self.model.fallback,
        )

    def _advance(
        self, texts: TokenTable, states: HiddenStates | None, layer: int
    ) -> HiddenStates | None:
        """What enters a layer, from what entered an earlier one; None for the plain forward."""
        if not self.model.states_kept or layer == 0:
            return None
        steps = advancing(self.model, texts, states, layer)
        while not self._stopping:
            try:
                next(steps)
            except StopIteration as end:
                reached: HiddenStates = end.value
                return reached
        return states

    def _try(
        self,
        trial: Trial,
        trained: HiddenStates | None,
        held_out: HeldOut,
        asked: HiddenStates | None,
    ) -> Generator[SweepEvent, None, LocationDone | None]:
        """A short run at one location and its scores; None when the sweep was stopped in it."""
        began = time.monotonic()
        edit = Edit(self.model, self.sample, self._edit_settings(trial), states=trained)
        number, at = self.trials.index(trial) + 1, str(trial.at)
        epochs = self.settings.epochs or 0
        yield SweepProgress(number, len(self.trials), at, 0, epochs)
        finished: Finished | None = None
        for event in edit.events():
            if isinstance(event, EpochDone):
                yield SweepProgress(number, len(self.trials), at, event.epoch, epochs)
            elif isinstance(event, MicroBatchHalved):
                self._micro_batch = event.size
            elif isinstance(event, Finished):
                finished = event
            if self._stopping:
                edit.stop()
        if finished is None or self._stopping:
            return None
        reliable = edit.learned()
        with edit.applied():
            scores = held_out_scores(self.model, held_out, asked)
        return LocationDone(
            at=at,
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
        )

    def _edit_settings(self, trial: Trial) -> EditSettings:
        return EditSettings(
            at=(str(trial.at),),
            learning_rate=trial.learning_rate,
            batch_size=self.settings.batch_size,
            epochs=self.settings.epochs,
            seed=self.settings.seed,
            micro_batch_size=self._micro_batch,
        )
