"""Did the edit work: reliability, generalization, locality and portability, before and after.

Every number's name ends in the protocol by which it was measured, because protocols are not
interchangeable: ``strict`` is teacher-forced (every target token and the EOS is the argmax),
``generated`` is greedy generation of at most 32 tokens, cut at ".", newline or EOS, compared by
normalised exact match (arXiv 2509.22072) with the target and its aliases, ``token`` is the share
of target tokens that are the argmax.

Reliability asks the prompt, generalization the rephrases, portability what follows from the fact.
Papers differ in what locality is, so it stands twice: ``locality`` is the share of locality
prompts whose answer is what it was before the edit, right or wrong; ``locality_right`` the share
whose answer is the stated one. ``locality_first`` needs no answer: it is the share whose likeliest
first token is what it was.

Each but the first stands also for the forms in which people ask, as in ``reliability_chat_strict``;
without a form's name the prompt is asked as it is. Answers are written to raw prompts alone.
"""

import random
from collections.abc import Callable, Generator, Mapping, Sequence

from workbench.facts.fact import Fact
from workbench.facts.forms import AskedForm
from workbench.measure.evaluation import Evaluation
from workbench.measure.evaluation_settings import ALL_UP_TO, DRAWN
from workbench.measure.exam import PASS, Sat, exam_of
from workbench.measure.forms import FormTexts, asked_forms, comparing_forms
from workbench.measure.groups import answer_lengths, prompt_patterns
from workbench.measure.plain_text import plain_texts, reading
from workbench.measure.questions import questions_of
from workbench.measure.text_loss import TextLoss
from workbench.measure.verdicts import Verdict
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.stream import LayerStream
from workbench.work.events import Progress, follow, mapped
from workbench.work.stop import Stop

__all__ = ["Evaluation", "Examiner", "evaluate", "evaluating"]

