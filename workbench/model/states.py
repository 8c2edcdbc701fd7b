"""Hidden states, kept: what enters a layer, for every text, computed once.

One primitive, `advance`, takes texts from layer a to layer b; training, sweeps and evaluation
start from its result. Texts of like length pass together; where a layer is not on the device, all
texts pass it before it is let go.

Whether a model's states can be kept is checked on a few tokens when it is loaded; where the
check fails, everything starts at layer 0, the plain forward.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, Protocol

import torch

from workbench.errors import ModelError
from workbench.model.bypass import Feed, bypass, capture, head_only_where, returned_items
from workbench.model.context import Context
from workbench.model.hidden_states import HiddenStates, empty_states
from workbench.model.language_model import LanguageModel
from workbench.model.passes import TOKENS_PER_PASS, Advanced, Way, in_passes, passes_of
from workbench.model.tokens import TokenBatch, TokenTable, padded_to
from workbench.work.events import follow

__all__ = [
    "TOKENS_PER_PASS",
    "HiddenStates",
    "StatesKeeper",
    "advance",
    "advancing",
    "both_logits",
    "check_states",
    "kept_logits",
    "settling",
    "starting_at",
    "target_logits",
]


class StatesKeeper(Protocol):
    """Keeps states of texts on their way, so that it can be gone on with later."""

    def keep(
        self, layer: int, states: HiddenStates, rows: Sequence[int], *, at_once: bool = False
    ) -> None:
        """Keeps states of some texts, if it is time.

        Args:
            layer: whose input they are, whatever `states` says of others.
            states: of all texts that are wanted.
            rows: those that are there.
            at_once: whether there will be no other time.
        """


def starting_at(model: LanguageModel, layer: int) -> AbstractContextManager[Feed]:
    """A block in which the model's forward starts at a layer (see `bypass`)."""
    return bypass(model.layers, layer, model.returns) if layer else nullcontext(Feed())


def run(model: LanguageModel, input_ids: torch.Tensor, **more: Any) -> torch.Tensor:
    """The model's own forward; returns its logits."""
    logits: torch.Tensor = model.network(input_ids=input_ids, use_cache=False, **more).logits
    return logits


def target_logits(model: LanguageModel, batch: TokenBatch) -> torch.Tensor:
    """Logits where targets are predicted: (targets, vocabulary), float32.

    Starts where the surrounding `starting_at` block says. What stands before prompts is read, too.
    """
    if model.context is not None:
        batch = in_context(model, batch, model.context)
    head = model.network.get_output_embeddings()
    with head_only_where(head, batch.is_target):
        logits = run(model, batch.input_ids)
    return (logits if logits.ndim == 2 else logits[batch.is_target]).float()


def in_context(model: LanguageModel, batch: TokenBatch, context: Context) -> TokenBatch:
    """A batch with what stands before each of its prompts; targets and their order are the same."""
    lengths = batch.is_target.int().cumsum(dim=1).argmax(dim=1) + 1
    firsts = batch.is_target.int().argmax(dim=1) + 1
    texts = []
    for ids, first, length in zip(
        batch.input_ids.tolist(), firsts.tolist(), lengths.tolist(), strict=True
    ):
        place, added = context.before(model, ids[:first], length - first)
        texts.append((ids[:place] + list(added) + ids[place:length], first + len(added)))
    longest = max(len(ids) for ids, _ in texts)
    input_ids = torch.zeros((len(texts), longest), dtype=batch.input_ids.dtype)
    is_target = torch.zeros((len(texts), longest), dtype=torch.bool)
    for row, (ids, first) in enumerate(texts):
        input_ids[row, : len(ids)] = torch.tensor(ids)
        is_target[row, first - 1 : len(ids)] = True
    device = batch.input_ids.device
    return replace(batch, input_ids=input_ids.to(device), is_target=is_target.to(device))


def kept_logits(
    model: LanguageModel, batch: TokenBatch, rows: Sequence[int], states: HiddenStates | None
) -> torch.Tensor:
    """Logits where targets are predicted, going on from what is kept: (targets, vocabulary).

    Args:
        model: with whatever weights are swapped in from the states' layer on.
        batch: the texts of these rows.
        rows: of the texts whose states are kept.
        states: of all texts; None starts at the embedding.

    Raises:
        ModelError: something stands before prompts, of which no states are kept.
    """
    if model.context is not None and states is not None:
        raise ModelError("Facts before prompts need a model that is in memory as a whole.")
    with starting_at(model, states.layer if states is not None else 0) as feed:
        if states is not None:
            feed.states = states.padded(rows, model.device)
        return target_logits(model, batch)


