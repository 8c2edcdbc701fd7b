"""Stressing an edit from beginning to end: before, after, and after unrelated fine-tuning.

Invariant: the model is its untouched base before, after, and whenever a judge is asked. Knows
nothing about files or tables.
"""

import random
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from workbench.errors import FactsError, ModelError
from workbench.facts.fact import Fact
from workbench.measure.judge import PROMPT, Judge, find_judge
from workbench.measure.stress_exam import StressExam
from workbench.measure.stress_questions import StressQuestion
from workbench.measure.stress_result import (
    SIDES,
    FineTuned,
    JudgeRecord,
    Reply,
    Side,
    Stress,
    StressAnswer,
)
from workbench.measure.stress_settings import StressSettings
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.search.unrelated import fine_tuning
from workbench.work.events import Progress, Work, mapped
from workbench.work.stop import Stop

__all__ = ["stressing"]

STEP = 4  # units of work of a step of fine-tuning

Replies = dict[Side, list[Reply]]
Units = Generator[Progress, None, None]


def stressing(
    model: LanguageModel,
    facts: Sequence[Fact],
    patch: Patch | None,
    settings: StressSettings,
    *,
    stop: Stop | None = None,
    judge: Judge | None = None,
) -> Work[Stress]:
    """Stresses a model, or an edit of it; says how far it is, and returns what came of it.

    Args:
        model: the base; it stays as it is.
        facts: what is asked.
        patch: the edit; None asks the base alone.
        settings: what is asked, and who judges.
        stop: the wish to end it.
        judge: who judges in place of the one that the settings name.

    Raises:
        Cancelled: somebody wanted it to end.
        FactsError: there are no facts.
        PatchError: the patch belongs to another base.
        WorkbenchError: it cannot be asked; the message says why. A judge that cannot be asked ends
            nothing: the record says so.
    """
    began, stop = time.monotonic(), stop or Stop()
    if not facts:
        raise FactsError("There are no facts to ask about. Name a file with facts.")
    if patch is not None:
        patch.check(model)
    judge = judge or find_judge(settings, model)
    drawn = _drawn(len(facts), settings)
    exam = StressExam(model, [facts[row] for row in drawn], settings)
    work = _Stressing(model, exam, patch, settings, stop)
    yield from work.asking(facts)
    verdict = None
    if judge is not None:
        verdict = yield from work.judging(judge)
    return Stress(
        model=model.name,
        facts=len(drawn),
        of=len(facts),
        edited=patch is not None,
        chat=exam.chat,
        answers=_answers(exam, work.replies),
        judge=verdict,
        fine_tuned=work.fine_tuned,
        settings=settings.as_dict(),
        left_out=exam.left_out,
        seconds=time.monotonic() - began,
    )


def _answers(exam: StressExam, replies: Replies) -> tuple[StressAnswer, ...]:
    """Every question with what each side said."""
    return tuple(
        StressAnswer(
            question.fact,
            question.row,
            question.asked,
            question.wanted,
            **{side: said[row] for side, said in replies.items()},
        )
        for row, question in enumerate(exam.questions)
    )


def _drawn(facts: int, settings: StressSettings) -> list[int]:
    """The facts that are asked, in their order."""
    count = settings.facts_of(facts)
    return sorted(random.Random(f"stress {settings.seed}").sample(range(facts), count))


class _Stressing:
    """One stress, state by state.

    Args:
        model: the base.
        exam: the questions.
        patch: the edit; None for none.
        settings: how many steps of fine-tuning.
        stop: the wish to end it.
    """

    def __init__(
        self,
        model: LanguageModel,
        exam: StressExam,
        patch: Patch | None,
        settings: StressSettings,
        stop: Stop,
    ) -> None:
        self._model, self._exam, self._patch = model, exam, patch
        self._settings, self._stop = settings, stop
        self.replies: Replies = {}
        """By state, a reply to each question."""
        self.fine_tuned: FineTuned | None = None
        """What was done before `later`."""
        # What stands before prompts changes no place that other training could undo.
        weights = patch is not None and patch.context is None
        self._lasts = weights and settings.lasting_steps > 0
        states = 1 + (patch is not None) + self._lasts
        self._total = states * exam.units + STEP * settings.lasting_steps * self._lasts
        self._done = 0

    def asking(self, facts: Sequence[Fact]) -> Units:
        """Puts the questions to each state of the model in turn."""
        yield from self._sit("before", "Asking the base")
        if self._patch is None:
            return
        with self._patch.applied(self._model):
            yield from self._sit("after", "Asking the edited model")
        if not self._lasts:
            return
        tuning = fine_tuning(self._model, self._patch, facts, self._settings, self._stop)
        tell = self._telling("Fine-tuning on unrelated text", STEP)
        weights, self.fine_tuned = yield from mapped(tuning, tell)
        self._done += STEP * self._settings.lasting_steps
        with weights.applied():
            yield from self._sit("later", "Asking after fine-tuning")

    def _sit(self, side: Side, line: str) -> Units:
        self._stop.check()

        def tell(units: int) -> Progress:
            self._done += units
            return Progress(self._done, self._total, line)

        self.replies[side] = yield from mapped(self._exam.sitting(self._stop), tell)

    def _telling(self, line: str, units: int) -> Callable[[int], Progress]:
        """What says how far a part is that counts from 0."""
        return lambda done: Progress(self._done + units * done, self._total, line)

    def judging(self, judge: Judge) -> Generator[Progress, None, JudgeRecord]:
        """Asks a judge about what containment does not decide; each case once."""
        cases: dict[tuple[str, str, str], list[tuple[Side, int]]] = {}
        for side in SIDES:
            for row, reply in enumerate(self.replies.get(side, ())):
                if reply.by == "containment" and not reply.right:
                    case = _case(self._exam.questions[row], reply)
                    cases.setdefault(case, []).append((side, row))
        record = JudgeRecord(judge.name, judge.url, PROMPT)
        total = max(1, len(cases))
        line = f"Asking the judge about {len(cases):,} answers"
        yield Progress(0, total, line)
        work = judge.judging(list(cases), self._stop)
        try:
            verdicts = yield from mapped(work, lambda done: Progress(done, total, line))
        except ModelError as error:
            return replace(record, problem=str(error))
        for verdict, places in zip(verdicts, cases.values(), strict=True):
            for side, row in places:
                reply = self.replies[side][row]
                self.replies[side][row] = replace(reply, right=bool(verdict), by="judge")
        return replace(
            record,
            asked=len(cases),
            accepted=verdicts.count(True),
            unclear=verdicts.count(None),
        )


def _case(question: StressQuestion, reply: Reply) -> tuple[str, str, str]:
    """A question, its right answer and what was said, as a judge reads them."""
    return question.asked, " or ".join(question.accepted), reply.said
