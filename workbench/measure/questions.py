"""The questions that facts bring: prompts, rephrases, locality and portability prompts.

All stand in one list, fact after fact within a role, so that one pass judges them together.
Knows nothing about edits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.errors import ModelError
from workbench.facts.fact import Fact
from workbench.measure.verdicts import Role
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import prompt_tokens, tokenize_facts

__all__ = ["ANSWER_TOKENS", "Asked", "questions_of"]

ANSWER_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a fact.

    Args:
        fact: its place among the facts.
        role: what it is to the fact.
        prompt: the text.
        wanted: the right answer; empty when nobody stated it.
        accepted: every answer that the generated protocol takes for right.
    """

    fact: int
    role: Role
    prompt: str
    wanted: str
    accepted: tuple[str, ...]


def questions_of(model: LanguageModel, facts: Sequence[Fact]) -> tuple[list[Asked], int]:
    """The questions that the model can be asked, and how many it cannot.

    A prompt of which the tokenizer makes nothing, or that leaves no room for an answer, is left
    out, unless it is a fact's own.

    Raises:
        FactsError: no facts, or one is too long for the model.
    """
    tokenize_facts(model.tokenizer, facts, model.longest)
    own = [Asked(i, "prompt", f.prompt, f.target_new, f.accepted) for i, f in enumerate(facts)]
    others = [
        Asked(i, "rephrase", prompt, f.target_new, f.accepted)
        for i, f in enumerate(facts)
        for prompt in f.rephrase_prompts
    ]
    roles: tuple[Role, Role] = ("locality", "portability")
    for role in roles:
        others += [
            Asked(i, role, q.prompt, q.answer, (q.answer, *q.aliases) if q.answer else ())
            for i, f in enumerate(facts)
            for q in getattr(f, f"{role}_prompts")
        ]
    fitting = _fitting(model, others)
    return [*own, *fitting], len(others) - len(fitting)


def _fitting(model: LanguageModel, asked: list[Asked]) -> list[Asked]:
    room = None if model.longest is None else model.longest - ANSWER_TOKENS
    try:
        lengths = [len(ids) for ids in prompt_tokens(model.tokenizer, [q.prompt for q in asked])]
    except ModelError:
        lengths = [_length(model, question.prompt) for question in asked]
    return [
        question
        for question, length in zip(asked, lengths, strict=True)
        if length and (room is None or length <= max(1, room))
    ]


def _length(model: LanguageModel, prompt: str) -> int:
    """Tokens of a prompt; 0 when the tokenizer makes nothing of it."""
    try:
        return len(prompt_tokens(model.tokenizer, [prompt])[0])
    except ModelError:
        return 0
