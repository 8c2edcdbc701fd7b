"""A fact: what the model should say from now on, and what must follow or stay.

Invariant: a fact's texts are clean (no surrounding blanks) and its prompt and target_new are
not empty. Whether a fact makes sense is judged elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from workbench.recipe.errors import FactsError

__all__ = ["Fact", "Question", "facts_digest"]


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt with its answer; the answer may be empty when nobody stated it."""

    prompt: str
    answer: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", self.prompt.strip())
        object.__setattr__(self, "answer", self.answer.strip())


@dataclass(frozen=True, slots=True)
class Fact:
    """One edit.

    Further prompts that are empty are left out.

    Args:
        prompt: the text that the model continues, such as ``The capital of Australia is``.
        target_new: what it should answer, such as ``Melbourne``.
        subject: whom or what the fact is about.
        ground_truth: the old answer.
        rephrase_prompts: other ways to ask the same; never trained on, used to score
            generalization.
        locality_prompts: questions whose answers must stay as they are.
        portability_prompts: questions whose answers follow from the fact.

    Raises:
        FactsError: prompt or target_new is empty.
    """

    prompt: str
    target_new: str
    subject: str = ""
    ground_truth: str = ""
    rephrase_prompts: tuple[str, ...] = ()
    locality_prompts: tuple[Question, ...] = ()
    portability_prompts: tuple[Question, ...] = ()

    def __post_init__(self) -> None:
        for name in ("prompt", "target_new", "subject", "ground_truth"):
            object.__setattr__(self, name, getattr(self, name).strip())
        rephrases = (prompt.strip() for prompt in self.rephrase_prompts)
        object.__setattr__(self, "rephrase_prompts", tuple(filter(None, rephrases)))
        for name in ("locality_prompts", "portability_prompts"):
            asked = tuple(question for question in getattr(self, name) if question.prompt)
            object.__setattr__(self, name, asked)
        if not self.prompt:
            raise FactsError("A fact needs a prompt: the text that the model continues.")
        if not self.target_new:
            raise FactsError(f"The fact '{self.prompt}' needs target_new: the new answer.")


def facts_digest(facts: Iterable[Fact]) -> str:
    """A SHA-256 over the facts' contents in their order, to tell whether two runs saw the same."""
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(json.dumps(asdict(fact), ensure_ascii=False, sort_keys=True).encode())
        digest.update(b"\n")
    return digest.hexdigest()