OnProgress = Callable[[int, int], None]


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
        forms: in which forms questions are asked besides raw; none are all that the model knows.
            Of very many facts some are asked so, drawn by the seed.

    Raises:
        FactsError: no facts, or one is too long for the model.
        ModelError: chat is named, and the model cannot be asked so.
    """

    def __init__(
        self,
        model: LanguageModel,
        facts: Sequence[Fact],
        *,
        written: int | None = None,
        seed: int = 0,
        labels: Mapping[str, Sequence[str | None]] | None = None,
        forms: Sequence[AskedForm] = (),
    ) -> None:
        self._forms = asked_forms(model, forms)
        asked, self._left_out = questions_of(model, facts)
        self._chosen = _draw(len(facts), written, seed)
        self._exam = exam_of(model, asked, self._chosen)
        answers = [fact.target_new for fact in facts]
        self._formed = _draw(len(facts), DRAWN if len(facts) > ALL_UP_TO else None, seed)
        self._form_texts = FormTexts.of(model, asked, self._forms, answers, self._formed)
        self._plain = plain_texts(model, facts)
        self._facts, self._seed = len(facts), seed
        lengths = [len(text.target) - 1 for text in self._exam.texts.texts[: len(facts)]]
        self._labels: dict[str, Sequence[str | None]] = {
            "pattern": prompt_patterns(facts),
            "answer length": answer_lengths(lengths),
            **(labels or {}),
        }
        self._base: Sat | None = None

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
        return follow(self.examining(patch), _telling(on_progress))

    def examining(
        self, patch: Patch | None = None, *, stop: Stop | None = None
    ) -> Generator[Progress, None, Evaluation]:
        """`evaluate` in steps: says how far it is, and returns what was measured.

        Args:
            patch: the edit; None measures the base alone.
            stop: the wish to end it.

        Raises:
            Cancelled: somebody wanted it to end.
            PatchError: the patch belongs to another base.
        """
        exam, model = self._exam, self._exam.model
        if patch is not None:
            patch.check(model)
        # Kept states pay when two states of the model go on from them.
        keep = patch is not None and self._base is None and model.states_kept
        layer = patch.lowest_layer if patch is not None and keep else 0
        sittings = (self._base is None) + (patch is not None)
        total = exam.sitting_units * sittings + (layer > 0) * exam.keeping_units
        total += PASS * (len(self._form_texts) + (len(self._plain) if self._plain else 0))
        tell = _Tally(total, f"Evaluating on {self._facts} facts", stop, model.stream)
        after, stayed = Sat(), dict[int, Verdict]()
        try:
            if layer:
                yield from mapped(exam.keeping_states(layer), tell)
            if self._base is None:
                self._base = yield from mapped(exam.sitting(stop), tell)
            if patch is not None:
                with patch.applied(model):
                    after = yield from mapped(exam.sitting(stop), tell)
                    stayed = yield from mapped(exam.comparing(self._base, after), tell)
        finally:
            # Another patch may change a layer below that of these states.
            exam.states = None
        forms = yield from mapped(comparing_forms(self._form_texts, exam.asked, patch, stop), tell)
        loss = TextLoss()
        if self._plain is not None:
            loss = yield from mapped(reading(model, self._plain, patch, stop), tell)
        return Evaluation(
            facts=self._facts,
            rows=exam.rows(self._base, after, stayed, forms),
            edited=patch is not None,
            written=len(self._chosen),
            seed=self._seed,
            left_out=self._left_out,
            unended=(self._base.unended, after.unended),
            labels=self._labels,
            forms=self._forms,
            formed=len(self._formed),
            text=loss,
        )


class _Tally:
    """Adds up the units of work that are done; ends the work when somebody wants that."""

    def __init__(
        self, total: int, line: str, stop: Stop | None, stream: LayerStream | None
    ) -> None:
        self._done, self._total, self._line, self._stop = 0, total, line, stop
        self._stream = stream

    def __call__(self, units: int) -> Progress:
        if self._stop is not None:
            self._stop.check()
        self._done += units
        way = self._stream.on_way if self._stream is not None else ""
        return Progress(self._done, self._total, f"{self._line}, {way}" if way else self._line)


def evaluate(
    model: LanguageModel,
    facts: Sequence[Fact],
    patch: Patch | None = None,
    *,
    written: int | None = None,
    seed: int = 0,
    labels: Mapping[str, Sequence[str | None]] | None = None,
    forms: Sequence[AskedForm] = (),
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Measures the base on facts, and the edited model where there is a patch.

    Args:
        model, facts, written, seed, labels, forms: see `Examiner`.
        patch: the edit; None measures the base alone.
        on_progress: called with work done and work in all; what it raises ends the evaluation.

    Raises:
        FactsError, ModelError: see `Examiner`.
        PatchError: the patch belongs to another base.
    """
    work = evaluating(model, facts, patch, written=written, seed=seed, labels=labels, forms=forms)
    return follow(work, _telling(on_progress))


def evaluating(
    model: LanguageModel,
    facts: Sequence[Fact],
    patch: Patch | None = None,
    *,
    written: int | None = None,
    seed: int = 0,
    labels: Mapping[str, Sequence[str | None]] | None = None,
    forms: Sequence[AskedForm] = (),
    stop: Stop | None = None,
) -> Generator[Progress, None, Evaluation]:
    """`evaluate` in steps: says how far it is, and returns what was measured.

    Args:
        model, facts, written, seed, labels, forms: see `Examiner`.
        patch: the edit; None measures the base alone.
        stop: the wish to end it.

    Raises:
        Cancelled: somebody wanted it to end.
        FactsError, ModelError, PatchError: see `evaluate`.
    """
    if patch is not None:
        patch.check(model)
    examiner = Examiner(model, facts, written=written, seed=seed, labels=labels, forms=forms)
    return (yield from examiner.examining(patch, stop=stop))


def _telling(on_progress: OnProgress | None) -> Callable[[Progress], None]:
    """What tells a function of two numbers how far work is."""

    def tell(progress: Progress) -> None:
        if on_progress is not None:
            on_progress(int(progress.done), int(progress.total))

    return tell


def _draw(facts: int, written: int | None, seed: int) -> set[int]:
    """The facts for which answers are written."""
    if written is None or written >= facts:
        return set(range(facts))
    return set(random.Random(seed).sample(range(facts), written))
