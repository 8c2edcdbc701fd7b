"""How much each measure counts in the score of a sweep's locations."""

import math
from dataclasses import asdict, dataclass

from workbench.errors import SettingsError

__all__ = ["ScoreWeights"]


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """How much each measure counts in the score; only their ratios matter.

    Raises:
        SettingsError: a weight is negative, or all are 0.
    """

    reliability: float = 1.0
    generalization: float = 1.0
    locality: float = 1.0

    def __post_init__(self) -> None:
        values = asdict(self)
        for name, value in values.items():
            if not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise SettingsError(f"The weight of {name} is {value!r}; it must be 0 or more.")
        if not any(values.values()):
            raise SettingsError("All weights are 0. Give at least one measure a weight.")
