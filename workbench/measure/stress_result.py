"""What came of stressing an edit: a table before, after and later, and every single answer.

The columns are the base, the edited model, and the edited model after fine-tuning on unrelated
text. Everything that is shown follows from the answers alone. Knows nothing about models.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from workbench._version import __version__
from workbench.measure.stress_rows import ROWS, RowKind
from workbench.work.records import as_data

__all__ = [
    "FineTuned",
    "JudgeRecord",
    "Reply",
    "Side",
    "Stress",
    "StressAnswer",
    "StressRow",
    "StressTable",
    "share_of",
]

Side = Literal["before", "after", "later"]
SIDES: tuple[Side, ...] = ("before", "after", "later")
By = Literal["containment", "judge", "likelihood", ""]
FREE = ("plain", "framed")


@dataclass(frozen=True, slots=True)
class Reply:
    """What one state of the model made of one question.

    Args:
        right: whether it is what is wanted.
        said: the written answer, or the likeliest of those that could be chosen.
        by: what decided.
        ended: whether a written answer stopped by itself; None for what was chosen.
    """

    right: bool
    said: str
    by: By = ""
    ended: bool | None = None


@dataclass(frozen=True, slots=True)
class StressAnswer:
    """One question with its replies.

    Args:
        fact: place of the fact among those that were asked, from 0.
        row: the row that it counts for.
        asked: the question.
        wanted: the right answer.
        before, after, later: of the base, the edited model, and that one after unrelated
            fine-tuning; None where that state was not asked.
    """

    fact: int
    row: str
    asked: str
    wanted: str
    before: Reply | None = None
    after: Reply | None = None
    later: Reply | None = None

    def on(self, side: Side) -> Reply | None:
        """The reply of one state."""
        found: Reply | None = getattr(self, side)
        return found


@dataclass(frozen=True, slots=True)
class StressRow:
    """A share before, after and later, and how many questions it is of.

    Args:
        name: see `ROWS`.
        count: how many questions there are; 0 where there is nothing to ask.
        before, after, later: the share; None where nothing was asked.
    """

    name: str
    count: int
    before: float | None = None
    after: float | None = None
    later: float | None = None

    @property
    def kind(self) -> RowKind:
        """What the row is."""
        return ROWS[self.name]

    def on(self, side: Side) -> float | None:
        """The share of one state."""
        found: float | None = getattr(self, side)
        return found


@dataclass(frozen=True, slots=True)
class StressTable:
    """What a page or a report shows of a stress, without the single answers.

    Args:
        rows: a row for each kind of question that was asked for.
        sides: the states that were asked.
        sentences: how it was asked and judged.
    """

    rows: tuple[StressRow, ...]
    sides: tuple[Side, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JudgeRecord:
    """Who judged, how, and how often.

    Args:
        model: its name.
        url: where it was asked; empty on this machine.
        prompt: what it was asked, with the places for question, right answer and answer.
        asked: how many answers it judged: those in which the right one does not stand.
        accepted: how many of them it took for right.
        unclear: how many of its replies were neither yes nor no; they count as no.
        problem: why it judged nothing after all; the table then stands by containment alone.
    """

    model: str
    url: str
    prompt: str
    asked: int = 0
    accepted: int = 0
    unclear: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FineTuned:
    """The unrelated fine-tuning between after and later.

    Args:
        steps: how many.
        at: where.
        learning_rate: Adam's.
        batch_size: texts a step.
        texts: how many different texts.
        text: which texts these are.
        before, after: mean loss per token on them.
    """

    steps: int
    at: tuple[str, ...]
    learning_rate: float
    batch_size: int
    texts: int
    text: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Stress:
    """What came of stressing a model or an edit.

    Args:
        model: name of the base.
        facts: how many facts were asked.
        of: how many there are.
        edited: whether there was an edit.
        chat: whether questions went through the model's chat template.
        answers: every question with its replies.
        judge: who judged; None for nobody.
        fine_tuned: what happened before `later`; None for nothing.
        settings: as they were given; they hold no key.
        left_out: questions that are too long for the model.
        seconds: that it took.
        version: of the workbench.
    """

    model: str
    facts: int
    of: int
    edited: bool
    chat: bool
    answers: tuple[StressAnswer, ...]
    judge: JudgeRecord | None
    fine_tuned: FineTuned | None
    settings: dict[str, Any]
    left_out: int = 0
    seconds: float = 0.0
    version: str = __version__

    @property
    def rows(self) -> tuple[StressRow, ...]:
        """The table, a row for each kind of question that was asked for."""
        wanted = self.settings.get("probes") or [kind.probe for kind in ROWS.values()]
        return tuple(
            row_of(kind.name, self.answers) for kind in ROWS.values() if kind.probe in wanted
        )

    @property
    def sides(self) -> tuple[Side, ...]:
        """The states that were asked."""
        if not self.edited:
            return SIDES[:1]
        return SIDES if self.fine_tuned is not None else SIDES[:2]

    def row(self, name: str) -> StressRow:
        """One row of the table; see `ROWS`."""
        return row_of(name, self.answers)

    @property
    def sentences(self) -> tuple[str, ...]:
        """How it was asked and judged, for people."""
        many = f"All {self.facts:,}" if self.facts == self.of else f"{self.facts:,} of {self.of:,}"
        frame = "the model's chat template" if self.chat else "'Question: … Answer:'"
        found = [f"{many} facts; questions stand in {frame}."]
        if self.left_out:
            found.append(f"{self.left_out:,} questions are too long for the model.")
        found.append(_told_of(self.judge))
        if self.fine_tuned is not None:
            done = self.fine_tuned
            found.append(
                f"Later: after {done.steps:,} steps on {done.texts:,} lines of {done.text} at "
                f"{', '.join(done.at)}, rate {done.learning_rate:g}, {done.batch_size} lines a "
                f"step; their loss went from {done.before:.2f} to {done.after:.2f} nats a token."
            )
        return tuple(found)

    @property
    def table(self) -> StressTable:
        """The table with its sentences."""
        return StressTable(self.rows, self.sides, self.sentences)

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON-ready data, the table first; `from_data` reads it as either."""
        table = as_data(self.table)
        for row in table["rows"]:
            row["label"] = ROWS[row["name"]].label
        return {**table, **as_data(self)}


