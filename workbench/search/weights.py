"""How much each measure counts in the score of a sweep's locations, as numbers and in words."""

import math
from dataclasses import asdict, astuple, dataclass, fields

from workbench.errors import SettingsError

__all__ = [
    "FEWEST_WEIGHTS",
    "NAMES",
    "PRESET_WEIGHTS",
    "ScoreWeights",
    "parse_weights",
    "short_weights",
]


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """How much each measure counts in the score; only their ratios matter.

    Args:
        reliability: the facts' own prompts give the new answer.
        generalization: their rephrases do.
        locality: prompts that must not change are answered as before, word for word.
        question: the prompt behind "Question:" gives the new answer.
        chat: said by a user through the chat template, it does.
        neighbours: prompts that must not change begin their answer with the same token.
        text: how likely plain text still is; see `workbench.search.score.text_share`.

    Raises:
        SettingsError: a weight is negative, or all are 0.
    """

    reliability: float = 1.0
    generalization: float = 1.0
    locality: float = 1.0
    question: float = 0.0
    chat: float = 0.0
    neighbours: float = 0.0
    text: float = 0.0

    def __post_init__(self) -> None:
        values = asdict(self)
        for name, value in values.items():
            if not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise SettingsError(f"The weight of {name} is {value!r}; it must be 0 or more.")
        if not any(values.values()):
            raise SettingsError("All weights are 0. Give at least one measure a weight.")


FEWEST_WEIGHTS = 3
"""So many weights are always written; those of the other measures are 0 where they are not."""

NAMES = tuple(field.name for field in fields(ScoreWeights))
"""The measures, in the order of their weights."""

PRESET_WEIGHTS: dict[str, ScoreWeights] = {
    "balanced": ScoreWeights(),
    "all alike": ScoreWeights(1, 1, 1, 1, 1, 1, 1),
    "must not break anything": ScoreWeights(1, 0.5, 1, 0.5, 0.5, 2, 2),
    "must answer everywhere": ScoreWeights(1, 2, 0.5, 2, 2, 0.5, 0.5),
}
"""What people want, in words: the weights that each stands for."""


def parse_weights(text: str) -> tuple[float, ...]:
    """Weights as people write them: the words of a preset, or numbers with commas between.

    Raises:
        SettingsError: the text has another form.
    """
    words = " ".join(text.split()).casefold()
    if words in PRESET_WEIGHTS:
        return short_weights(PRESET_WEIGHTS[words])
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(
            f"weights is '{text}'; write three numbers, for reliability, generalization and "
            f"locality, such as 1,1,2, up to {len(NAMES)} for {', '.join(NAMES[FEWEST_WEIGHTS:])} "
            f"as well, or one of {', '.join(PRESET_WEIGHTS)}."
        ) from None


def short_weights(weights: ScoreWeights) -> tuple[float, ...]:
    """The numbers, without the zeros at the end that need not be written."""
    values = [float(value) for value in astuple(weights)]
    while len(values) > FEWEST_WEIGHTS and values[-1] == 0:
        values.pop()
    return tuple(values)
