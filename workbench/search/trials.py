"""What a sweep tries, in the order in which it does: short runs, wider ones, and full ones.

The trials that follow the short runs depend on the rows so far alone (see `stages`).
Knows nothing about running them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from workbench.errors import LocationError
from workbench.methods.locft_settings import automatic_epochs
from workbench.model.language_model import LanguageModel
from workbench.model.location import Location
from workbench.search.score import ScoreWeights
from workbench.search.stages import WIDENED_LAYERS, best_layers, finalists
from workbench.search.sweep_events import LocationDone
from workbench.search.sweep_settings import (
    EVERY_MATRIX,
    WHOLE_LAYER,
    ResolvedSweepSettings,
    SweepSettings,
)

__all__ = ["Trial", "Trials", "swept_locations"]

Key = tuple[str, float, int, int]


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried.

    Args:
        at: where.
        learning_rate: at which rate.
        facts: on how many facts of the sample.
        limit: most passes over them.
        batch_size: facts per update.
    """

    at: Location
    learning_rate: float
    facts: int
    limit: int
    batch_size: int

    @property
    def key(self) -> Key:
        """As `LocationDone.key`."""
        return str(self.at), self.learning_rate, self.facts, self.limit

    @property
    def place(self) -> tuple[str, float]:
        """As `LocationDone.place`."""
        return str(self.at), self.learning_rate


def swept_locations(model: LanguageModel, settings: SweepSettings) -> tuple[Location, ...]:
    """What resolved settings try, layer by layer; a module that a layer lacks is left out there.

    Raises:
        LocationError: the model has no such layer, or none of the layers a module that was named.
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
    for name in settings.modules:
        module = "" if name == WHOLE_LAYER else name
        if name != EVERY_MATRIX and not inside[module]:
            model.weights_at((Location(settings.layers[0], module),))
    return tuple(found)


class Trials:
    """The trials of one sweep.

    Args:
        model: the base.
        asked: the settings as they were asked for.
        settings: the same, resolved.
        weights: of the score by which places are chosen for a second look.
        facts: how many facts there are to try.

    Raises:
        LocationError: see `swept_locations`.
    """

    def __init__(
        self,
        model: LanguageModel,
        asked: SweepSettings,
        settings: ResolvedSweepSettings,
        weights: ScoreWeights | None,
        facts: int,
    ) -> None:
        self._facts = facts
        self.locations = swept_locations(model, settings)
        self._model = model
        self._settings = settings
        self._weights = weights
        self._limit = settings.epochs
        full = automatic_epochs(settings.sample, settings.batch_size)
        self.full_epochs = full if settings.full_runs and full > settings.epochs else 0
        self.widens = not asked.modules
        self._stand_ins = self._guess()

    def known(self, rows: Mapping[Key, LocationDone]) -> list[Trial]:
        """The trials that are certain by now, in order.

        Args:
            rows: what was found so far, by key. With a row for each of the trials returned, the
                sweep is at its end.
        """
        return [trial for stage in self._stages(rows) for trial in stage]

    def foreseen(self, rows: Mapping[Key, LocationDone]) -> list[Trial]:
        """Those that are certain, and stand-ins for as many as may still follow.

        Args:
            rows: what was found so far, by key.
        """
        stages = self._stages(rows)
        still = self._stand_ins[len(stages) - 1 :]
        return [trial for stage in (*stages, *still) for trial in stage]

    @property
    def further(self) -> tuple[Location, ...]:
        """Every other matrix of the layers, where no module was named."""
        if not self.widens:
            return ()
        every = replace(self._settings, modules=(EVERY_MATRIX,))
        places = swept_locations(self._model, every)
        return tuple(where for where in places if where not in self.locations)

    def work(self, trial: Trial) -> int:
        """What a trial costs at most: passes, times the layers above its own and the head."""
        return trial.limit * (self._model.layer_count - trial.at.layer + 1)

    def promising(self, rows: Mapping[Key, LocationDone]) -> set[int]:
        """Layers that may be looked at again, as far as these rows tell.

        Args:
            rows: what was found so far, by key.
        """
        found = [rows[trial.key] for trial in self.known(rows) if trial.key in rows]
        layers = set(best_layers(found, self._weights)) if self.widens else set()
        return layers | {trial.at.layer for trial in self._full(found)}

    def _stages(self, rows: Mapping[Key, LocationDone]) -> list[list[Trial]]:
        """The stages that are certain by now: each follows from the rows of those before it."""
        stages = [self._short(self.locations)]
        for following in (self._wider, self._full):
            done = [trial.key for stage in stages for trial in stage]
            if not all(key in rows for key in done):
                break
            stages.append(following([rows[key] for key in done]))
        return stages

    def _guess(self) -> tuple[list[Trial], list[Trial]]:
        """The later stages, as if the last layers were the best, which they often are."""
        wider: list[Trial] = []
        full: list[Trial] = []
        if self.widens:
            wider = self._wider_in(self._settings.layers[-WIDENED_LAYERS:])
        if self.full_epochs:
            rate = self._settings.learning_rates[0]
            last = self._trial(self.locations[-1], rate, self.full_epochs)
            full = [last] * self._settings.full_runs
        return wider, full

    def _short(self, locations: Sequence[Location]) -> list[Trial]:
        rates = self._settings.learning_rates
        return [self._trial(where, rate, self._limit) for where in locations for rate in rates]

    def _trial(self, where: Location, rate: float, limit: int) -> Trial:
        return Trial(where, rate, self._facts, limit, self._settings.batch_size)

    def _wider(self, rows: Sequence[LocationDone]) -> list[Trial]:
        """Every matrix of the best layers that was not tried yet, where no module was named."""
        return self._wider_in(best_layers(rows, self._weights)) if self.widens else []

    def _wider_in(self, layers: tuple[int, ...]) -> list[Trial]:
        every = replace(self._settings, layers=layers, modules=(EVERY_MATRIX,))
        places = swept_locations(self._model, every)
        return self._short([where for where in places if where not in self.locations])

    def _full(self, rows: Sequence[LocationDone]) -> list[Trial]:
        """The best places once more, layer by layer, where full runs were asked for."""
        if not self.full_epochs:
            return []
        best = finalists(rows, self._weights, self._settings.full_runs)
        full = self.full_epochs
        trials = [self._trial(Location.parse(r.at), r.learning_rate, full) for r in best]
        return sorted(trials, key=lambda trial: trial.at.layer)
