"""Whether a model still writes well after an edit: entropy, endings, perplexity.

Continuations for the entropy have a fixed length and are drawn from the five likeliest tokens
with a fixed seed, as in ROME (arXiv 2202.05262); those that tell whether answers end are greedy.
Held-out texts that name an edited subject are left out: there a change is wanted.
"""

import math
import random
from collections.abc import Callable, Generator, Sequence

import torch
from torch.nn import functional

from workbench.errors import ModelError
from workbench.facts.fact import Fact
from workbench.measure.health_result import Health, HealthSide, ngram_entropy
from workbench.measure.plain_text import TEXTS, held_out, kind_of, text_table
from workbench.model.continuing import continued
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.patch import Patch
from workbench.model.states import TOKENS_PER_PASS, kept_logits, settling
from workbench.model.stoppable import stoppable
from workbench.work.events import Progress, follow
from workbench.work.stop import Stop

__all__ = ["measure_health", "measuring_health", "perplexity"]

PROMPTS = 32
TOKENS = 100
ANSWER_TOKENS = 32
CHOICES = 5
SHOWN = 200


def measure_health(
    model: LanguageModel,
    facts: Sequence[Fact],
    patch: Patch | None = None,
    *,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Health:
    """Looks at the model's writing, before and, where there is a patch, after.

    Args:
        model: the base; it stays as it is.
        facts: what the edit is about; some of their prompts are continued.
        patch: the edit.
        seed: draws the prompts and the continuations.
        on_progress: called with steps done and steps in all; what it raises ends the work.

    Raises:
        PatchError: the patch belongs to another base.
        ModelError: no held-out text is left, or none of the facts' prompts can be continued.
    """

    def tell(step: Progress) -> None:
        if on_progress is not None:
            on_progress(int(step.done), int(step.total))

    return follow(measuring_health(model, facts, patch, seed=seed), tell)


def measuring_health(
    model: LanguageModel,
    facts: Sequence[Fact],
    patch: Patch | None = None,
    *,
    seed: int = 0,
    stop: Stop | None = None,
) -> Generator[Progress, None, Health]:
    """`measure_health` in steps: says how far it is, and returns what was found.

    Args:
        model, facts, patch, seed: see `measure_health`.
        stop: the wish to end it, asked before every token.

    Raises:
        Cancelled: somebody wanted it to end.
        PatchError, ModelError: see `measure_health`.
    """
    kind = kind_of(model)
    texts = held_out(kind, facts)
    drawn = random.Random(seed).sample(list(facts), min(PROMPTS, len(facts)))
    prompts = [fact.prompt for fact in drawn]
    total = 2 if patch is None else 4

    def looking(done: int) -> Generator[Progress, None, HealthSide]:
        with stoppable(model, stop):
            free = _continuations(model, prompts, seed)
        yield Progress(done + 1, total, "Looking at the writing")
        with stoppable(model, stop):
            answers = generate(model, prompts, max_new_tokens=ANSWER_TOKENS, top_k=1)
            unended = sum(not answer.ended for answer in answers) / len(answers)
            confused = perplexity(model, texts)
        yield Progress(done + 2, total, "Looking at the writing")
        return HealthSide(ngram_entropy(free), unended, confused, free[0][:SHOWN])

    before, after = (yield from looking(0)), None
    if patch is not None:
        with patch.applied(model):
            after = yield from looking(2)
    return Health(before, after, len(prompts), TOKENS, len(texts), TEXTS[kind])


@torch.no_grad()
def perplexity(model: LanguageModel, texts: Sequence[str]) -> float:
    """The model's perplexity per token on texts, each read from its own beginning.

    The first token of a text is given, not predicted.

    Raises:
        ModelError: no text has two tokens.
    """
    table = text_table(model, texts)
    states = follow(settling(model, table, None))

    def losses(rows: Sequence[int]) -> float:
        batch = table.batch(rows)
        logits = kept_logits(model, batch, rows, states)
        return float(functional.cross_entropy(logits, batch.targets, reduction="sum").item())

    order = sorted(range(len(table)), key=table.length)
    size = max(1, TOKENS_PER_PASS // 4 // table.length(order[-1]))
    total = sum(loss for _, loss in in_batches(order, size, model.device, losses))
    return math.exp(total / sum(len(text.target) for text in table.texts))


def _continuations(model: LanguageModel, prompts: Sequence[str], seed: int) -> list[str]:
    """Each prompt with `TOKENS` more tokens, or as many as the model can read."""
    try:
        return continued(model, prompts, tokens=TOKENS, choices=CHOICES, seed=seed)
    except ModelError as error:
        raise ModelError(
            "The facts' prompts leave this model no room to go on. Shorten them."
        ) from error
