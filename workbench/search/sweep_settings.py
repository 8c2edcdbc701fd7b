"""The settings of a sweep: runs at every location of interest, on a sample of the facts.

The same fields, in the same words, are on the page, on the command line and in a sweep's record.
A field left empty is automatic: it is filled from the model and its preset. Other weights of the
score need nothing to be computed again (see `score`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from workbench.errors import SettingsError
from workbench.methods.locft_settings import (
    EditSettings,
    automatic_batch_size,
    automatic_epochs,
)
from workbench.methods.recipes import Kept, RateSchedule, RecipeChoice
from workbench.model.location import Location, parse_layers, parse_locations, write_layers
from workbench.model.places import Places
from workbench.model.presets import Preset
from workbench.search.budget import parse_budget, write_budget
from workbench.search.weights import FEWEST_WEIGHTS, NAMES, ScoreWeights, parse_weights
from workbench.work.settings import SettingsRecord, is_number, is_whole, setting

__all__ = [
    "EVERY_MATRIX",
    "TRAINED",
    "WHOLE_LAYER",
    "ResolvedSweepSettings",
    "SweepSettings",
    "automatic_sweep_epochs",
    "parse_layers",
    "write_layers",
]

WHOLE_LAYER = "layer"
"""Stands for all weights of a layer among the modules of a sweep."""

EVERY_MATRIX = "all"
"""Stands for every 2-D weight of a layer among the modules of a sweep."""

TRAINED = (
    "recipe",
    "forms",
    "keep",
    "keep_share",
    "spare",
    "kept",
    "other_subjects",
    "rate_schedule",
    "focus",
)
"""The settings of a run that its trials share, so that a place is chosen for how it will be used.

They are those of `EditSettings`, with its defaults and its words.
"""

_EVERY_FIRST = frozenset({"layers", "modules", "learning_rates", "sample", "full_runs", "seed"})
"""Settings of the first version, which are always kept together."""

RATES_AROUND = (3.0, 0.3)
"""With a budget, the preset's rate times each of these is tried as well, in this order."""

TRAINING_RUNS = 2.0  # scoring takes about one more, and the full runs follow
FEWEST_EPOCHS = 5


def _as_in_a_run(name: str) -> Any:
    """A field with the default and the words of the field of this name of `EditSettings`."""
    (found,) = (found for found in fields(EditSettings) if found.name == name)
    return field(default=found.default, metadata=found.metadata)


