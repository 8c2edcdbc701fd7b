"""The strict protocol: every target token and the EOS is the model's first choice.

Teacher-forced, so that no generation is needed: greedy decoding gives exactly target and EOS if
and only if every target token is the argmax after the true ones before it. The token protocol
reads the share of right tokens off the same pass.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch

from workbench.model.language_model import LanguageModel
from workbench.model.passes import in_passes, passes_of
from workbench.model.states import HiddenStates, kept_logits, settling
from workbench.model.tokens import TokenBatch, TokenTable
from workbench.work.events import follow, mapped

__all__ = [
    "Forced",
    "forced_texts",
    "forcing_texts",
    "judged_texts",
    "learned_texts",
    "strict_matches",
]


@dataclass(frozen=True, slots=True)
class Forced:
    """A text judged teacher-forced.

    Args:
        right: whether every target token, its end included, is the first choice (strict).
        share: share of the target's tokens that are, its last left out, which only ends it
            (token); of a target that is nothing but its end, that.
    """

    right: bool
    share: float


def learned_texts(logits: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
    """Which texts of a batch are right by the strict protocol.

    Args:
        logits: (targets, vocabulary).
        batch: the batch that they belong to.

    Returns:
        (texts,) True where every target is the argmax.
    """
    wrong = (logits.argmax(dim=-1) != batch.targets).to(torch.int32)
    return batch.sum_by_text(wrong) == 0


def strict_matches(
    model: LanguageModel,
    texts: TokenTable,
    states: HiddenStates | None = None,
    rows: Sequence[int] | None = None,
) -> list[bool]:
    """Which texts the model, as it is now, gets right by the strict protocol.

    Args:
        model: with whatever weights are swapped in.
        texts: prompts with their targets.
        states: what enters a layer below which the model is unchanged; None starts at the
            embedding.
        rows: which of the texts are judged; None for all.
    """
    return [judged.right for judged in follow(forcing_texts(model, texts, states, rows))]


def forced_texts(
    model: LanguageModel, texts: TokenTable, states: HiddenStates | None = None
) -> list[Forced]:
    """Judges texts teacher-forced, by the model as it is now.

    Args:
        model: with whatever weights are swapped in.
        texts: prompts with their targets.
        states: what enters a layer below which the model is unchanged; None starts at the
            embedding.
    """
    return follow(forcing_texts(model, texts, states))


def forcing_texts(
    model: LanguageModel,
    texts: TokenTable,
    states: HiddenStates | None = None,
    rows: Sequence[int] | None = None,
) -> Generator[int, None, list[Forced]]:
    """`forced_texts` in steps: yields the number of texts done so far, returns the judgements.

    Args:
        model, texts, states: as for `forced_texts`.
        rows: which of the texts are judged; None for all.
    """
    wanted = range(len(texts)) if rows is None else rows
    if not len(wanted):
        return []
    passes = passes_of(texts, wanted, model.device)
    states = yield from mapped(settling(model, texts, states, rows), lambda way: 0)

    @torch.no_grad()
    def judge(rows: Sequence[int]) -> list[Forced]:
        batch = texts.batch(rows)
        logits = kept_logits(model, batch, rows, states)
        return judged_texts(logits, batch)

    found: dict[int, Forced] = {}
    for done, judged in in_passes(passes, model.device, judge):
        found.update(zip(done, judged, strict=True))
        yield len(found)
    return [found[row] for row in wanted]


def judged_texts(logits: torch.Tensor, batch: TokenBatch) -> list[Forced]:
    """Judges the texts of a batch by the logits of their targets.

    Args:
        logits: (targets, vocabulary).
        batch: the batch that they belong to.
    """
    hits = (logits.argmax(dim=-1) == batch.targets).to(torch.float32)
    sizes = batch.sum_by_text(torch.ones_like(hits))
    right = batch.sum_by_text(hits)
    end = hits[sizes.cumsum(0).long() - 1]
    share = torch.where(sizes > 1, (right - end) / (sizes - 1).clamp(min=1), end)
    return [
        Forced(whole, part)
        for whole, part in zip((right == sizes).tolist(), share.tolist(), strict=True)
    ]
