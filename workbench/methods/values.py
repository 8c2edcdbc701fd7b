"""The value of a fact: what a layer would have to say at a token, so that the answer follows.

MEMIT (Meng et al., arXiv 2210.07229, where it finds the vectors of the last layer; the objective is
that for the value v* of ROME, arXiv 2202.05262): with what leaves the layer at that token moved by
delta, the mean over several texts of the answer's loss, the divergence of what is said of the
subject alone, and the length of delta are made small by Adam, in a ball. Every fact has a delta of
its own, so that those of one batch are found side by side, as if each were alone. Invariant: the
model's weights stay as they are.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from workbench.methods.loss import text_losses
from workbench.methods.written_facts import WrittenFacts
from workbench.methods.written_settings import WrittenSettings
from workbench.model.language_model import LanguageModel
from workbench.model.states import HiddenStates, advance, kept_logits
from workbench.model.tokens import TokenTable

__all__ = ["ENOUGH", "ValueSearch"]

ENOUGH = 0.05
"""A fact's delta is left as it is once its whole loss is below this."""

LEAST = 1e-12


class ValueSearch:
    """The values of some facts, found step by step.

    Args:
        model: with whatever weights are swapped in; the same at every step.
        facts: all facts.
        rows: which of them.
        layer: whose output is moved.
        settings: how; see `WrittenSettings`.
        states: of all texts, where they enter a layer below all that is swapped in; None for none.
    """

    def __init__(
        self,
        model: LanguageModel,
        facts: WrittenFacts,
        rows: Sequence[int],
        layer: int,
        settings: WrittenSettings,
        states: HiddenStates | None,
    ) -> None:
        self._model, self._layer, self._settings = model, layer, settings
        texts = facts.texts(rows, range(facts.blocks + 1))
        self._blocks, self._count = facts.blocks, len(rows)
        self._table = TokenTable([facts.table.texts[text] for text in texts], model.device)
        self._states: HiddenStates | None = None
        if model.states_kept and layer:
            below = states.of(texts) if states is not None else None
            self._states = advance(model, self._table, below, layer)
        self._places = facts.at(texts, model.device)
        self._essences = torch.tensor(
            [facts.essences[row] for row in rows], dtype=torch.float32, device=model.device
        )
        self._open = list(range(self._count))
        self._step = 0
        self._begin()
        self._before: torch.Tensor | None = None
        self.losses = torch.zeros(self._count)
        """Mean loss of each fact's answer when it was looked at last."""

    @property
    def done(self) -> bool:
        """Whether there is nothing more to be found."""
        return self._step >= self._settings.value_steps

    @property
    def values(self) -> torch.Tensor:
        """What should leave the layer for each fact: (facts, width), float32."""
        found: torch.Tensor = self._start + (self._moved * self._size).detach()
        return found

    def step(self) -> None:
        """Looks at the values so far, and takes one step where one is needed."""
        losses = self._losses()
        still = (losses.detach() >= ENOUGH).tolist()
        looked = [fact for fact, more in zip(self._open, still, strict=True) if more]
        self._step += 1
        if not looked or self.done:
            self._step = self._settings.value_steps
            return
        self._optimizer.zero_grad()
        losses.sum().backward()  # type: ignore[no-untyped-call]
        self._open = looked
        with torch.no_grad():
            before = self._moved.detach().clone()
            self._optimizer.step()
            moved = self._moved[looked]
            norms = (moved * self._size[looked]).norm(dim=1, keepdim=True)
            most = self._settings.value_norm * self._length[looked, None]
            before[looked] = moved * (most / norms.clamp(min=LEAST)).clamp(max=1.0)
            self._moved.copy_(before)

    @torch.no_grad()
    def _begin(self) -> None:
        """What stands at the tokens of the facts alone; no delta yet."""
        seen: list[torch.Tensor] = []

        def look(states: torch.Tensor) -> torch.Tensor:
            seen.append(states)
            return states

        alone = range(self._count)
        with _output(self._model.layers[self._layer], look):
            kept_logits(self._model, self._table.batch(alone), alone, self._states)
        rows = torch.arange(self._count, device=self._model.device)
        self._start = seen[0][rows, self._places[: self._count]].float()
        self._length = self._start.norm(dim=1)
        self._size = self._length[:, None] / self._start.shape[1] ** 0.5
        self._moved = torch.zeros_like(self._start, requires_grad=True)
        self._optimizer = torch.optim.Adam([self._moved], lr=self._settings.value_rate)

    def _losses(self) -> torch.Tensor:
        """The whole loss of each fact that is still open, in their order; differentiable."""
        device, facts = self._model.device, torch.tensor(self._open, device=self._model.device)
        texts = [b * self._count + fact for b in range(self._blocks + 1) for fact in self._open]
        places, rows = self._places[texts], torch.arange(len(texts), device=device)
        delta = self._moved[facts] * self._size[facts]
        answers = self._blocks * len(self._open)

        def move(states: torch.Tensor) -> torch.Tensor:
            added = delta.repeat(self._blocks + 1, 1).to(states.dtype)
            return states.index_put((rows, places), added, accumulate=True)

        batch = self._table.batch(texts)
        with _output(self._model.layers[self._layer], move):
            logits = kept_logits(self._model, batch, texts, self._states)
        said = text_losses(logits, batch)[:answers].view(self._blocks, -1).mean(dim=0)
        self.losses[self._open] = said.detach().cpu()
        now = logits[batch.text_of_target >= answers].log_softmax(dim=-1)
        if self._before is None:
            self._before = now.detach()
        diverged = (now.exp() * (now - self._before[facts])).sum(dim=-1) * self._essences[facts]
        how = self._settings
        decay = (delta.square().sum(dim=1) + LEAST).sqrt() / self._length[facts].square()
        whole: torch.Tensor = said + how.value_keep * diverged + how.value_decay * decay
        return whole


@contextmanager
def _output(layer: nn.Module, change: Any) -> Iterator[None]:
    """A block in which what leaves a layer is changed."""

    def hook(module: nn.Module, args: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (change(output[0]), *output[1:])
        return change(output)

    handle = layer.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
