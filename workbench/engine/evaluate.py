"""Did the edit work: reliability, generalization and locality, before and after.

Every number's name ends in the protocol by which it was measured, because protocols are not
interchangeable: ``strict`` is teacher-forced (every target token and the EOS is the argmax),
``generated`` is greedy generation of at most 32 tokens, cut at ".", newline or EOS, compared by
normalised exact match (arXiv 2509.22072) with the target and its aliases.

Reliability asks the prompt, generalization the rephrases; locality is the share of locality
prompts whose answer is what it was before the edit, right or wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.engine.generate import Answer, generate
from workbench.engine.language_model import LanguageModel
from workbench.engine.patch import Patch
from workbench.engine.states import HiddenStates, advance
from workbench.engine.strict import strict_matches
from workbench.engine.tokens import (
    TokenizedText,
    TokenTable,
    prompt_tokens,
    tokenize,
    tokenize_facts,
)
from workbench.facts.answers import plain_answer
from workbench.facts.fact import Fact

__all__ = ["Evaluation", "Verdicts", "evaluate"]

ANSWER_TOKENS = 32
STEPS = 6


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Right or wrong, question by question, for one state of the model.

    Args:
        reliability_strict: one for each fact.
        reliability_generated: one for each fact.
        generalization_strict: one for each rephrase, fact after fact.
        generalization_generated: likewise.
        locality_strict: one for each locality prompt, fact after fact; empty before the edit.
        locality_generated: likewise.
        answers: the generated answer to each fact's prompt.
    """

    reliability_strict: tuple[bool, ...]
    reliability_generated: tuple[bool, ...]
    generalization_strict: tuple[bool, ...]
    generalization_generated: tuple[bool, ...]
    locality_strict: tuple[bool, ...]
    locality_generated: tuple[bool, ...]
    answers: tuple[str, ...]

    def metrics(self) -> dict[str, float | None]:
        """The share that is right of each measure; None where there was nothing to ask."""
        measures = [name for name in self.__slots__ if name != "answers"]
        return {name: _share(getattr(self, name)) for name in measures}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation of the base, and of the edited model where there is a patch.

    Args:
        facts: how many facts were asked.
        rephrase_prompts: how many rephrases they bring.
        locality_prompts: how many locality prompts they bring.
        before: the base's verdicts.
        after: the edited model's verdicts, or None.
    """

    facts: int
    rephrase_prompts: int
    locality_prompts: int
    before: Verdicts
    after: Verdicts | None

    def as_dict(self) -> dict[str, Any]:
        """The metrics as JSON-ready data; locality stands only after an edit."""
        before = {k: v for k, v in self.before.metrics().items() if not k.startswith("locality")}
        return {
            "before": before,
            "after": self.after.metrics() if self.after else None,
            "counts": {
                "facts": self.facts,
                "rephrase_prompts": self.rephrase_prompts,
                "locality_prompts": self.locality_prompts,
            },
        }


def _share(verdicts: tuple[bool, ...]) -> float | None:
    return sum(verdicts) / len(verdicts) if verdicts else None


@dataclass(frozen=True)
class _Exam:
    """The questions of an evaluation: prompts, then rephrases, each with its right answers."""

    model: LanguageModel
    texts: TokenTable
    questions: tuple[str, ...]
    accepted: tuple[frozenset[str], ...]
    facts: int
    locality: tuple[str, ...]
    states: HiddenStates | None

    def sit(self, step: Callable[[], None]) -> tuple[list[bool], list[bool], list[Answer]]:
        """Strict and generated verdicts on every question, and the generated answers."""
        strict = strict_matches(self.model, self.texts, self.states)
        step()
        answers = self.ask(self.questions)
        step()
        right = [
            plain_answer(answer.text) in wanted
            for answer, wanted in zip(answers, self.accepted, strict=True)
        ]
        return strict, right, answers

    def ask(self, prompts: Sequence[str]) -> list[Answer]:
        return generate(self.model, prompts, max_new_tokens=ANSWER_TOKENS, stop="sentence")

    def verdicts(
        self,
        sat: tuple[list[bool], list[bool], list[Answer]],
        locality_strict: list[bool],
        locality_generated: list[bool],
    ) -> Verdicts:
        strict, generated, answers = sat
        n = self.facts
        return Verdicts(
            tuple(strict[:n]),
            tuple(generated[:n]),
            tuple(strict[n:]),
            tuple(generated[n:]),
            tuple(locality_strict),
            tuple(locality_generated),
            tuple(answer.text for answer in answers[:n]),
        )


def evaluate(
    model: LanguageModel,
    facts: Sequence[Fact],
    patch: Patch | None = None,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measures the base on facts, and the edited model where there is a patch.

    Args:
        model: the base; it stays as it is.
        facts: what is asked, with their rephrases and locality prompts.
        patch: the edit; None measures the base alone.
        on_progress: called with steps done and steps in all.

    Raises:
        FactsError: no facts, or one is too long for the model.
        PatchError: the patch belongs to another base.
    """
    done = 0
    total = STEPS if patch is not None else 2

    def step() -> None:
        nonlocal done
        done += 1
        if on_progress is not None:
            on_progress(done, total)

    if patch is not None:
        patch.check(model)
    exam = _exam(model, facts, patch)
    rephrases = len(exam.questions) - exam.facts
    before = exam.verdicts(exam.sit(step), [], [])
    after = None
    if patch is not None:
        local_before = exam.ask(exam.locality)
        step()
        with patch.applied(model):
            sat = exam.sit(step)
            local_after = exam.ask(exam.locality)
            unchanged = _strictly_unchanged(model, exam.locality, local_before)
            step()
        same = [
            plain_answer(a.text) == plain_answer(b.text)
            for a, b in zip(local_before, local_after, strict=True)
        ]
        after = exam.verdicts(sat, unchanged, same)
    return Evaluation(exam.facts, rephrases, len(exam.locality), before, after)


def _exam(model: LanguageModel, facts: Sequence[Fact], patch: Patch | None) -> _Exam:
    tokenize_facts(model.tokenizer, facts, model.longest)
    asked = [(fact.prompt, fact) for fact in facts]
    asked += [(prompt, fact) for fact in facts for prompt in fact.rephrase_prompts]
    questions = tuple(prompt for prompt, _ in asked)
    tokenized = tokenize(model.tokenizer, questions, [fact.target_new for _, fact in asked])
    accepted = tuple(frozenset(map(plain_answer, fact.accepted)) for _, fact in asked)
    texts = TokenTable(tokenized, model.device)
    states = None
    if patch is not None and model.states_kept and patch.lowest_layer > 0:
        states = advance(model, texts, None, patch.lowest_layer)
    locality = tuple(q.prompt for fact in facts for q in fact.locality_prompts)
    return _Exam(model, texts, questions, accepted, len(facts), locality, states)


def _strictly_unchanged(
    model: LanguageModel, prompts: Sequence[str], before: Sequence[Answer]
) -> list[bool]:
    """Whether every token of each answer from before is still the argmax."""
    asked = prompt_tokens(model.tokenizer, prompts)
    texts = [TokenizedText(ids, answer.tokens) for ids, answer in zip(asked, before, strict=True)]
    return strict_matches(model, TokenTable(texts, model.device)) if texts else []
