"""Hidden states, kept: what enters a layer, for every text, computed once.

One primitive, `advance`, takes texts from layer a to layer b; training, sweeps and evaluation
start from its result. States are kept unpadded, in the model's dtype, on the model's device
while there is room, then in memory, then on disk.

Whether a model's states can be kept is checked on a few tokens when it is loaded; where the
check fails, everything starts at layer 0, the plain forward.
"""

import math
import shutil
import tempfile
import weakref
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import psutil
import torch

from workbench.model.bypass import Feed, bypass, capture, head_only_where, returned_items
from workbench.model.language_model import LanguageModel
from workbench.model.memory import free_memory, in_batches
from workbench.model.tokens import TokenBatch, TokenTable
from workbench.work.events import follow

__all__ = [
    "HiddenStates",
    "advance",
    "advancing",
    "check_states",
    "kept_logits",
    "starting_at",
    "target_logits",
]

TOKENS_PER_PASS = 16_384


@dataclass
class HiddenStates:
    """What enters a layer, for every text.

    Args:
        layer: the layer that these states enter.
        flat: (all texts' tokens, width), text after text; a few models have several streams, (all
            texts' tokens, streams, width).
        starts: row of each text's first token in `flat`, and one past the last.
        folder: where `flat` lies when it is on disk; goes when the states go.
    """

    layer: int
    flat: torch.Tensor
    starts: tuple[int, ...]
    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.folder is not None:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def on_disk(self) -> bool:
        """Whether the states did not fit in memory."""
        return self.folder is not None

    def of(self, rows: Sequence[int]) -> "HiddenStates":
        """The states of some texts alone, in the order of `rows`."""
        spans = [self.flat[self.starts[row] : self.starts[row + 1]] for row in rows]
        return HiddenStates(self.layer, torch.cat(spans), (0, *accumulate(map(len, spans))))

    def padded(self, rows: Sequence[int], device: torch.device) -> torch.Tensor:
        """The states of some texts as (texts, longest, width) on the device.

        What stands behind a text is some other state: nothing looks at it.
        """
        lengths = [self.starts[row + 1] - self.starts[row] for row in rows]
        places = torch.tensor([self.starts[row] for row in rows]).unsqueeze(1) + torch.arange(
            max(lengths)
        )
        places = places.clamp_(max=self.flat.shape[0] - 1).to(self.flat.device)
        return self.flat[places].to(device, non_blocking=True)


def starting_at(model: LanguageModel, layer: int) -> AbstractContextManager[Feed]:
    """A block in which the model's forward starts at a layer (see `bypass`)."""
    return bypass(model.layers, layer, model.returns) if layer else nullcontext(Feed())


def run(model: LanguageModel, input_ids: torch.Tensor, **more: Any) -> torch.Tensor:
    """The model's own forward; returns its logits."""
    logits: torch.Tensor = model.network(input_ids=input_ids, use_cache=False, **more).logits
    return logits


def target_logits(model: LanguageModel, batch: TokenBatch) -> torch.Tensor:
    """Logits where targets are predicted: (targets, vocabulary), float32.

    Starts where the surrounding `starting_at` block says.
    """
    head = model.network.get_output_embeddings()
    with head_only_where(head, batch.is_target):
        logits = run(model, batch.input_ids)
    return (logits if logits.ndim == 2 else logits[batch.is_target]).float()


def kept_logits(
    model: LanguageModel, batch: TokenBatch, rows: Sequence[int], states: HiddenStates | None
) -> torch.Tensor:
    """Logits where targets are predicted, going on from what is kept: (targets, vocabulary).

    Args:
        model: with whatever weights are swapped in from the states' layer on.
        batch: the texts of these rows.
        rows: of the texts whose states are kept.
        states: of all texts; None starts at the embedding.
    """
    with starting_at(model, states.layer if states is not None else 0) as feed:
        if states is not None:
            feed.states = states.padded(rows, model.device)
        return target_logits(model, batch)


