"""A measured share, its protocol and its interval; what may be compared with what.

Invariant: shares measured by different protocols, or of different measures, never stand in one
column and are never subtracted: a strict share and a generated one of the same model differ
although nothing changed. Whoever tries is refused in words. A measure stands for the raw prompts;
in another form it ends in that form's name. Knows nothing about models.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from workbench.errors import SettingsError
from workbench.facts.forms import ASKED_FORMS, AskedForm
from workbench.work.glossary import GLOSSARY

__all__ = [
    "BESIDE",
    "EVERY_MEASURE",
    "FORM_WORDS",
    "MEASURES",
    "MEASURE_HELP",
    "PROTOCOLS",
    "PROTOCOL_HELP",
    "SCORED",
    "Difference",
    "MeasureTable",
    "Measured",
    "Protocol",
    "form_of",
    "help_of",
    "in_form",
    "metric_name",
    "protocols_for",
    "split_metric",
    "words_of",
]

Protocol = Literal["strict", "generated", "token"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
PROTOCOL_HELP: dict[Protocol, str] = {
    "strict": "Teacher-forced: every token of the answer and its end is the model's first choice.",
    "generated": "Greedy, at most 32 tokens, cut at '.', newline or the end; then the same words, "
    "without case, punctuation and articles; aliases count. The paper's.",
    "token": "Teacher-forced: the share of the answer's tokens that are the model's first choice. "
    "The older literature's.",
}

MEASURES = (
    "reliability",
    "generalization",
    "locality",
    "locality_first",
    "locality_right",
    "portability",
)
SCORED = MEASURES[:3]
"""The measures that a score is made of."""
BESIDE = ("reliability_question", "reliability_chat", "locality_first")
"""The measures that stand beside those in tables with little room."""

MEASURE_HELP = {
    "reliability": GLOSSARY["reliability"],
    "generalization": GLOSSARY["generalization"],
    "locality": GLOSSARY["locality"],
    "locality_first": GLOSSARY["locality, first token unchanged"],
    "locality_right": GLOSSARY["locality, right"],
    "portability": GLOSSARY["portability"],
}
WORDS = {
    "locality": "locality, answer unchanged",
    "locality_first": "locality, first token unchanged",
    "locality_right": "locality, right",
}
FORM_WORDS: dict[AskedForm, str] = {
    "raw": "as they are",
    "question": "as a question",
    "chat": "in chat",
}


def in_form(measure: str, form: AskedForm) -> str:
    """A measure in a form, such as ``reliability_chat``; raw is the measure itself."""
    return measure if form == "raw" else f"{measure}_{form}"


def form_of(measure: str) -> tuple[str, AskedForm]:
    """The inverse of `in_form`."""
    for form in ASKED_FORMS:
        if measure.endswith(f"_{form}"):
            return measure.removesuffix(f"_{form}"), form
    return measure, "raw"


def protocols_for(measure: str) -> tuple[Protocol, ...]:
    """The protocols by which a measure is taken; none where it is not taken in its form.

    Answers are written to raw prompts alone, and only those are compared as a whole with what was
    said before; a first token is the model's first choice or not.
    """
    basis, form = form_of(measure)
    if basis == "locality_first":
        return ("strict",)
    if form == "raw":
        return PROTOCOLS
    return () if basis == "locality" else ("strict", "token")


EVERY_MEASURE = tuple(
    in_form(measure, form)
    for measure in MEASURES
    for form in ASKED_FORMS
    if protocols_for(in_form(measure, form))
)
"""The measures in every form in which they are taken."""


def words_of(measure: str) -> str:
    """A measure for people, such as ``reliability, in chat``."""
    basis, form = form_of(measure)
    words = WORDS.get(basis, basis.replace("_", " "))
    return words if form == "raw" else f"{words}, {FORM_WORDS[form]}"


def help_of(measure: str) -> str:
    """What a measure says, in a sentence."""
    basis, form = form_of(measure)
    said = MEASURE_HELP.get(basis, "")
    return said if form == "raw" else f"{said} Asked {FORM_WORDS[form]}."


def metric_name(measure: str, protocol: str) -> str:
    """Such as ``locality_right_strict``."""
    return f"{measure}_{protocol}"


def split_metric(name: str) -> tuple[str, Protocol]:
    """The inverse of `metric_name`.

    Raises:
        SettingsError: the name does not say by which protocol it was measured.
    """
    measure, _, protocol = name.rpartition("_")
    for known in PROTOCOLS:
        if protocol == known and measure:
            return measure, known
    raise SettingsError(
        f"The number '{name}' does not say how it was measured. Its name must end in one of "
        f"{', '.join('_' + known for known in PROTOCOLS)}."
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """A share from 0 to 1, of what, by which protocol, and how sure.

    Args:
        measure: such as ``reliability``.
        protocol: how the questions were judged.
        value: the share.
        low, high: where the middle 90% of bootstrap resamples of the facts lie.
        count: how many questions were asked.
    """

    measure: str
    protocol: Protocol
    value: float
    low: float
    high: float
    count: int

    @property
    def name(self) -> str:
        """Such as ``reliability_strict``."""
        return metric_name(self.measure, self.protocol)

    def __sub__(self, other: "Measured") -> float:
        """How much more this share is.

        Raises:
            SettingsError: the two do not measure the same by the same protocol.
        """
        _require_same(self, other)
        return self.value - other.value

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; the name says measure and protocol."""
        return {"value": self.value, "low": self.low, "high": self.high, "count": self.count}

    @classmethod
    def from_dict(cls, name: str, data: Mapping[str, Any]) -> "Measured":
        """The inverse of `as_dict`."""
        measure, protocol = split_metric(name)
        return cls(measure, protocol, data["value"], data["low"], data["high"], data["count"])