def _told_of(judge: JudgeRecord | None) -> str:
    if judge is None:
        return "Free answers are judged by containment alone; no judge was named."
    where = f" at {judge.url}" if judge.url else ""
    if judge.problem:
        return f"{judge.problem} The table stands by containment alone."
    unclear = f"; {judge.unclear:,} replies were neither yes nor no" if judge.unclear else ""
    return (
        f"Where containment said no, {judge.model}{where} was asked: {judge.asked:,} answers, "
        f"{judge.accepted:,} of them right after all{unclear}."
    )


def share_of(replies: Iterable[Reply | None]) -> float | None:
    """The share that is right; None where there is no reply."""
    there = [reply.right for reply in replies if reply is not None]
    return sum(there) / len(there) if there else None


def row_of(name: str, answers: Sequence[StressAnswer]) -> StressRow:
    """One row of the table, from the answers."""
    if name == "stops":
        own = [answer for answer in answers if answer.row in FREE]
        shares = {side: share_of(_stopped(answer.on(side)) for answer in own) for side in SIDES}
    else:
        own = [answer for answer in answers if answer.row == name]
        shares = {side: share_of(answer.on(side) for answer in own) for side in SIDES}
    return StressRow(name, len(own), shares["before"], shares["after"], shares["later"])


def _stopped(reply: Reply | None) -> Reply | None:
    """The same reply, right where it stopped by itself."""
    return None if reply is None else replace(reply, right=bool(reply.ended))