@dataclass(frozen=True, slots=True)
class SweepSettings(SettingsRecord):
    """Which locations a sweep tries, and how. Empty means automatic; see each field's sentence.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    layers: tuple[int, ...] = setting(
        (),
        "Layers to try, such as 0,3-7; empty: all.",
        parse=parse_layers,
        write=write_layers,
        empty="all",
    )
    modules: tuple[str, ...] = setting(
        (),
        "Modules to try in each layer, such as mlp.down_proj or mlp; 'layer' is the whole layer, "
        "'all' every matrix; empty: the preset's, then every matrix of the two best layers, with a "
        "budget as time allows.",
    )
    learning_rates: tuple[float, ...] = setting(
        (),
        "Learning rates to try at each location; empty: the preset's, and with a budget also "
        "three times and three tenths of it.",
        label="Learning rates",
        option="--lr",
    )
    budget: float | None = setting(
        None,
        "Seconds, or minutes such as 5min, that the sweep may take: many short trials on few "
        "facts, of which the better half goes on with more; empty: every trial is made.",
        label="Budget",
        unit="s",
        parse=parse_budget,
        write=write_budget,
        empty="as long as it takes",
    )
    sample: int = setting(64, "How many facts are drawn by the seed and tried.", unit="facts")
    epochs: int | None = setting(
        None,
        "Most passes over the sample at each location; empty: so many that all layers together "
        "cost about three runs. With a budget: in the longest trials; empty: as in a run.",
        label="Epochs of a short run",
        unit="passes",
    )
    full_runs: int = setting(
        4,
        "So many of the best places are tried once more with as many passes as a run has; the "
        "recommendation rests on them. 0: none. A budget decides this itself.",
        label="Full runs",
    )
    batch_size: int | None = setting(
        None,
        "Facts per update; empty: as in a run on as many facts as the sample has.",
        label="Batch size",
        unit="facts",
    )
    seed: int = setting(
        0, "Draws the sample and decides the order of its facts.", label="Seed of the sample"
    )
    weights: tuple[float, ...] = setting(
        (1.0, 1.0, 1.0),
        "How much reliability, generalization and locality count, and after them, if you like, "
        "question, chat, neighbours and text; or in words: balanced, all alike, must not break "
        "anything, must answer everywhere. A plot follows at once; a sweep looks again where this "
        "score is best.",
        label="Weights of the score",
        parse=parse_weights,
    )
    recipe: RecipeChoice = _as_in_a_run("recipe")
    forms: tuple[str, ...] = _as_in_a_run("forms")
    keep: float | None = _as_in_a_run("keep")
    keep_share: float | None = _as_in_a_run("keep_share")
    spare: float | None = _as_in_a_run("spare")
    kept: tuple[Kept, ...] = _as_in_a_run("kept")
    other_subjects: tuple[str, ...] = _as_in_a_run("other_subjects")
    rate_schedule: RateSchedule | None = _as_in_a_run("rate_schedule")
    focus: float | None = _as_in_a_run("focus")

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(sorted(set(self.layers))))
        object.__setattr__(self, "modules", tuple(dict.fromkeys(self.modules)))
        object.__setattr__(self, "learning_rates", tuple(dict.fromkeys(self.learning_rates)))
        for layer in self.layers:
            if not is_whole(layer, 0):
                raise SettingsError(
                    f"layers holds {layer!r}; each must be a whole number, 0 or more."
                )
        for module in self.modules:
            if module not in (WHOLE_LAYER, EVERY_MATRIX):
                Location.parse(f"0.{module}")
        for rate in self.learning_rates:
            if not is_number(rate) or rate <= 0:
                raise SettingsError(f"learning_rates holds {rate!r}; each must be above 0.")
        self._require_whole("sample", least=1)
        self._require_whole("seed", "full_runs", least=0)
        self._require_whole("epochs", "batch_size", least=1, optional=True)
        if self.budget is not None and (not is_number(self.budget) or self.budget <= 0):
            raise SettingsError(f"budget is {self.budget!r}; it must be seconds above 0, or empty.")
        trained = self.edit_settings()
        for name in TRAINED:
            object.__setattr__(self, name, getattr(trained, name))
        _ = self.score_weights

    def edit_settings(self, **more: Any) -> EditSettings:
        """The settings of a run as the trials make it.

        Args:
            **more: what is a trial's own, such as ``at``.
        """
        return EditSettings(**{name: getattr(self, name) for name in TRAINED}, **more)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`.

        What an earlier version kept, which knew no recipes, stays as published.

        Raises:
            SettingsError: an unknown name, or a value that makes no sense.
        """
        if "recipe" not in data and data.keys() >= _EVERY_FIRST:
            data = {**data, "recipe": "published"}
        return super(SweepSettings, cls).from_dict(data)

    @property
    def score_weights(self) -> ScoreWeights:
        """The weights by their names.

        Raises:
            SettingsError: there are too few or too many, one is negative, or all are 0.
        """
        if not FEWEST_WEIGHTS <= len(self.weights) <= len(NAMES):
            raise SettingsError(
                f"weights holds {len(self.weights)} numbers; write three numbers, such as 1, 1, 1, "
                f"up to {len(NAMES)}: {', '.join(NAMES)}."
            )
        return ScoreWeights(*self.weights)

    def resolved(self, facts: int, preset: Preset, places: Places) -> "ResolvedSweepSettings":
        """These settings with every automatic field filled in.

        Args:
            facts: how many facts there are to draw from.
            preset: the start for the model.
            places: of the model.
        """
        layers = places.layers
        sample = max(1, min(self.sample, facts))
        batch_size = self.batch_size or automatic_batch_size(sample)
        automatic = {
            "layers": self.layers or tuple(range(layers)),
            "modules": self.modules or _automatic_modules(preset, places),
            "learning_rates": self.learning_rates or self._automatic_rates(preset),
            "sample": sample,
            "batch_size": batch_size,
            "epochs": self.epochs or automatic_sweep_epochs(sample, batch_size, layers),
        }
        return ResolvedSweepSettings.from_dict(self.as_dict() | automatic)

    def _automatic_rates(self, preset: Preset) -> tuple[float, ...]:
        """The preset's, and with a budget those around it, rounded for people to read."""
        rate = preset.learning_rate
        around = RATES_AROUND if self.budget is not None else ()
        return (rate, *(float(f"{rate * factor:.6g}") for factor in around))


@dataclass(frozen=True, slots=True)
class ResolvedSweepSettings(SweepSettings):
    """The settings of a sweep that is made: nothing is automatic any more."""

    epochs: int = setting(0, SweepSettings.help()["epochs"])
    batch_size: int = setting(0, SweepSettings.help()["batch_size"])


def _automatic_modules(preset: Preset, places: Places) -> tuple[str, ...]:
    """The preset's module; where layers lack it, also those that stand in its place there."""
    module = parse_locations(preset.at)[0].module
    return places.outputs(module) if module else (WHOLE_LAYER,)


def automatic_sweep_epochs(facts: int, batch_size: int, layers: int) -> int:
    """Passes at each location, so that all layers together cost about three runs on the sample.

    A run at the middle layer costs what a layer costs on average. Depends on the model's layers,
    not on those that are tried, so that the results of two sweeps may stand side by side.
    """
    full = automatic_epochs(facts, batch_size)
    return max(FEWEST_EPOCHS, min(full, int(TRAINING_RUNS * full / layers)))
