"""Starting a model's own forward at layer k, and stopping it there.

For the duration of a `with` block, ``forward`` of layers 0..k-1 is replaced on the instances:
layer 0 returns stored hidden states, the others return their input. The model still builds its
own masks, rotary tables and soft-caps, so no line is written for any model family.

Invariant: the model at the end of a block is the model at its beginning.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from workbench.model.layers import LayerList

__all__ = [
    "Feed",
    "bypass",
    "capture",
    "capture_input",
    "capture_output",
    "head_only_where",
    "returned_items",
    "up_to",
]


@dataclass(slots=True)
class Feed:
    """What layer 0 returns while a bypass is on: (texts, longest, width) hidden states."""

    states: torch.Tensor | None = None


class _Captured(Exception):
    """Ends a forward pass whose remaining layers are not wanted."""


@contextmanager
def bypass(layers: LayerList, start: int, returns: int) -> Iterator[Feed]:
    """Layers below `start` do nothing; what is put into the yielded feed enters layer `start`.

    Args:
        layers: the model's layers.
        start: the first layer that still works; 0 changes nothing.
        returns: how many items a layer returns (see `returned_items`).
    """
    feed = Feed()

    def give(*args: Any, **kwargs: Any) -> Any:
        return _packed(feed.states, returns)

    def pass_on(*args: Any, **kwargs: Any) -> Any:
        return _packed(args[0] if args else kwargs["hidden_states"], returns)

    replaced: list[tuple[nn.Module, Callable[..., Any] | None]] = []
    try:
        for index in range(start):
            layer = layers[index]
            # accelerate may have put a forward of its own on the instance: it must come back.
            replaced.append((layer, layer.__dict__.get("forward")))
            layer.forward = give if index == 0 else pass_on
        yield feed
    finally:
        for layer, own in replaced:
            del layer.forward
            if own is not None:
                layer.forward = own


def _packed(states: Any, returns: int) -> Any:
    return (states, *([None] * (returns - 1))) if returns else states


def capture(layers: LayerList, at: int, run: Callable[[], Any]) -> torch.Tensor:
    """The hidden states that enter layer `at` during `run`, whose rest is not computed.

    Returns:
        (texts, longest, width) in the model's dtype.
    """
    return capture_input(layers[at], run)


def capture_input(module: nn.Module, run: Callable[[], Any]) -> torch.Tensor:
    """What enters a module during `run`, whose rest is not computed."""
    caught: list[torch.Tensor] = []

    def catch(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        caught.append(args[0] if args else kwargs["hidden_states"])
        raise _Captured

    return _caught(module.register_forward_pre_hook(catch, with_kwargs=True), caught, run)


def capture_output(module: nn.Module, run: Callable[[], Any]) -> torch.Tensor:
    """What leaves a module during `run`, whose rest is not computed; of several, the first."""
    caught: list[torch.Tensor] = []

    def catch(module: nn.Module, args: Any, output: Any) -> None:
        caught.append(output[0] if isinstance(output, tuple | list) else output)
        raise _Captured

    return _caught(module.register_forward_hook(catch), caught, run)


def up_to(module: nn.Module | None, run: Callable[[], Any]) -> None:
    """Does `run` up to where a module begins; as a whole where it is None or not called."""

    def end(module: nn.Module, args: Any) -> None:
        raise _Captured

    hook = module.register_forward_pre_hook(end) if module is not None else None
    try:
        run()
    except _Captured:
        pass
    finally:
        if hook is not None:
            hook.remove()


def _caught(
    hook: RemovableHandle, caught: list[torch.Tensor], run: Callable[[], Any]
) -> torch.Tensor:
    try:
        run()
    except _Captured:
        pass
    finally:
        hook.remove()
    return caught[0]


def returned_items(layers: LayerList, run: Callable[[], Any]) -> int:
    """How many items layer 0 returns when `run` calls the model: 0 for a bare tensor."""
    seen: list[int] = []

    def look(module: nn.Module, args: Any, output: Any) -> None:
        seen.append(len(output) if isinstance(output, tuple | list) else 0)

    hook = layers[0].register_forward_hook(look)
    try:
        run()
    finally:
        hook.remove()
    return seen[0]


@contextmanager
def head_only_where(head: nn.Module | None, places: torch.Tensor) -> Iterator[None]:
    """The vocabulary projection is computed only where it is needed.

    Inside the block, the head's input (texts, longest, width) becomes (places, width), and so
    the model's logits (places, vocabulary).

    Args:
        head: the model's output embedding; None changes nothing.
        places: (texts, longest) True where logits are wanted.
    """
    if head is None:
        yield
        return

    def select(module: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        # A few models have several streams of states here; then all logits are computed.
        return (args[0][places] if args[0].shape[:-1] == places.shape else args[0],)

    hook = head.register_forward_pre_hook(select)
    try:
        yield
    finally:
        hook.remove()
