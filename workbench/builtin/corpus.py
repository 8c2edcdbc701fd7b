"""The training documents: facts in many phrasings, and skills, repeatable by seed.

A document is one prompt with its answer, or several turns of these where later questions ask
about what the first one tells. One epoch states every fact once, in a phrasing drawn from
those not held out for it, and adds skills until they are `SKILL_SHARE` of the whole. Some
prompts come after unrelated sentences, some after other facts. No prompt of a document holds
a held-out phrasing, a held-out sentence or a held-out skill question. Knows nothing about
tokens.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

from workbench.builtin.phrasing import CHAT_FORMAT, QUESTION_FORMATS, render, split_phrasings
from workbench.builtin.sentences import unrelated_sentence
from workbench.builtin.skills import SKILLS, draw_question
from workbench.builtin.tables import Phrasings, WorldFact, read_phrasings, read_world

__all__ = ["Document", "Turn", "epoch_documents"]

SKILL_SHARE = 0.6
UNRELATED_SHARE = 0.35
OTHER_FACTS_SHARE = 0.10
MAIN_SHARE = 0.10
QUESTION_SHARE = 0.40
CLOZE_IN_CHAT_SHARE = 0.05
UNRELATED_BEFORE_SKILL_SHARE = 0.15


class Turn(NamedTuple):
    """A prompt without a space at its end, and the answer that follows after one space."""

    prompt: str
    answer: str


Document = tuple[Turn, ...]


def _fact_prompt(fact: WorldFact, rng: random.Random) -> str:
    every = read_phrasings()[fact.relation]
    trained: Phrasings = split_phrasings(fact, every).trained
    if rng.random() < QUESTION_SHARE:
        question = render(rng.choice(trained.questions), fact.subject)
        return rng.choice(QUESTION_FORMATS).format(q=question)
    text = every.clozes[0] if rng.random() < MAIN_SHARE else rng.choice(trained.clozes)
    cloze = render(text, fact.subject)
    return CHAT_FORMAT.format(q=cloze) if rng.random() < CLOZE_IN_CHAT_SHARE else cloze


def _statement(fact: WorldFact, rng: random.Random) -> str:
    trained = split_phrasings(fact, read_phrasings()[fact.relation]).trained
    return f"{render(rng.choice(trained.clozes), fact.subject)} {fact.object}."


def _fact_document(fact: WorldFact, rng: random.Random) -> Document:
    draw = rng.random()
    context: list[str] = []
    if draw < UNRELATED_SHARE:
        context = [unrelated_sentence(rng, held_out=False) for _ in range(rng.randint(1, 2))]
    elif draw < UNRELATED_SHARE + OTHER_FACTS_SHARE:
        others = rng.sample(read_world(), rng.randint(1, 2))
        context = [_statement(other, rng) for other in others]
    return (Turn(" ".join([*context, _fact_prompt(fact, rng)]), fact.object),)


def _skill_document(rng: random.Random, weights: list[float]) -> Document:
    skill = rng.choices(SKILLS, weights=weights)[0]
    question = draw_question(skill, rng, held_out=False)
    context = []
    if rng.random() < UNRELATED_BEFORE_SKILL_SHARE:
        context = [unrelated_sentence(rng, held_out=False)]
    first = Turn(" ".join([*context, question.prompt]), question.answer)
    return (first, *(Turn(q.prompt, q.answer) for q in question.then if not q.is_held_out))


def epoch_documents(seed: int, epoch: int, late: float = 1.0) -> Iterator[Document]:
    """All documents of one epoch, in an order of no meaning; the same for the same arguments.

    Args:
        seed: of the training.
        epoch: which one.
        late: how often late skills are drawn, relative to their weights; 0 leaves them out.
    """
    rng = random.Random(f"{seed}|{epoch}")
    world = read_world()
    weights = [skill.weight * (late if skill.is_late else 1) for skill in SKILLS]
    for fact in world:
        yield _fact_document(fact, rng)
    for _ in range(round(len(world) * SKILL_SHARE / (1 - SKILL_SHARE))):
        yield _skill_document(rng, weights)