def advance(
    model: LanguageModel,
    texts: TokenTable,
    states: HiddenStates | None,
    to: int,
    *,
    memory_limit: int | None = None,
) -> HiddenStates:
    """Takes texts from the layer where their states are to a later one.

    Args:
        model: runs as it is, with whatever weights are swapped in.
        texts: the texts, in the order in which their states are kept.
        states: what enters an earlier layer; None starts at the embedding.
        to: the layer whose input is wanted; not before that of `states`.
        memory_limit: bytes of main memory that the result may take before it goes to disk;
            None takes half of what is free.

    Raises:
        MemoryShortage: not even one text fits.
    """
    return follow(advancing(model, texts, states, to, memory_limit=memory_limit))


def advancing(
    model: LanguageModel,
    texts: TokenTable,
    states: HiddenStates | None,
    to: int,
    *,
    memory_limit: int | None = None,
) -> Generator[int, None, HiddenStates]:
    """`advance` in steps: yields the number of texts done so far, returns the states."""
    start = states.layer if states is not None else 0
    starts = (0, *accumulate(text.length for text in texts.texts))
    order = sorted(range(len(texts)), key=texts.length)
    kept: HiddenStates | None = None
    done = 0

    @torch.no_grad()
    def pass_through(rows: Sequence[int]) -> torch.Tensor:
        batch = texts.batch(rows)
        with starting_at(model, start) as feed:
            if states is not None:
                feed.states = states.padded(rows, model.device)
            return capture(model.layers, to, lambda: run(model, batch.input_ids))

    size = max(1, TOKENS_PER_PASS // texts.length(order[-1]))
    for rows, reached in in_batches(order, size, model.device, pass_through):
        if kept is None:
            flat, folder = _room(starts[-1], reached, model.device, memory_limit)
            kept = HiddenStates(to, flat, starts, folder)
        for row, state in zip(rows, reached, strict=True):
            kept.flat[starts[row] : starts[row + 1]] = state[: texts.length(row)]
        done += len(rows)
        yield done
    assert kept is not None
    return kept


def _room(
    tokens: int, like: torch.Tensor, device: torch.device, memory_limit: int | None
) -> tuple[torch.Tensor, Path | None]:
    """An empty (tokens, width) tensor: on the device, in memory, or in a file, by what is free."""
    shape, dtype = (tokens, *like.shape[2:]), like.dtype
    size = math.prod(shape)
    needed = size * dtype.itemsize
    if device.type != "cpu" and needed < free_memory(device) // 4:
        return torch.empty(shape, dtype=dtype, device=device), None
    limit = psutil.virtual_memory().available // 2 if memory_limit is None else memory_limit
    if needed <= limit:
        return torch.empty(shape, dtype=dtype), None
    folder = Path(tempfile.mkdtemp(prefix="workbench-states-"))
    flat = torch.from_file(str(folder / "states"), shared=True, size=size, dtype=dtype)
    return flat.view(shape), folder


@torch.no_grad()
def check_states(model: LanguageModel) -> tuple[int, str]:
    """Compares a forward that starts at a layer with the full one, on a few tokens.

    Returns:
        How many items a layer returns (see `returned_items`), and why hidden states cannot be
        kept; the latter is empty when every layer that was tried gave the same logits.
    """
    vocabulary = model.network.get_input_embeddings().num_embeddings
    ids = (torch.arange(24, device=model.device) * 7 + 3).remainder(vocabulary).view(2, 12)
    full = run(model, ids)
    try:
        model.returns = returned_items(model.layers, lambda: run(model, ids))
        for layer in sorted({1, len(model.layers) // 2, len(model.layers) - 1} - {0}):
            if layer >= len(model.layers):
                continue
            states = capture(model.layers, layer, lambda: run(model, ids))
            if states.ndim < 3 or states.shape[:2] != ids.shape:
                return 0, f"what enters layer {layer} is not a state for each token"
            with starting_at(model, layer) as feed:
                feed.states = states
                again = run(model, ids)
            # On a CPU equal means equal; elsewhere two passes may differ by rounding alone.
            allowed = 0.0 if model.device.type == "cpu" else 0.01 * full.abs().max().item()
            off = (again - full).abs().max().item()
            if not off <= allowed:
                return 0, f"starting at layer {layer} changes the logits by {off:.2g}"
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return 0, f"this architecture cannot start at a later layer ({reason})"
    return model.returns, ""
