"""Did the edit work: reliability, generalization, locality and portability, before and after.

Every number's name ends in the protocol by which it was measured, because protocols are not
interchangeable: ``strict`` is teacher-forced (every target token and the EOS is the argmax),
``generated`` is greedy generation of at most 32 tokens, cut at ".", newline or EOS, compared by
normalised exact match (arXiv 2509.22072) with the target and its aliases, ``token`` is the share
of target tokens that are the argmax.

Reliability asks the prompt, generalization the rephrases, portability what follows from the fact.
Papers differ in what locality is, so it stands twice: ``locality`` is the share of locality
prompts whose answer is what it was before the edit, right or wrong; ``locality_right`` the share
whose answer is the stated one.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.facts.answers import plain_answer
from workbench.facts.fact import Fact
from workbench.measure.evaluation import Evaluation
from workbench.measure.groups import answer_lengths, prompt_patterns
from workbench.measure.questions import ANSWER_TOKENS, Asked, questions_of
from workbench.measure.strict import Forced, forced_texts
from workbench.measure.verdicts import QuestionVerdicts, Verdict
from workbench.model.generate import Answer, generate
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.states import HiddenStates, advancing
from workbench.model.tokens import TokenizedText, TokenTable, prompt_tokens, tokenize

__all__ = ["Evaluation", "Examiner", "evaluate"]

# Work units of one question: a pass over the kept states, and writing an answer.
PASS, WRITE = 1, 6
WRITTEN_AT_ONCE = 256

OnProgress = Callable[[int, int], None]


class _Steps:
    """Adds up the work that is done."""

    def __init__(self, on_progress: OnProgress | None, total: int) -> None:
        self.total, self._done, self._tell = total, 0, on_progress

    def __call__(self, units: int) -> None:
        self._done += units
        if self._tell is not None:
            self._tell(self._done, self.total)


@dataclass(frozen=True)
class _Sat:
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
class _Exam:
    """The questions of an evaluation, tokenized, and what is known below the edit."""

    model: LanguageModel
    asked: list[Asked]
    judged: list[int]
    written: list[int]
    texts: TokenTable
    step: _Steps = field(default_factory=lambda: _Steps(None, 0))
    states: HiddenStates | None = None

    def keep_states(self, layer: int) -> None:
        """Computes once what enters the lowest layer that the edit changes."""
        done = 0
        steps = advancing(self.model, self.texts, None, layer)
        while True:
            try:
                now = next(steps)
            except StopIteration as end:
                self.states = end.value
                return
            self.step(PASS * (now - done))
            done = now

    def sit(self) -> _Sat:
        """Puts every question to the model as it is now."""
        return _Sat(self._force(), self._write())

    def _force(self) -> dict[int, Forced]:
        """Every question with a stated answer, judged teacher-forced."""
        found = forced_texts(
            self.model, self.texts, self.states, lambda count: self.step(PASS * count)
        )
        return dict(zip(self.judged, found, strict=True))

    def _write(self) -> dict[int, Answer]:
        """The answers to the questions that are to be written."""
        answers: dict[int, Answer] = {}
        order = sorted(self.written, key=lambda row: len(self.asked[row].prompt))
        for start in range(0, len(order), WRITTEN_AT_ONCE):
            rows = order[start : start + WRITTEN_AT_ONCE]
            prompts = [self.asked[row].prompt for row in rows]
            found = generate(
                self.model, prompts, max_new_tokens=ANSWER_TOKENS, stop="sentence", top_k=1
            )
            answers.update(zip(rows, found, strict=True))
            self.step(WRITE * len(rows))
        return answers

    def _verdict(self, row: int, sat: _Sat) -> Verdict:
        """One question judged against its right answer."""
        judged, answer = sat.forced.get(row), sat.said.get(row)
        accepted = self.asked[row].accepted
        return Verdict(
            strict=judged.right if judged else None,
            token=judged.share if judged else None,
            generated=_is_one_of(answer.text, accepted) if answer and accepted else None,
        )

    def stayed(self, before: _Sat, after: _Sat) -> dict[int, Verdict]:
        """Locality prompts against what the base said, by the edited model that is applied now."""
        said = before.said
        rows = [row for row in sorted(said) if self.asked[row].role == "locality"]
        if not rows:
            return {}
        prompts = prompt_tokens(self.model.tokenizer, [self.asked[row].prompt for row in rows])
        texts = [
            TokenizedText(ids, said[row].tokens) for row, ids in zip(rows, prompts, strict=True)
        ]
        found = forced_texts(self.model, TokenTable(texts, self.model.device))
        return {
            row: Verdict(judged.right, judged.share, _same(said[row].text, after.said[row].text))
            for row, judged in zip(rows, found, strict=True)
        }

    def rows(
        self, before: _Sat, after: _Sat, stayed: Mapping[int, Verdict]
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
            )
            for row, question in enumerate(self.asked)
        )


class Examiner:
    """Puts the same questions to a base and to any edits of it; the base is asked once.

    Args:
        model: the base; it stays as it is.
        facts: what is asked, with their rephrases, locality and portability prompts.
        written: for how many facts, drawn by the seed, answers are written for the generated
            protocol, and locality compared with what was said before; None for all, 0 for none.
            The strict and token protocols always judge every fact.
        seed: draws those facts, and the resamples of the intervals.
        labels: further ways to group the facts, each with a label for every fact.

    Raises:
        FactsError: no facts, or one is too long for the model.
    """

    def __init__(
        self,
        model: LanguageModel,
        facts: Sequence[Fact],
        *,
        written: int | None = None,
        seed: int = 0,
        labels: Mapping[str, Sequence[str | None]] | None = None,
    ) -> None:
        asked, self._left_out = questions_of(model, facts)
        self._chosen = _draw(len(facts), written, seed)
        self._exam = _exam(model, asked, self._chosen)
        self._facts, self._seed = len(facts), seed
        lengths = [len(text.target) - 1 for text in self._exam.texts.texts[: len(facts)]]
        self._labels: dict[str, Sequence[str | None]] = {
            "pattern": prompt_patterns(facts),
            "answer length": answer_lengths(lengths),
            **(labels or {}),
        }
        self._base: _Sat | None = None

    def evaluate(
        self, patch: Patch | None = None, *, on_progress: OnProgress | None = None
    ) -> Evaluation:
        """Measures the base, and the edited model where there is a patch.

        Args:
            patch: the edit; None measures the base alone.
            on_progress: called with work done and work in all; what it raises ends the work.

        Raises:
            PatchError: the patch belongs to another base.
        """
        exam, model = self._exam, self._exam.model
        if patch is not None:
            patch.check(model)
        # Kept states pay when two states of the model go on from them.
        keep = patch is not None and self._base is None and model.states_kept
        layer = patch.lowest_layer if patch is not None and keep else 0
        sittings = (self._base is None) + (patch is not None)
        passes = PASS * len(exam.judged) + WRITE * len(exam.written)
        exam.step = _Steps(on_progress, passes * sittings + (layer > 0) * PASS * len(exam.judged))
        if layer:
            exam.keep_states(layer)
        if self._base is None:
            self._base = exam.sit()
        after, stayed = _Sat(), dict[int, Verdict]()
        if patch is not None:
            with patch.applied(model):
                after = exam.sit()
                stayed = exam.stayed(self._base, after)
        exam.states = None
        return Evaluation(
            facts=self._facts,
            rows=exam.rows(self._base, after, stayed),
            edited=patch is not None,
            written=len(self._chosen),
            seed=self._seed,
            left_out=self._left_out,
            unended=(self._base.unended, after.unended),
            labels=self._labels,
        )


def evaluate(
    model: LanguageModel,
    facts: Sequence[Fact],
    patch: Patch | None = None,
    *,
    written: int | None = None,
    seed: int = 0,
    labels: Mapping[str, Sequence[str | None]] | None = None,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Measures the base on facts, and the edited model where there is a patch.

    Args:
        model, facts, written, seed, labels: see `Examiner`.
        patch: the edit; None measures the base alone.
        on_progress: called with work done and work in all; what it raises ends the evaluation.

    Raises:
        FactsError: no facts, or one is too long for the model.
        PatchError: the patch belongs to another base.
    """
    if patch is not None:
        patch.check(model)
    examiner = Examiner(model, facts, written=written, seed=seed, labels=labels)
    return examiner.evaluate(patch, on_progress=on_progress)


def _draw(facts: int, written: int | None, seed: int) -> set[int]:
    """The facts for which answers are written."""
    if written is None or written >= facts:
        return set(range(facts))
    return set(random.Random(seed).sample(range(facts), written))


def _exam(model: LanguageModel, asked: list[Asked], chosen: set[int]) -> _Exam:
    # A fact's own prompts come first and always have an answer, so that their texts come first.
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
    return _Exam(model, asked, judged, written, TokenTable(texts, model.device))


def _is_one_of(said: str, accepted: Sequence[str]) -> bool:
    return plain_answer(said) in {plain_answer(answer) for answer in accepted}


def _same(one: str, other: str) -> bool:
    return plain_answer(one) == plain_answer(other)
