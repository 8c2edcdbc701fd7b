"""The settings of a sweep: a short run at every location of interest, on a sample of the facts.

The same fields, in the same words, are on the page, on the command line and in a sweep's record.
A field left empty is automatic: the engine fills it from the model and its preset. How the
results are weighed is no part of these settings, because nothing has to be computed again for
other weights (see `score`).
"""

import math
import re
from dataclasses import dataclass, fields
from typing import Any

from workbench.recipe.errors import SettingsError
from workbench.recipe.location import Location
from workbench.recipe.settings import automatic_epochs, setting

__all__ = [
    "EVERY_MATRIX",
    "WHOLE_LAYER",
    "SweepSettings",
    "automatic_sweep_epochs",
    "parse_layers",
]

WHOLE_LAYER = "layer"
"""Stands for all weights of a layer among the modules of a sweep."""

EVERY_MATRIX = "all"
"""Stands for every 2-D weight of a layer among the modules of a sweep."""

TRAINING_RUNS = 2.5  # scoring takes about one more
FEWEST_EPOCHS = 5


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """Which locations a sweep tries, and how. Empty means automatic; see each field's sentence.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    layers: tuple[int, ...] = setting((), "Layers to try, such as 0,3-7; empty: all.")
    modules: tuple[str, ...] = setting(
        (),
        "Modules to try in each layer, such as mlp.down_proj or mlp; 'layer' is the whole layer, "
        "'all' every matrix; empty: the preset's.",
    )
    learning_rates: tuple[float, ...] = setting(
        (), "Learning rates to try at each location; empty: the preset's."
    )
    sample: int = setting(64, "How many facts are drawn by the seed and tried.")
    epochs: int | None = setting(
        None,
        "Most passes over the sample at each location; empty: so many that all layers together "
        "cost three to four runs.",
    )
    batch_size: int | None = setting(
        None, "Facts per update; empty: as in a run on as many facts as the sample has."
    )
    seed: int = setting(0, "Draws the sample and decides the order of its facts.")

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(sorted(set(self.layers))))
        object.__setattr__(self, "modules", tuple(dict.fromkeys(self.modules)))
        object.__setattr__(self, "learning_rates", tuple(dict.fromkeys(self.learning_rates)))
        for layer in self.layers:
            _require_whole("layers", layer, 0)
        for module in self.modules:
            if module not in (WHOLE_LAYER, EVERY_MATRIX):
                Location.parse(f"0.{module}")
        for rate in self.learning_rates:
            if not isinstance(rate, int | float) or not (0 < rate < math.inf):
                raise SettingsError(f"learning_rates holds {rate!r}; each must be above 0.")
        _require_whole("sample", self.sample, 1)
        _require_whole("seed", self.seed, 0)
        for name in ("epochs", "batch_size"):
            if getattr(self, name) is not None:
                _require_whole(name, getattr(self, name), 1)

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON-ready data, in the order of the fields."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "SweepSettings":
        """The inverse of `as_dict`.

        Raises:
            SettingsError: an unknown name, or a value that makes no sense.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise SettingsError(
                f"Unknown setting {', '.join(unknown)}. Known: {', '.join(sorted(known))}."
            )
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)

    @classmethod
    def help(cls) -> dict[str, str]:
        """The one-sentence explanation of every setting, by name."""
        return {f.name: f.metadata["help"] for f in fields(cls)}


def _require_whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise SettingsError(f"{name} is {value!r}; it must be a whole number, {least} or more.")


def parse_layers(text: str) -> tuple[int, ...]:
    """Layers as people write them: ``all``, or numbers and ranges such as ``0,3-7``.

    Returns:
        The numbers; empty for all.

    Raises:
        SettingsError: the text has another form.
    """
    if text.strip().lower() in ("", "all"):
        return ()
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part.strip())
        if match is None or (match[2] and int(match[2]) < int(match[1])):
            raise SettingsError(
                f"layers is '{text}'. Write numbers and ranges, such as 0,3-7, or 'all'."
            )
        found |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(found))


def automatic_sweep_epochs(facts: int, batch_size: int, layers: int) -> int:
    """Passes at each location, so that all layers together cost three to four runs on the sample.

    A run at the middle layer costs what a layer costs on average. Depends on the model's layers,
    not on those that are tried, so that the results of two sweeps may stand side by side.
    """
    full = automatic_epochs(facts, batch_size)
    return max(FEWEST_EPOCHS, min(full, int(TRAINING_RUNS * full / layers)))
