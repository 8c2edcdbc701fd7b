"""A fact: what the model should say from now on, and what must follow or stay.

Invariant: a fact's texts are clean (no surrounding blanks) and its prompt and target_new are
not empty. Whether a fact makes sense is judged elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import chain

from workbench.errors import FactsError

__all__ = ["Fact", "Question", "facts_digest"]

_ASKED = ("locality_prompts", "portability_prompts", "keep_prompts")


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt with its answer; the answer may be empty when nobody stated it.

    Args:
        prompt: what is asked.
        answer: what should be answered.
        aliases: other answers that are as right as `answer`, each once.
    """

    prompt: str
    answer: str = ""
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", self.prompt.strip())
        object.__setattr__(self, "answer", self.answer.strip())
        object.__setattr__(self, "aliases", tuple(dict.fromkeys(_filled(self.aliases))))


@dataclass(frozen=True, slots=True)
class Fact:
    """One edit.

    Further prompts that are empty are left out, and aliases that are given twice.

    Args:
        prompt: the text that the model continues, such as ``The capital of Australia is``.
        target_new: what it should answer, such as ``Melbourne``.
        subject: whom or what the fact is about.
        ground_truth: the old answer.
        rephrase_prompts: other ways to ask the same; never trained on, used to score
            generalization.
        locality_prompts: questions whose answers must stay as they are.
        portability_prompts: questions whose answers follow from the fact.
        aliases: other answers that count as right where `target_new` is asked for; never
            trained on.
        wordings: other ways to ask the same on which a run may train.
        keep_prompts: questions whose answers a run may train to stay: the answer that is given,
            else the base's own.

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
    aliases: tuple[str, ...] = ()
    wordings: tuple[str, ...] = ()
    keep_prompts: tuple[Question, ...] = ()

    def __post_init__(self) -> None:
        for name in ("prompt", "target_new", "subject", "ground_truth"):
            object.__setattr__(self, name, getattr(self, name).strip())
        object.__setattr__(self, "rephrase_prompts", _filled(self.rephrase_prompts))
        object.__setattr__(self, "aliases", tuple(dict.fromkeys(_filled(self.aliases))))
        object.__setattr__(self, "wordings", tuple(dict.fromkeys(_filled(self.wordings))))
        for name in _ASKED:
            asked = tuple(question for question in getattr(self, name) if question.prompt)
            object.__setattr__(self, name, asked)
        if not self.prompt:
            raise FactsError("A fact needs a prompt: the text that the model continues.")
        if not self.target_new:
            raise FactsError(f"The fact '{self.prompt}' needs target_new: the new answer.")

    @property
    def accepted(self) -> tuple[str, ...]:
        """Every answer that counts as right: `target_new`, then its aliases."""
        return (self.target_new, *self.aliases)


def facts_digest(facts: Iterable[Fact]) -> str:
    """A SHA-256 over the facts' contents in their order, to tell whether two runs saw the same.

    Aliases, wordings and keep prompts that nobody gave leave no trace, so that digests from before
    there were any hold.
    """
    digest = hashlib.sha256()
    for fact in facts:
        content = asdict(fact)
        asked = (content[name] for name in _ASKED)
        for part in (content, *chain.from_iterable(asked)):
            if not part["aliases"]:
                del part["aliases"]
        for name in ("wordings", "keep_prompts"):
            if not content[name]:
                del content[name]
        digest.update(json.dumps(content, ensure_ascii=False, sort_keys=True).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _filled(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts without surrounding blanks, and without those of which nothing is left."""
    return tuple(filter(None, (text.strip() for text in texts)))