def both_logits(
    model: LanguageModel,
    one: tuple[TokenBatch, Sequence[int], HiddenStates | None],
    other: tuple[TokenBatch, Sequence[int], HiddenStates | None],
) -> tuple[torch.Tensor, torch.Tensor]:
    """`kept_logits` of texts of two tables, in one pass; both are kept at the same layer, or none.

    Args:
        model: with whatever weights are swapped in from that layer on.
        one: a batch, its rows and the states of its table, as for `kept_logits`.
        other: the same of the other table.
    """
    batch = one[0].above(other[0])
    kept = [(states, rows) for _, rows, states in (one, other) if states is not None]
    with starting_at(model, kept[0][0].layer if kept else 0) as feed:
        if kept:
            longest = batch.input_ids.shape[1]
            states = [padded_to(longest, one.padded(rows, model.device)) for one, rows in kept]
            feed.states = torch.cat(states)
        logits = target_logits(model, batch)
    first = len(one[0].targets)
    return logits[:first], logits[first:]


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
    rows: Sequence[int] | None = None,
    keeper: StatesKeeper | None = None,
) -> Generator[Advanced, None, HiddenStates]:
    """`advance` in steps, each of which says how far it is; returns the states.

    A layer that does not stay on the device is brought in once, and all texts pass it.

    Args:
        model, texts, states, to, memory_limit: as for `advance`.
        rows: the texts that are wanted; the others have no states. None for all.
        keeper: is shown what is reached, so that the way can be gone on with later.
    """
    wanted = range(len(texts)) if rows is None else rows
    try:
        return (yield from _on_way(model, texts, states, to, memory_limit, wanted, keeper))
    finally:
        if model.stream is not None:
            model.stream.on_way = ""


def _on_way(
    model: LanguageModel,
    texts: TokenTable,
    states: HiddenStates | None,
    to: int,
    memory_limit: int | None,
    wanted: Sequence[int],
    keeper: StatesKeeper | None,
) -> Generator[Advanced, None, HiddenStates]:
    """The way that texts go; see `advancing`."""
    start = states.layer if states is not None else 0
    passes = passes_of(texts, wanted, model.device)
    way = Way(len(wanted), start, to)
    now, is_ours = states, False
    for stop in _stops(model, start, to):
        reached: HiddenStates | None = None
        passed: list[int] = []
        try:
            with _held(model, stop - 1):
                work = _passing(model, texts, now, stop)
                for done, part in in_passes(passes, model.device, work):
                    if reached is None:
                        old = now if is_ours else None
                        reached = _taking(texts, wanted, old, part, model, memory_limit)
                    reached.put(done, part)
                    passed += done
                    if keeper is not None and stop == to:
                        keeper.keep(stop, reached, passed)
                    yield way.passed(len(done), stop, model.stream)
        except GeneratorExit:
            if keeper is not None and reached is not None:
                keeper.keep(stop, reached, passed, at_once=True)
                rest = sorted(set(wanted) - set(passed))
                if now is not None and rest:
                    keeper.keep(now.layer, now, rest, at_once=True)
            raise
        assert reached is not None
        if keeper is not None and stop != to:
            keeper.keep(stop, reached, wanted)
        reached.layer = stop
        now, is_ours = reached, True
    assert now is not None
    return now


def _stops(model: LanguageModel, start: int, to: int) -> list[int]:
    """The layers at which all texts wait for each other: around each that has to be brought in."""
    if model.stream is None:
        return [to]
    streamed = [n for n in model.placement.streamed if start <= n < to]
    return sorted({stop for n in streamed for stop in (n, n + 1) if stop > start} | {to})


def _held(model: LanguageModel, layer: int) -> AbstractContextManager[None]:
    """A block in which a layer need not be brought in again for every pass."""
    return model.stream.here(layer) if model.stream is not None else nullcontext()


def _passing(
    model: LanguageModel, texts: TokenTable, states: HiddenStates | None, to: int
) -> Callable[[Sequence[int]], torch.Tensor]:
    """What takes some texts from where they are to a layer."""
    start = states.layer if states is not None else 0

    @torch.no_grad()
    def pass_through(rows: Sequence[int]) -> torch.Tensor:
        batch = texts.batch(rows)
        with starting_at(model, start) as feed:
            if states is not None:
                feed.states = states.padded(rows, model.device)
            return capture(model.layers, to, lambda: run(model, batch.input_ids))

    return pass_through


def _taking(
    texts: TokenTable,
    wanted: Sequence[int],
    old: HiddenStates | None,
    part: torch.Tensor,
    model: LanguageModel,
    memory_limit: int | None,
) -> HiddenStates:
    """What takes the states of all texts: those that they replace, where they are of one form."""
    if old is not None and old.flat.shape[1:] == part.shape[2:] and old.flat.dtype == part.dtype:
        return old
    return empty_states(texts, wanted, part, model.device, memory_limit)


def settling(
    model: LanguageModel,
    texts: TokenTable,
    states: HiddenStates | None,
    rows: Sequence[int] | None = None,
) -> Generator[Advanced, None, HiddenStates | None]:
    """Takes texts to where no layer has to be brought in any more, or only the last one.

    What is asked of many batches from there on reads no layer for each of them.

    Args:
        model: runs as it is, with whatever weights are swapped in.
        texts: the texts.
        states: what enters an earlier layer; None starts at the embedding.
        rows: see `advancing`.

    Returns:
        The states there; those that were given, where nothing is in the way.
    """
    start = states.layer if states is not None else 0
    if model.stream is None or not model.states_kept or not model.placement.streams_from(start):
        return states
    to = min(model.placement.resident_from, model.layer_count - 1)
    return (yield from advancing(model, texts, states, to, rows=rows)) if to > start else states


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
