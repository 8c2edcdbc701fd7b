"""The questions of an evaluation, put to one state of a model after another.

Everything that takes long yields units of work, so that whoever follows can tell how far it is
and end it. What enters the lowest layer that an edit changes is kept while it is of use. Knows
nothing about patches: the model is asked as it is.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from workbench.facts.answers import plain_answer
from workbench.measure.questions import ANSWER_TOKENS, Asked
from workbench.measure.strict import Forced, forcing_texts
from workbench.measure.verdicts import FormVerdicts, QuestionVerdicts, Verdict
from workbench.model.generate import Answer, generate
from workbench.model.language_model import LanguageModel
from workbench.model.states import HiddenStates, advancing
from workbench.model.tokens import TokenizedText, TokenTable, prompt_tokens, tokenize
from workbench.work.events import mapped
from workbench.work.stop import Stop

__all__ = ["Exam", "Sat", "exam_of"]

# Work units of one question: a pass over the kept states, and writing an answer.
PASS, WRITE = 1, 6
WRITTEN_AT_ONCE = 256

Result = TypeVar("Result")
Units = Generator[int, None, Result]
"""Work that yields how many units of it were just done."""


@dataclass(frozen=True)
class Sat:
    """What one state of the model made of the questions, by their place in the list."""

    forced: Mapping[int, Forced] = field(default_factory=dict)
    said: Mapping[int, Answer] = field(default_factory=dict)

    def text(self, row: int) -> str | None:
        """The written answer, where there is one."""
        return self.said[row].text if row in self.said else None

    @property
    def unended(self) -> float | None:
        """The share of answers that were cut off for want of room; None without answers."""
        if not self.said:
            return None
        return sum(not answer.ended for answer in self.said.values()) / len(self.said)


@dataclass
class Exam:
    """The questions of an evaluation, tokenized, and what is known below the edit.

    Args:
        model: what is asked, as it is at that moment.
        asked: the questions.
        judged: places of those with a stated answer, judged teacher-forced.
        written: places of those whose answers are written.
        texts: the judged ones with their answers.
        states: what enters the lowest layer that an edit changes; None starts at the embedding.
    """

    model: LanguageModel
    asked: list[Asked]
    judged: list[int]
    written: list[int]
    texts: TokenTable
    states: HiddenStates | None = None

    @property
    def keeping_units(self) -> int:
        """How many units `keeping_states` is."""
        return PASS * len(self.judged)

    @property
    def sitting_units(self) -> int:
        """How many units one `sitting` is."""
        return PASS * len(self.judged) + WRITE * len(self.written)

    def keeping_states(self, layer: int) -> Units[None]:
        """Computes once what enters the lowest layer that the edit changes."""
        work = mapped(advancing(self.model, self.texts, None, layer), lambda way: way.done)
        self.states = yield from _units(work, PASS)

    def sitting(self, stop: Stop | None = None) -> Units[Sat]:
        """Puts every question to the model as it is now.

        Args:
            stop: the wish to end it, asked before every token that is written.

        Raises:
            Cancelled: somebody wanted it to end.
        """
        forced = yield from _units(forcing_texts(self.model, self.texts, self.states), PASS)
        said: dict[int, Answer] = {}
        order = sorted(self.written, key=lambda row: len(self.asked[row].prompt))
        # Where layers are read for every token, many answers share each reading.
        at_once = WRITTEN_AT_ONCE if self.model.stream is None else 4 * WRITTEN_AT_ONCE
        for start in range(0, len(order), at_once):
            rows = order[start : start + at_once]
            said.update(zip(rows, self._write(rows, stop), strict=True))
            yield WRITE * len(rows)
        return Sat(dict(zip(self.judged, forced, strict=True)), said)

    def _write(self, rows: Sequence[int], stop: Stop | None) -> list[Answer]:
        prompts = [self.asked[row].prompt for row in rows]
        return generate(
            self.model,
            prompts,
            max_new_tokens=ANSWER_TOKENS,
            stop="sentence",
            top_k=1,
            cancel=stop,
        )

    def comparing(self, before: Sat, after: Sat) -> Units[dict[int, Verdict]]:
        """Locality prompts against what the base said, by the edited model as it is applied now.

        It is little work beside a sitting, and counts as none.
        """
        said = before.said
        rows = [row for row in sorted(said) if self.asked[row].role == "locality"]
        if not rows:
            return {}
        prompts = prompt_tokens(self.model.tokenizer, [self.asked[row].prompt for row in rows])
        texts = [
            TokenizedText(ids, said[row].tokens) for row, ids in zip(rows, prompts, strict=True)
        ]
        table = TokenTable(texts, self.model.device)
        found = yield from _units(forcing_texts(self.model, table), 0)
        return {
            row: Verdict(judged.right, judged.share, _same(said[row].text, after.said[row].text))
            for row, judged in zip(rows, found, strict=True)
        }

    def rows(
        self,
        before: Sat,
        after: Sat,
        stayed: Mapping[int, Verdict],
        forms: Mapping[int, tuple[FormVerdicts, ...]],
    ) -> tuple[QuestionVerdicts, ...]:
        """The verdicts on every question."""
        return tuple(
            QuestionVerdicts(
                fact=question.fact,
                role=question.role,
                prompt=question.prompt,
                wanted=question.wanted,
                before=self._verdict(row, before),
                after=self._verdict(row, after),
                unchanged=stayed.get(row, Verdict()),
                said_before=before.text(row),
                said_after=after.text(row),
                forms=forms.get(row, ()),
            )
            for row, question in enumerate(self.asked)
        )

    def _verdict(self, row: int, sat: Sat) -> Verdict:
        """One question judged against its right answer."""
        judged, answer = sat.forced.get(row), sat.said.get(row)
        accepted = self.asked[row].accepted
        return Verdict(
            strict=judged.right if judged else None,
            token=judged.share if judged else None,
            generated=_is_one_of(answer.text, accepted) if answer and accepted else None,
        )


def exam_of(model: LanguageModel, asked: list[Asked], chosen: set[int]) -> Exam:
    """An exam for a model.

    Args:
        model: what will be asked.
        asked: the questions; those of the facts' own prompts first, each with an answer.
        chosen: the facts for whose questions answers are written.
    """
    judged = [row for row, question in enumerate(asked) if question.wanted]
    texts = tokenize(
        model.tokenizer,
        [asked[row].prompt for row in judged],
        [asked[row].wanted for row in judged],
    )
    if model.longest is not None:
        fits = [text.length <= model.longest for text in texts]
        judged = [row for row, fit in zip(judged, fits, strict=True) if fit]
        texts = [text for text, fit in zip(texts, fits, strict=True) if fit]
    written = [row for row, question in enumerate(asked) if question.fact in chosen]
    return Exam(model, asked, judged, written, TokenTable(texts, model.device))


def _units(work: Generator[int, None, Result], each: int) -> Units[Result]:
    """Work that says how many texts are done so far, as work that says what was just done.

    Args:
        work: yields texts done.
        each: units of one text.
    """
    before = 0

    def added(done: int) -> int:
        nonlocal before
        new, before = done - before, done
        return each * new

    return mapped(work, added)


def _is_one_of(said: str, accepted: Sequence[str]) -> bool:
    return plain_answer(said) in {plain_answer(answer) for answer in accepted}


def _same(one: str, other: str) -> bool:
    return plain_answer(one) == plain_answer(other)
