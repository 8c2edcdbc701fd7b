"""What an edit changes besides its facts: prompts made of the facts' own templates, asked twice.

A fact's words with another subject, its subject in other facts' words, and plain beginnings that
have nothing to do with it. Invariant: no prompt that a fact teaches, and none by which it is
measured, is asked; the model is as it was. Knows nothing about sessions.
"""

import random
from collections.abc import Sequence

import torch
from torch.nn import functional

from workbench.facts.fact import Fact
from workbench.facts.neighbours import said_keys
from workbench.facts.same import prompt_key
from workbench.facts.subject import with_subjects
from workbench.facts.subject_kinds import listed_subjects, subject_kind
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.patch import Patch
from workbench.model.states import target_logits
from workbench.model.tokens import TokenizedText, TokenTable, prompt_tokens
from workbench.search.neutral import BUILT_IN
from workbench.search.ripple_result import Moved, Nearness
from workbench.work.events import Progress, Work
from workbench.work.stop import Stop

__all__ = ["MOST_OF_A_KIND", "ripple_prompts", "rippling"]

MOST_OF_A_KIND = 48  # prompts
ANSWER_TOKENS = 12
AT_ONCE = 16  # prompts whose distributions over the vocabulary are held beside each other

Asked = list[tuple[Nearness, str]]


def ripple_prompts(facts: Sequence[Fact], seed: int = 0) -> Asked:
    """The prompts that are asked, each with what it shares with the facts.

    Args:
        facts: what was taught; of many, a sample is drawn.
        seed: decides the draws.
    """
    known, chance = with_subjects(facts), random.Random(f"ripple {seed}")
    taken = said_keys(known)
    drawn = chance.sample(known, min(len(known), MOST_OF_A_KIND))
    found: Asked = [("subject", prompt) for prompt in _about_the_same(drawn, known, taken, chance)]
    found += [("relation", prompt) for prompt in _in_the_same_words(drawn, known, taken, chance)]
    found += [("other", prompt) for prompt in BUILT_IN if _is_new(prompt, taken)]
    return found


def _about_the_same(
    drawn: Sequence[Fact], known: Sequence[Fact], taken: set[str], chance: random.Random
) -> list[str]:
    """The subjects of some facts in the words of others about subjects of the same kind."""
    found: list[str] = []
    per_fact = max(1, MOST_OF_A_KIND // max(1, len(drawn)))
    for fact in drawn:
        if not fact.subject:
            continue
        alike = _alike(fact, known)
        others = chance.sample(alike, min(len(alike), 4 * per_fact))
        prompts = [other.prompt.replace(other.subject, fact.subject) for other in others]
        found += [prompt for prompt in prompts if _is_new(prompt, taken)][:per_fact]
    return found[:MOST_OF_A_KIND]


def _in_the_same_words(
    drawn: Sequence[Fact], known: Sequence[Fact], taken: set[str], chance: random.Random
) -> list[str]:
    """The words of some facts about other subjects of the same kind, of the facts and of lists."""
    found: list[str] = []
    per_fact = max(1, MOST_OF_A_KIND // max(1, len(drawn)))
    for fact in drawn:
        if not fact.subject or fact.subject not in fact.prompt:
            continue
        if subject_kind(fact) is None:
            continue  # words about anything else would be nonsense
        subjects = sorted({other.subject for other in _alike(fact, known)} - {fact.subject})
        subjects = chance.sample(subjects, min(len(subjects), 2 * per_fact))
        subjects += listed_subjects(fact, chance)[: 2 * per_fact]
        prompts = [fact.prompt.replace(fact.subject, subject) for subject in subjects]
        found += [prompt for prompt in prompts if _is_new(prompt, taken)][:per_fact]
    return found[:MOST_OF_A_KIND]


def _alike(fact: Fact, known: Sequence[Fact]) -> list[Fact]:
    """The facts whose words fit a subject: those about its kind; none where that is not known."""
    worded = [other for other in known if other.subject and other.subject in other.prompt]
    kind = subject_kind(fact)
    return [other for other in worded if kind is not None and subject_kind(other) == kind]


def _is_new(prompt: str, taken: set[str]) -> bool:
    key = prompt_key(prompt)
    if key in taken:
        return False
    taken.add(key)
    return True


def rippling(
    model: LanguageModel, facts: Sequence[Fact], patch: Patch, *, seed: int = 0, stop: Stop
) -> Work[tuple[Moved, ...]]:
    """Asks base and edited model everything; returns what moved, the farthest first.

    Args:
        model: the base.
        facts: what the run taught.
        patch: the run's.
        seed: draws the prompts.
        stop: the wish to end it.

    Raises:
        Cancelled: somebody wanted it to end.
        MemoryShortage: not even one prompt fits.
    """
    asked = ripple_prompts(facts, seed)
    prompts = [prompt for _, prompt in asked]
    yield Progress(0, 3, "Comparing next tokens")
    distances = _distances(model, prompts, patch, stop)
    yield Progress(1, 3, "Asking the base")
    before = generate(model, prompts, max_new_tokens=ANSWER_TOKENS, stop="sentence", cancel=stop)
    yield Progress(2, 3, "Asking the edited model")
    with patch.applied(model):
        after = generate(model, prompts, max_new_tokens=ANSWER_TOKENS, stop="sentence", cancel=stop)
    rows = [
        Moved(prompt, near, kl, old.text, new.text)
        for (near, prompt), kl, old, new in zip(asked, distances, before, after, strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: (-row.kl, not row.changed)))


@torch.no_grad()
def _distances(
    model: LanguageModel, prompts: Sequence[str], patch: Patch, stop: Stop
) -> list[float]:
    """KL(base || edited) of the token after each prompt."""
    texts = [TokenizedText(ids, (0,)) for ids in prompt_tokens(model.tokenizer, prompts)]
    table = TokenTable(texts, model.device)

    def next_tokens(rows: Sequence[int]) -> torch.Tensor:
        return target_logits(model, table.batch(rows)).log_softmax(dim=-1)

    found: dict[int, float] = {}
    order = sorted(range(len(texts)), key=lambda row: texts[row].length)

    def compare(rows: Sequence[int]) -> list[float]:
        stop.check()
        old = next_tokens(rows)
        with patch.applied(model):
            new = next_tokens(rows)
        far = functional.kl_div(new, old, reduction="none", log_target=True).sum(dim=-1)
        return [max(0.0, float(value)) for value in far]

    for rows, values in in_batches(order, AT_ONCE, model.device, compare):
        found.update(zip(rows, values, strict=True))
    return [found[row] for row in range(len(texts))]
