"""Turns a fact and a phrasing into a prompt, and decides which phrasings are held out.

For four (subject, relation) pairs in ten, two clozes and one question are withheld from
training: the model meets these sentences about other subjects only. The choice depends on
the subject and the relation alone, never on a training seed, so that anyone can tell later
what a model has not seen. A prompt has no space at its end; its answer begins with one.
"""

import random
from dataclasses import dataclass

from workbench.builtin.tables import Phrasings, WorldFact

__all__ = ["CHAT_FORMAT", "QUESTION_FORMATS", "Split", "main_prompt", "render", "split_phrasings"]

HELD_OUT_SHARE = 0.4
QUESTION_FORMATS = ("{q}", "Question: {q} Answer:", "Q: {q} A:")
CHAT_FORMAT = QUESTION_FORMATS[1]


@dataclass(frozen=True)
class Split:
    """The phrasings of one (subject, relation): those trained on and those held out."""

    trained: Phrasings
    held_out: Phrasings


def render(text: str, subject: str) -> str:
    """The phrasing with its subject filled in and a capital at its start."""
    filled = text.replace("{s}", subject)
    return filled[0].upper() + filled[1:]


def main_prompt(fact: WorldFact, phrasings: Phrasings) -> str:
    """The fact in its relation's main phrasing, which is never held out."""
    return render(phrasings.clozes[0], fact.subject)


def split_phrasings(fact: WorldFact, phrasings: Phrasings) -> Split:
    """Which phrasings this fact is trained in, and which are held out for it."""
    rng = random.Random(f"{fact.relation}|{fact.subject}")
    if rng.random() >= HELD_OUT_SHARE:
        return Split(phrasings, Phrasings((), ()))
    clozes = set(rng.sample(phrasings.clozes[1:], 2))
    question = rng.choice(phrasings.questions)
    return Split(
        Phrasings(
            tuple(text for text in phrasings.clozes if text not in clozes),
            tuple(text for text in phrasings.questions if text != question),
        ),
        Phrasings(tuple(text for text in phrasings.clozes if text in clozes), (question,)),
    )
