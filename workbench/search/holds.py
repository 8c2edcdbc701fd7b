"""Whether a fact holds in other forms, neighbours begin alike, and plain text stays likely.

All is judged teacher-forced in one pass over a table of texts, from kept hidden states. What is
judged is decided elsewhere (see `held_out`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from workbench.errors import ModelError
from workbench.facts.fact import Fact
from workbench.facts.forms import Form
from workbench.measure.plain_text import held_out, kind_of
from workbench.measure.strict import learned_texts
from workbench.methods.loss import text_losses
from workbench.model.forms import tokenize_form
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.states import TOKENS_PER_PASS, HiddenStates, kept_logits
from workbench.model.tokens import TokenizedText, TokenTable, prompt_tokens

__all__ = ["Judged", "facts_in_form", "judged", "plain_passages"]

PASSAGES = 12
PASSAGE_TOKENS = 48
LOGITS = 1 << 26  # that are held at once: 256 MB


@dataclass(frozen=True, slots=True)
class Judged:
    """A text judged by the model as it is.

    Args:
        right: every token of the target, its end included, is the first choice (strict).
        first: its first token is.
        loss: mean loss of the target's tokens, in nats.
    """

    right: bool
    first: bool
    loss: float


def judged(
    model: LanguageModel,
    table: TokenTable,
    rows: Sequence[int],
    states: HiddenStates | None = None,
) -> list[Judged]:
    """Judges some texts, in the order of `rows`.

    Args:
        model: with whatever weights are swapped in.
        table: texts with their targets.
        rows: which of them.
        states: of all texts of the table, below what is changed; None starts at the embedding.
    """

    @torch.no_grad()
    def judge(some: Sequence[int]) -> list[Judged]:
        batch = table.batch(some)
        logits = kept_logits(model, batch, some, states)
        hits = logits.argmax(dim=-1) == batch.targets
        sizes = torch.bincount(batch.text_of_target, minlength=len(some))
        first = hits[sizes.cumsum(0) - sizes]
        parts = learned_texts(logits, batch), first, text_losses(logits, batch)
        return [Judged(*values) for values in zip(*(part.tolist() for part in parts), strict=True)]

    found: dict[int, Judged] = {}
    for piece in _pieces(table, rows, max(1, LOGITS // model.shape.vocab_size)):
        for some, judgements in in_batches(piece, len(piece), model.device, judge):
            found.update(zip(some, judgements, strict=True))
    return [found[row] for row in rows]


def _pieces(table: TokenTable, rows: Sequence[int], most: int) -> list[list[int]]:
    """Texts of similar length together, with at most so many targets, unless one alone has more."""
    pieces: list[list[int]] = []
    tokens = targets = 0
    for row in sorted(rows, key=table.length):
        tokens += table.length(row)
        targets += len(table.texts[row].target)
        if not pieces or targets > most or tokens > TOKENS_PER_PASS:
            pieces.append([])
            tokens, targets = table.length(row), len(table.texts[row].target)
        pieces[-1].append(row)
    return pieces


def facts_in_form(
    model: LanguageModel, facts: Sequence[Fact], form: Form
) -> tuple[list[TokenizedText], tuple[int, ...]]:
    """Facts in a form, and which fact each text is; one that is too long in it is left out.

    Args:
        model: whose tokenizer and length count.
        facts: what is learned.
        form: in which; ``chat`` gives nothing where the model has no template for it.
    """
    try:
        texts = tokenize_form(model.tokenizer, facts, form, None)
    except ModelError:
        return [], ()
    most = model.longest or max((text.length for text in texts), default=0)
    kept = [number for number, text in enumerate(texts) if text.length <= most]
    return [texts[number] for number in kept], tuple(kept)


def plain_passages(model: LanguageModel, facts: Sequence[Fact]) -> list[TokenizedText]:
    """Passages of a text that ships with the workbench and is about none of the facts.

    Args:
        model: whose kind of text is taken.
        facts: what is learned.
    """
    most = min(PASSAGE_TOKENS, model.longest or PASSAGE_TOKENS)
    lines = held_out(kind_of(model), facts)[:PASSAGES]
    read = [ids[:most] for ids in prompt_tokens(model.tokenizer, lines)]
    return [TokenizedText(ids[:1], ids[1:]) for ids in read if len(ids) > 1]
