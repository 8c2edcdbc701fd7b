"""An evaluation as plain data: the verdicts on every question, and what is told of them.

Knows nothing about models; the page and the report read it too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from workbench.facts.forms import AskedForm
from workbench.measure.figures import figures_at
from workbench.measure.groups import Group, group_rows
from workbench.measure.protocols import (
    EVERY_MEASURE,
    FORM_WORDS,
    PROTOCOLS,
    Measured,
    form_of,
    metric_name,
    protocols_for,
)
from workbench.measure.text_loss import TextLoss
from workbench.measure.verdicts import QuestionVerdicts, Side, measure_rows, value_of

__all__ = ["Evaluation", "Verdicts"]

SIDES: tuple[Side, ...] = ("before", "after")


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on one state of the model, measure by measure.

    ``verdicts.reliability_strict`` and so on are tuples with one verdict for each question that
    was judged, fact after fact.
    """

    rows: tuple[QuestionVerdicts, ...]
    side: Side

    def __getattr__(self, name: str) -> tuple[Any, ...]:
        measure, _, protocol = name.rpartition("_")
        if measure not in EVERY_MEASURE or protocol not in PROTOCOLS:
            raise AttributeError(name)
        found = []
        for row in self.rows:
            value = value_of(row, measure, protocol, self.side)
            if value is not None:
                found.append(value if protocol == "token" else bool(value))
        return tuple(found)

    @property
    def answers(self) -> tuple[str | None, ...]:
        """The written answer to each fact's prompt; None where none was asked for."""
        said = [row for row in self.rows if row.role == "prompt"]
        return tuple(r.said_before if self.side == "before" else r.said_after for r in said)


@dataclass(frozen=True)
class Evaluation:
    """An evaluation of the base, and of the edited model where there is a patch.

    Args:
        facts: how many facts were asked.
        rows: a verdict for each of their questions.
        edited: whether there was an edit.
        written: for how many facts answers were written.
        seed: drew those facts.
        left_out: questions that the model cannot be asked.
        unended: share of the written answers that did not stop by themselves, before and after.
        labels: ways to group the facts, each with a label for every fact.
        forms: the forms besides raw in which the questions were asked.
        formed: for how many facts they were.
        text: the loss of plain text.
    """

    facts: int
    rows: tuple[QuestionVerdicts, ...]
    edited: bool
    written: int
    seed: int = 0
    left_out: int = 0
    unended: tuple[float | None, float | None] = (None, None)
    labels: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    forms: tuple[AskedForm, ...] = ()
    formed: int = 0
    text: TextLoss = TextLoss()

    @property
    def before(self) -> Verdicts:
        """The base's verdicts."""
        return Verdicts(self.rows, "before")

    @property
    def after(self) -> Verdicts | None:
        """The edited model's verdicts; None without an edit."""
        return Verdicts(self.rows, "after") if self.edited else None

    @cached_property
    def measured(self) -> dict[Side, dict[str, Measured]]:
        """Every share with its interval, before and, where there was an edit, after."""
        found: dict[Side, dict[str, Measured]] = {
            "before": measure_rows(self.rows, "before", seed=self.seed)
        }
        if self.edited:
            found["after"] = measure_rows(self.rows, "after", seed=self.seed)
        return found

    @cached_property
    def figures(self) -> dict[str, dict[str, float]]:
        """Numbers that are no shares by a protocol, before and after; see `FIGURES`."""
        losses = (self.text.before, self.text.after)
        return {
            side: figures_at(self.rows, side, losses[place], self.unended[place])
            for place, side in enumerate(SIDES[: 1 + self.edited])
        }

    def groups(self) -> list[Group]:
        """The shares of every group of facts."""
        return group_rows(self.rows, self.labels, edited=self.edited, seed=self.seed)

    @property
    def sentence(self) -> str:
        """What was asked by which protocol, for people."""
        if self.written == self.facts:
            lead = f"All protocols on all {self.facts:,} facts."
        elif self.written == 0:
            lead = f"Strict and token on all {self.facts:,} facts; no answers were written."
        else:
            lead = (
                f"Strict and token on all {self.facts:,} facts; generated, and locality as "
                f"unchanged, on {self.written:,} of them, drawn with seed {self.seed}."
            )
        if not self.forms:
            return lead
        forms = " and ".join(FORM_WORDS[form] for form in self.forms)
        drawn = "" if self.formed in (0, self.facts) else f", on {self.formed:,} of them, drawn"
        return f"{lead} Asked {forms} too, strict and token alone{drawn}."

    def as_dict(self) -> dict[str, Any]:
        """The metrics as JSON-ready data; a metric with nothing to measure is None.

        What is unchanged stands only after an edit.
        """
        roles = [row.role for row in self.rows]
        return {
            "before": self._values("before"),
            "after": self._values("after") if self.edited else None,
            "intervals": {
                side: {name: number.as_dict() for name, number in numbers.items()}
                for side, numbers in self.measured.items()
            },
            "counts": {
                "facts": self.facts,
                "rephrase_prompts": roles.count("rephrase"),
                "locality_prompts": roles.count("locality"),
                "portability_prompts": roles.count("portability"),
                "generated_facts": self.written,
                "left_out": self.left_out,
            },
            "seed": self.seed,
            "forms": list(self.forms),
            "figures": self.figures,
            "text": self.text.text,
            "unended": dict(zip(("before", "after"), self.unended, strict=True)),
            "sentence": self.sentence,
        }

    def _values(self, side: Side) -> dict[str, float | None]:
        there = self.measured[side]
        names = [
            metric_name(measure, protocol)
            for measure in EVERY_MEASURE
            for protocol in protocols_for(measure)
            if form_of(measure)[1] in ("raw", *self.forms)
            and not (measure == "locality" and side == "before")
            and not (form_of(measure)[0] == "locality_first" and side == "before")
        ]
        return {name: there[name].value if name in there else None for name in names}
