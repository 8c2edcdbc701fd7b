"""The questions that stress an edit, put to one state of a model after another.

What is written is judged by containment here, and by a judge later, so that no second model is
asked while weights are swapped in. Everything that takes long yields units of work. Knows nothing
about patches: the model is asked as it is.
"""

from collections.abc import Generator, Mapping, Sequence

import numpy as np

from workbench.facts.fact import Fact
from workbench.facts.forms import as_question
from workbench.measure.contained import contains_any
from workbench.measure.stress_questions import StressQuestion, stress_questions
from workbench.measure.stress_result import Reply
from workbench.measure.stress_settings import StressSettings
from workbench.model.forms import SYSTEM, system_prompts
from workbench.model.generate import chat_tokens, generate
from workbench.model.language_model import LanguageModel
from workbench.model.likelihood import Likelihood, answer_texts, likelihoods, question_form
from workbench.model.tokens import TokenizedText, prompt_tokens
from workbench.work.events import mapped
from workbench.work.stop import Stop

__all__ = ["StressExam", "yes_or_no", "yes_over_no"]

YES, NO = ("Yes", "yes"), ("No", "no")
WRITE = 6  # units of work of a written answer; one text that is only read is 1
WRITTEN_AT_ONCE = 64

Scores = Mapping[TokenizedText, Likelihood]


def yes_or_no(model: LanguageModel, question: str) -> list[TokenizedText]:
    """A question with each way to say yes and no; see `yes_over_no`."""
    words = (*YES, *NO)
    return answer_texts(model, [question] * len(words), words)


def yes_over_no(found: Sequence[Likelihood]) -> float:
    """How much likelier yes is than no, in nats, from the texts of `yes_or_no` in their order."""
    totals = [one.total for one in found]
    yes, no = totals[: len(YES)], totals[len(YES) :]
    return float(np.logaddexp.reduce(yes) - np.logaddexp.reduce(no))


class StressExam:
    """The questions, tokenized once, for any state of one model.

    Args:
        model: what is asked.
        facts: about what.
        settings: which probes, and how long a written answer may be.
    """

    def __init__(
        self, model: LanguageModel, facts: Sequence[Fact], settings: StressSettings
    ) -> None:
        self._model, self._settings = model, settings
        self.chat = question_form(model) == "chat"
        """Whether questions go through a chat template."""
        takes = self.chat and SYSTEM in system_prompts(model.tokenizer, "chat")
        asked = [one for one in stress_questions(facts, settings) if takes or not one.system]
        fitting = [(one, texts) for one in asked if self._fits(texts := self._tokenized(one))]
        self.questions = [one for one, _ in fitting]
        """What is asked; `sitting` answers in this order."""
        self._texts = [texts for _, texts in fitting]
        self._written = [row for row, one in enumerate(self.questions) if one.how == "written"]
        self._read = [row for row, one in enumerate(self.questions) if one.how != "written"]
        # Two rows may read the same text, which the model is then given once.
        self._unique = list(dict.fromkeys(text for row in self._read for text in self._texts[row]))
        self.left_out = len(asked) - len(fitting)
        """How many questions are too long for the model."""

    def _tokenized(self, question: StressQuestion) -> list[TokenizedText]:
        """What the model reads of a question: with each choice, or alone where it writes."""
        model = self._model
        if question.how == "belief":
            return yes_or_no(model, question.asked)
        if question.how == "contrast":
            return [text for said in question.options for text in yes_or_no(model, said)]
        if question.how == "chosen":
            asked = [question.asked] * len(question.options)
            return answer_texts(model, asked, question.options)
        if question.framed and self.chat:
            (ids,) = chat_tokens(model, [question.asked], SYSTEM if question.system else "")
        else:
            (ids,) = prompt_tokens(model.tokenizer, [self._raw(question)])
        return [TokenizedText(ids, ids[-1:])]

    def _raw(self, question: StressQuestion) -> str:
        return as_question(question.asked) if question.framed else question.asked

    def _fits(self, texts: list[TokenizedText]) -> bool:
        longest = self._model.longest
        return longest is None or max(text.length for text in texts) < longest

    @property
    def units(self) -> int:
        """How many units of work one `sitting` is."""
        return WRITE * len(self._written) + len(self._unique)

    def sitting(self, stop: Stop) -> Generator[int, None, list[Reply]]:
        """Puts every question to the model as it is now; yields units of work.

        Args:
            stop: the wish to end it, asked before every token that is written.

        Returns:
            A reply to each question.

        Raises:
            Cancelled: somebody wanted it to end.
        """
        found: dict[int, Reply] = {}
        done = 0

        def tell(now: int) -> int:
            nonlocal done
            stop.check()
            step, done = now - done, now
            return step

        said = yield from mapped(likelihoods(self._model, self._unique), tell)
        scores = dict(zip(self._unique, said, strict=True))
        found.update((row, self._judged(row, scores)) for row in self._read)
        for rows in self._batches():
            found.update(zip(rows, self._write(rows, stop), strict=True))
            yield WRITE * len(rows)
        return [found[row] for row in range(len(self.questions))]

    def _judged(self, row: int, scores: Scores) -> Reply:
        """What one state chose, or holds for true."""
        question, own = self.questions[row], [scores[text] for text in self._texts[row]]
        if question.how == "chosen":
            best = max(range(len(own)), key=lambda place: own[place].mean)
            return Reply(best == question.counted, question.options[best], "likelihood")
        if question.how == "contrast":
            half = len(own) // 2
            new, old = yes_over_no(own[:half]), yes_over_no(own[half:])
            return Reply(new > old, f"yes over no {new:+.2f}, of the old {old:+.2f}", "likelihood")
        said = "yes" if yes_over_no(own) > 0 else "no"
        return Reply(said == question.wanted, said, "likelihood")

    def _batches(self) -> list[list[int]]:
        """The questions to be answered in writing; those of one batch stand in one frame."""
        frames: dict[tuple[bool, bool], list[int]] = {}
        for row in self._written:
            one = self.questions[row]
            frames.setdefault((one.framed and self.chat, one.system), []).append(row)
        found = []
        for frame in sorted(frames):
            rows = sorted(frames[frame], key=lambda row: len(self._texts[row][0].prompt))
            found += [
                rows[start : start + WRITTEN_AT_ONCE]
                for start in range(0, len(rows), WRITTEN_AT_ONCE)
            ]
        return found

    def _write(self, rows: Sequence[int], stop: Stop) -> list[Reply]:
        asked = [self.questions[row] for row in rows]
        chat = asked[0].framed and self.chat
        answers = generate(
            self._model,
            [one.asked if chat else self._raw(one) for one in asked],
            chat=chat,
            max_new_tokens=self._settings.max_new_tokens,
            top_k=1,
            cancel=stop,
            system=SYSTEM if asked[0].system else "",
        )
        return [
            Reply(contains_any(said.text, one.accepted), said.text, "containment", said.ended)
            for one, said in zip(asked, answers, strict=True)
        ]
