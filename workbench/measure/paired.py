"""The base and the edited model side by side on the same tokens, a batch at a time.

What enters the lowest layer that the edit changes is computed once for both and let go with its
batch, so that nothing grows with the number of texts. Knows nothing about what is asked.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from typing import TypeVar

import torch

from workbench.model.bypass import capture
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.passes import Advanced
from workbench.model.patch import Patch
from workbench.model.states import (
    TOKENS_PER_PASS,
    HiddenStates,
    advancing,
    kept_logits,
    run,
    settling,
    starting_at,
    target_logits,
)
from workbench.model.stoppable import stoppable
from workbench.model.tokens import TokenBatch, TokenTable
from workbench.work.events import mapped
from workbench.work.stop import Stop

__all__ = ["Look", "pairing"]

LOGITS_PER_PASS = 1 << 26
# What a processor computes should stay in its cache: a third of the time on the built-in model.
TOKENS_ON_CPU = 2048

Result = TypeVar("Result")
Look = Callable[[Sequence[int], TokenBatch, torch.Tensor, torch.Tensor | None], list[Result]]
"""Makes of some texts, their batch, and the logits of their targets by the base and by the edited
model, a result for each."""


def pairing(
    model: LanguageModel,
    texts: TokenTable,
    patch: Patch | None,
    look: Look[Result],
    stop: Stop | None = None,
) -> Generator[int, None, list[Result]]:
    """Looks at every text by both models, in steps: yields how many texts it just looked at.

    Args:
        model: the base; it stays as it is.
        texts: at least one.
        patch: the edit; None looks at the base alone.
        look: what is wanted of a batch.
        stop: the wish to end it, asked before every pass.

    Returns:
        A result for each text, in their order.

    Raises:
        Cancelled: somebody wanted it to end.
        PatchError: the patch belongs to another base.
        MemoryShortage: not even one text fits.
    """
    layer = patch.lowest_layer if patch is not None and model.states_kept else 0
    if model.stream is not None and model.states_kept:
        return (yield from _side_after_side(model, texts, patch, look, stop))

    @torch.no_grad()
    def both(rows: Sequence[int]) -> list[Result]:
        batch = texts.batch(rows)
        states, sides = None, []
        with stoppable(model, stop):
            if layer:
                states = capture(model.layers, layer, lambda: run(model, batch.input_ids))
            for edit in (None, patch) if patch is not None else (None,):
                applied = edit.applied(model) if edit is not None else nullcontext()
                with applied, starting_at(model, layer) as feed:
                    feed.states = states
                    sides.append(target_logits(model, batch))
        return look(rows, batch, sides[0], sides[1] if len(sides) > 1 else None)

    order = sorted(range(len(texts)), key=texts.length)
    found: dict[int, Result] = {}
    for rows, results in in_batches(order, _size(model, texts), model.device, both):
        found.update(zip(rows, results, strict=True))
        yield len(rows)
    return [found[row] for row in range(len(texts))]


def _side_after_side(
    model: LanguageModel,
    texts: TokenTable,
    patch: Patch | None,
    look: Look[Result],
    stop: Stop | None,
) -> Generator[int, None, list[Result]]:
    """`pairing` where layers are brought in: each once for all texts, for either model."""

    def tell(way: Advanced) -> int:
        if stop is not None:
            stop.check()
        return 0

    sides: list[tuple[Patch | None, HiddenStates | None]] = []
    below: HiddenStates | None = None
    if patch is not None and patch.lowest_layer:
        below = yield from mapped(advancing(model, texts, None, patch.lowest_layer), tell)
    for edit in (None, patch) if patch is not None else (None,):
        with edit.applied(model) if edit is not None else nullcontext():
            sides.append((edit, (yield from mapped(settling(model, texts, below), tell))))

    @torch.no_grad()
    def both(rows: Sequence[int]) -> list[Result]:
        batch, logits = texts.batch(rows), list[torch.Tensor]()
        for edit, states in sides:
            applied = edit.applied(model) if edit is not None else nullcontext()
            with stoppable(model, stop), applied:
                logits.append(kept_logits(model, batch, rows, states))
        return look(rows, batch, logits[0], logits[1] if len(logits) > 1 else None)

    found: dict[int, Result] = {}
    order = sorted(range(len(texts)), key=texts.length)
    for rows, results in in_batches(order, _size(model, texts), model.device, both):
        found.update(zip(rows, results, strict=True))
        yield len(rows)
    return [found[row] for row in range(len(texts))]


def _size(model: LanguageModel, texts: TokenTable) -> int:
    """How many texts fit a pass, by what they and the logits of their targets take."""
    targets = max(len(text.target) for text in texts.texts)
    longest = max(text.length for text in texts.texts)
    by_logits = LOGITS_PER_PASS // (targets * model.shape.vocab_size)
    tokens = TOKENS_ON_CPU if model.device.type == "cpu" else TOKENS_PER_PASS
    return max(1, min(tokens // longest, by_logits))
