"""Plain text that ships with the workbench, by which is told whether a model still reads well.

Nothing is ever trained on it. Lines that name an edited subject are left out: there a change is
wanted.
"""

import math
from collections.abc import Generator, Sequence

import torch
from torch.nn import functional

from workbench.errors import ModelError
from workbench.facts.fact import Fact
from workbench.measure.paired import pairing
from workbench.measure.text_loss import TextLoss
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.tokens import TokenBatch, TokenizedText, TokenTable, prompt_tokens
from workbench.paths import assets_dir
from workbench.work.stop import Stop

__all__ = ["TEXTS", "held_out", "kind_of", "plain_texts", "reading", "text_table"]

TEXTS = {
    "builtin": "sentences of the built-in model's kind",
    "english": "a small English text",
}

MOST_LINES = 30  # a few hundred tokens, read in moments


def kind_of(model: LanguageModel) -> str:
    """Which of the texts is of the kind that a model knows."""
    return "builtin" if model.name == "builtin" else "english"


def held_out(kind: str, facts: Sequence[Fact]) -> list[str]:
    """The lines of a text that name no subject of the facts.

    Args:
        kind: which text, see `TEXTS`.
        facts: what an edit is about.
    """
    content = (assets_dir() / "health" / f"{kind}.txt").read_text(encoding="utf-8")
    subjects = {fact.subject.lower() for fact in facts if len(fact.subject) > 2}
    lines = [line for line in content.splitlines() if line.strip()]
    kept = [line for line in lines if not any(name in line.lower() for name in subjects)]
    return kept or lines


def text_table(model: LanguageModel, texts: Sequence[str]) -> TokenTable:
    """Texts as tokens: the first of each is given, all others are to be predicted.

    Raises:
        ModelError: no text has two tokens, or the tokenizer makes nothing of one.
    """
    longest = model.longest or 1 << 20
    read = [ids[:longest] for ids in prompt_tokens(model.tokenizer, texts)]
    found = [TokenizedText(ids[:1], ids[1:]) for ids in read if len(ids) > 1]
    if not found:
        raise ModelError("No text with two tokens to measure the perplexity on.")
    return TokenTable(found, model.device)


def plain_texts(model: LanguageModel, facts: Sequence[Fact]) -> TokenTable | None:
    """A small text of the model's kind; None where its tokenizer makes nothing of it.

    Args:
        model: what will read it.
        facts: what an edit is about.
    """
    lines = held_out(kind_of(model), facts)
    try:
        return text_table(model, lines[:: math.ceil(len(lines) / MOST_LINES)])
    except ModelError:
        return None


def reading(
    model: LanguageModel, texts: TokenTable, patch: Patch | None, stop: Stop | None = None
) -> Generator[int, None, TextLoss]:
    """Reads texts by the base and the edited model, in steps: yields how many it just read.

    Args:
        model: the base; it stays as it is.
        texts: see `plain_texts`.
        patch: the edit; None reads by the base alone.
        stop: the wish to end it, asked before every pass.

    Raises:
        Cancelled: somebody wanted it to end.
        PatchError: the patch belongs to another base.
    """

    def look(
        rows: Sequence[int], batch: TokenBatch, before: torch.Tensor, after: torch.Tensor | None
    ) -> list[tuple[float, float]]:
        old, new = (
            [math.nan] * len(rows) if logits is None else _losses(logits, batch)
            for logits in (before, after)
        )
        return list(zip(old, new, strict=True))

    found = yield from pairing(model, texts, patch, look, stop)
    tokens = sum(len(text.target) for text in texts.texts)
    means = [sum(side) / tokens for side in zip(*found, strict=True)]
    before, after = (mean if math.isfinite(mean) else None for mean in means)
    return TextLoss(before, after, TEXTS[kind_of(model)])


def _losses(logits: torch.Tensor, batch: TokenBatch) -> list[float]:
    """The summed loss of each text of a batch."""
    losses = functional.cross_entropy(logits, batch.targets, reduction="none")
    summed: list[float] = batch.sum_by_text(losses).tolist()
    return summed
