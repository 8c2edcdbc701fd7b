"""Inside a model at a prompt: how likely an answer is after each layer, and which words matter.

After each layer the hidden states go through the model's own norm and head alone, as if no
further layer were there (the logit lens). Words are weighed by gradient times input: the slope of
the answer's log-probability along a token's embedding. Invariant: the model is as it was.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from workbench.errors import ModelError
from workbench.model.language_model import LanguageModel
from workbench.model.states import starting_at, target_logits
from workbench.model.tokens import TokenBatch, TokenizedText, TokenTable

__all__ = ["answer_by_layer", "can_be_read", "pull_of_words", "without_end"]


def can_be_read(model: LanguageModel) -> str:
    """Why the states between layers cannot be read here; empty when they can."""
    return "" if model.states_kept else f"Its layers cannot be told apart: {model.fallback}."


def without_end(text: TokenizedText) -> TokenizedText:
    """A text whose answer has no end, so that the words alone count."""
    return TokenizedText(text.prompt, text.target[:-1] if len(text.target) > 1 else text.target)


@torch.no_grad()
def answer_by_layer(model: LanguageModel, text: TokenizedText) -> tuple[float, ...]:
    """How likely the answer's tokens are, before the first layer and after each.

    Args:
        model: with whatever weights are swapped in.
        text: prompt and answer.

    Returns:
        The geometric mean of the tokens' probabilities, one more than there are layers; the last
        is the model's own.

    Raises:
        ModelError: the states between its layers cannot be read.
    """
    why = can_be_read(model)
    if why:
        raise ModelError(why)
    batch = TokenTable([text], model.device).batch([0])
    with _watching(model) as states:
        own = _mean_probability(target_logits(model, batch), batch)
    found = []
    for state in states[:-1]:
        with starting_at(model, model.layer_count) as feed:
            feed.states = state
            found.append(_mean_probability(target_logits(model, batch), batch))
    return (*found, own)


def pull_of_words(model: LanguageModel, text: TokenizedText) -> tuple[float, ...]:
    """How much each token of the prompt speaks for the answer: gradient times input.

    Of what stands before the prompt, nothing is told.

    Args:
        model: with whatever weights are swapped in.
        text: prompt and answer.

    Raises:
        ModelError: a layer does not stay on the device, so that no gradient gets through it.
    """
    if model.stream is not None:
        raise ModelError(
            "Which words matter cannot be told while layers are read as they are needed. Choose a "
            "device that holds the model."
        )
    batch = TokenTable([text], model.device).batch([0])
    caught: list[torch.Tensor] = []

    def catch(module: nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor:
        caught.append(output.detach().requires_grad_())
        return caught[0]

    hook = model.network.get_input_embeddings().register_forward_hook(catch)
    try:
        with torch.enable_grad():
            logits = target_logits(model, batch)
            (slope,) = torch.autograd.grad(_log_likelihood(logits, batch), caught[0])
    finally:
        hook.remove()
    parts = (slope.float() * caught[0].detach().float()).sum(dim=-1)[0]
    place, added = 0, 0
    if model.context is not None:
        place, before = model.context.before(model, text.prompt, len(text.target) - 1)
        added = len(before)
    own = [*range(place), *range(place + added, len(text.prompt) + added)]
    return tuple(parts[own].tolist())


def _log_likelihood(logits: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
    return -functional.cross_entropy(logits, batch.targets)


def _mean_probability(logits: torch.Tensor, batch: TokenBatch) -> float:
    return float(_log_likelihood(logits, batch).exp())


@contextmanager
def _watching(model: LanguageModel) -> Iterator[list[torch.Tensor]]:
    """What enters the first layer and what leaves each, during a pass."""
    states: list[torch.Tensor] = []

    def enter(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        states.append(args[0] if args else kwargs["hidden_states"])

    def leave(module: nn.Module, args: Any, output: Any) -> None:
        states.append(output[0] if isinstance(output, tuple | list) else output)

    with ExitStack() as hooks:
        first = model.layers[0].register_forward_pre_hook(enter, with_kwargs=True)
        hooks.callback(first.remove)
        for index in range(model.layer_count):
            hooks.callback(model.layers[index].register_forward_hook(leave).remove)
        yield states
