"""Neighbours that a run only looks at: are they still answered with the base's first token?

Their prompts are those by which the facts' locality is measured; nothing is ever trained on them.
"""

import random
from collections.abc import Sequence

import torch

from workbench.facts.fact import Fact
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.states import HiddenStates, advance, kept_logits, settling
from workbench.model.tokens import TokenizedText, TokenTable, prompt_tokens
from workbench.work.events import follow

__all__ = ["WatchedNeighbours"]

MOST = 32
AT_ONCE = 32


class WatchedNeighbours:
    """Some of the facts' locality prompts, with the base's first tokens.

    Args:
        model: the base.
        facts: what is to be learned.
        seed: draws the prompts where there are many.
        layer: whose input is kept; 0 keeps none.
    """

    def __init__(self, model: LanguageModel, facts: Sequence[Fact], seed: int, layer: int) -> None:
        self._model = model
        prompts = sorted({question.prompt for fact in facts for question in fact.locality_prompts})
        drawn = random.Random(f"watched {seed}").sample(prompts, min(MOST, len(prompts)))
        ids = prompt_tokens(model.tokenizer, drawn)
        # A target of one token stands where the next token is predicted, whichever it is.
        texts = [
            TokenizedText(one, (one[-1],)) for one in ids if len(one) <= (model.longest or len(one))
        ]
        self._count = len(texts)
        self._states: HiddenStates | None = None
        if not texts:
            return
        self._table = TokenTable(texts, model.device)
        if layer:
            self._states = advance(model, self._table, None, layer)
        self._first = self._first_tokens()

    def unchanged(self) -> float | None:
        """The share whose first token is the base's, by the weights as they are; None for none."""
        if not self._count:
            return None
        return float((self._first_tokens() == self._first).float().mean())

    @torch.no_grad()
    def _first_tokens(self) -> torch.Tensor:
        found = torch.zeros(self._count, dtype=torch.long)
        states = follow(settling(self._model, self._table, self._states))

        def likeliest(rows: Sequence[int]) -> torch.Tensor:
            batch = self._table.batch(rows)
            return kept_logits(self._model, batch, rows, states).argmax(dim=-1).cpu()

        order = sorted(range(self._count), key=self._table.length)
        for rows, tokens in in_batches(order, AT_ONCE, self._model.device, likeliest):
            found[list(rows)] = tokens
        return found