@dataclass(frozen=True, slots=True)
class Difference:
    """The same share before and after.

    Raises:
        SettingsError: the two do not measure the same by the same protocol.
    """

    before: Measured
    after: Measured

    def __post_init__(self) -> None:
        _require_same(self.before, self.after)

    @property
    def value(self) -> float:
        """How much it rose."""
        return self.after - self.before

    @property
    def is_clear(self) -> bool:
        """Whether the two intervals lie apart."""
        return self.after.low > self.before.high or self.after.high < self.before.low


def _require_same(one: Measured, other: Measured) -> None:
    if one.protocol != other.protocol:
        raise SettingsError(
            f"{one.name} cannot be compared with {other.name}: the protocols differ. Measure "
            f"both by {one.protocol}, or both by {other.protocol}."
        )
    if one.measure != other.measure:
        raise SettingsError(f"{one.name} cannot be compared with {other.name}: not the same.")


@dataclass(frozen=True, slots=True)
class MeasureTable:
    """Rows that may stand side by side, because all were judged by one protocol.

    Args:
        protocol: of every number.
        rows: for each label, the numbers by measure; a measure that was not taken is left out.

    Raises:
        SettingsError: a number was measured by another protocol, or stands under a wrong heading.
    """

    protocol: Protocol
    rows: Mapping[str, Mapping[str, Measured]]

    def __post_init__(self) -> None:
        for label, row in self.rows.items():
            for measure, number in row.items():
                if number.protocol != self.protocol:
                    raise SettingsError(
                        f"This table is by the {self.protocol} protocol; {number.name} of "
                        f"'{label}' cannot stand in it. Measure it by {self.protocol}, too."
                    )
                if number.measure != measure:
                    raise SettingsError(f"{number.name} of '{label}' stands under '{measure}'.")

    @property
    def measures(self) -> tuple[str, ...]:
        """The columns: measures that at least one row has, in their usual order."""
        there = {measure for row in self.rows.values() for measure in row}
        known = [measure for measure in EVERY_MEASURE if measure in there]
        return (*known, *sorted(there - set(known)))
