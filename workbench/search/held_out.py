"""What a sweep scores a location by: prompts that are never trained on, and what the base says.

Three kinds of texts stand in one table, so that their hidden states advance together: rephrases
with the new answer, and locality and neutral prompts with the base's own answer. All are judged
teacher-forced, without generation; the base's answers are generated once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch

from workbench.errors import ModelError
from workbench.measure.strict import strict_matches
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.states import TOKENS_PER_PASS, HiddenStates, starting_at, target_logits
from workbench.model.tokens import TokenizedText, TokenTable, prompt_tokens, tokenize
from workbench.search.neutral import choose_neutral
from workbench.search.sample import Sample

__all__ = ["HeldOut", "HeldOutScores", "held_out_scores", "hold_out"]

ANSWER_TOKENS = 32
# More than so many questions about one fact tell little more, and cost as much as the others.
REPHRASES_EACH = 2
LOCALITY_EACH = 2


@dataclass(frozen=True)
class HeldOut:
    """The held-out prompts of a sample.

    Args:
        table: rephrases, then locality prompts, then neutral prompts, each with its answer.
        rephrase_of: for each rephrase, which fact of the sample it belongs to.
        locality_of: for each locality prompt likewise.
        facts: how many facts the sample has.
        neutral_from_facts: how many neutral prompts are prompts of other facts.
        base_next: (neutral prompts, vocabulary) log-probabilities of the base's next token.
    """

    table: TokenTable
    rephrase_of: tuple[int, ...]
    locality_of: tuple[int, ...]
    facts: int
    neutral_from_facts: int
    base_next: torch.Tensor

    @property
    def neutral_rows(self) -> range:
        """Where the neutral prompts stand in the table."""
        return range(len(self.rephrase_of) + len(self.locality_of), len(self.table))


@dataclass(frozen=True, slots=True)
class HeldOutScores:
    """`general`, `local`, `neutral` and `kl` of `LocationDone`."""

    general: tuple[float | None, ...]
    local: tuple[float | None, ...]
    neutral: tuple[bool, ...]
    kl: tuple[float, ...]


def hold_out(model: LanguageModel, sample: Sample) -> HeldOut:
    """Gathers the held-out prompts of a sample, and asks the base what it says to them.

    Prompts that are too long for the model, or of which its tokenizer makes nothing, are left
    out.

    Args:
        model: the base.
        sample: what is trained on, with its rephrases and locality prompts, and other prompts.
    """
    longest = model.longest or 1 << 20
    answer = min(ANSWER_TOKENS, longest // 2)
    room = longest - answer
    rephrases: list[TokenizedText] = []
    rephrase_of: list[int] = []
    locality: list[str] = []
    locality_of: list[int] = []
    for number, fact in enumerate(sample.facts):
        prompts = _fitting(model, fact.rephrase_prompts, room)[:REPHRASES_EACH]
        rephrases += tokenize(model.tokenizer, prompts, [fact.target_new] * len(prompts))
        rephrase_of += [number] * len(prompts)
        kept = _fitting(model, [q.prompt for q in fact.locality_prompts], room)[:LOCALITY_EACH]
        locality += kept
        locality_of += [number] * len(kept)
    trained = [fact.prompt for fact in sample.facts]
    others = _fitting(model, sample.others[: 4 * len(trained) + 64], room)
    neutral, from_facts = choose_neutral(others, trained)
    asked = locality + _fitting(model, neutral, room)
    answers = generate(model, asked, max_new_tokens=answer, stop="sentence", top_k=1)
    texts = rephrases + [
        TokenizedText(ids, answer.tokens)
        for ids, answer in zip(prompt_tokens(model.tokenizer, asked), answers, strict=True)
    ]
    table = TokenTable(texts, model.device)
    neutral_rows = range(len(rephrases) + len(locality), len(texts))
    base_next = _next_tokens(model, table, neutral_rows, None)
    return HeldOut(
        table, tuple(rephrase_of), tuple(locality_of), len(trained), from_facts, base_next
    )


def _fitting(model: LanguageModel, prompts: Sequence[str], room: int) -> list[str]:
    """The prompts that the model can read and still answer."""
    kept = []
    for prompt in prompts:
        try:
            (ids,) = prompt_tokens(model.tokenizer, [prompt])
        except ModelError:
            continue
        if len(ids) <= room:
            kept.append(prompt)
    return kept


def held_out_scores(
    model: LanguageModel, held_out: HeldOut, states: HiddenStates | None
) -> HeldOutScores:
    """Judges the model as it is now, with whatever weights are swapped in.

    Args:
        model: base and edit.
        held_out: the prompts.
        states: of the held-out table, below the edit; None starts at the embedding.
    """
    right = strict_matches(model, held_out.table, states)
    cuts = (0, len(held_out.rephrase_of), held_out.neutral_rows.start, len(right))
    general, local, neutral = (right[start:end] for start, end in pairwise(cuts))
    now = _next_tokens(model, held_out.table, held_out.neutral_rows, states)
    base = held_out.base_next
    kl = (base.exp() * (base - now)).sum(dim=-1).clamp_(min=0.0)
    return HeldOutScores(
        _by_fact(general, held_out.rephrase_of, held_out.facts),
        _by_fact(local, held_out.locality_of, held_out.facts),
        tuple(neutral),
        tuple(round(value, 9) for value in kl.tolist()),
    )


def _by_fact(right: list[bool], owners: tuple[int, ...], facts: int) -> tuple[float | None, ...]:
    """The share of each fact's questions that is right; None for a fact without questions."""
    asked, good = [0] * facts, [0] * facts
    for verdict, owner in zip(right, owners, strict=True):
        asked[owner] += 1
        good[owner] += verdict
    return tuple(g / a if a else None for g, a in zip(good, asked, strict=True))


@torch.no_grad()
def _next_tokens(
    model: LanguageModel, table: TokenTable, rows: Sequence[int], states: HiddenStates | None
) -> torch.Tensor:
    """Log-probabilities of the token after each prompt: (rows, vocabulary), float32."""

    def look(some: Sequence[int]) -> torch.Tensor:
        batch = table.batch(some)
        with starting_at(model, states.layer if states is not None else 0) as feed:
            if states is not None:
                feed.states = states.padded(some, model.device)
            logits = target_logits(model, batch)
        targets = torch.bincount(batch.text_of_target, minlength=len(some))
        return logits[targets.cumsum(0) - targets].log_softmax(dim=-1)

    order = list(rows)
    size = max(1, TOKENS_PER_PASS // max(table.length(row) for row in order))
    found = [part for _, part in in_batches(order, size, model.device, look)]
    return torch.cat(found)
