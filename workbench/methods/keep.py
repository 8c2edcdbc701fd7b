"""What must stay, held: prompts whose answers the run keeps as the base gives them.

The loss is the Kullback-Leibler divergence from the base's distributions to the tuned ones, at each
token of what the base answers. Of the base's, the likeliest tokens are kept one by one and the
rest's mass as one, so that memory does not grow with the vocabulary; what enters the tuned layer is
kept as well, so that a step costs no more than the layers above it.
"""

import random
from collections.abc import Generator, Iterator, Sequence
from itertools import accumulate

import torch

from workbench.methods.kept_prompts import KeptPrompt, answered
from workbench.methods.recipes import Kept
from workbench.model.bypass import capture
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.passes import Advanced
from workbench.model.states import HiddenStates, advancing, kept_logits, settling
from workbench.model.tokens import TokenBatch, TokenizedText, TokenTable

__all__ = ["KeepSet", "divergence"]

TOP = 64  # tokens of the base's distribution that are kept one by one
LEAST = 1e-9
AT_ONCE = 16  # texts that the base is asked at once: each token has logits for a whole vocabulary
TOKENS_A_PROMPT = 12  # as a guess, before the prompts are tokens

SHARES: dict[Kept, float] = {"neighbours": 3.0, "text": 1.0, "chats": 0.5, "yours": 2.0}
"""How often each kind is drawn, relative to the others."""


class KeepSet:
    """Prompts with the base's answers, and its distributions at each of their tokens.

    Args:
        model: the base.
        prompts: what must stay.
        seed: of the run, for what is drawn.
    """

    def __init__(self, model: LanguageModel, prompts: Sequence[KeptPrompt], seed: int) -> None:
        self._model = model
        self._seed = seed
        self._prompts = prompts
        self._table: TokenTable | None = None
        self._kinds: dict[Kept, range] = {}
        self._states: HiddenStates | None = None
        self._starts: tuple[int, ...] = ()
        self._tokens = torch.empty(0)
        self._shares = torch.empty(0)

    @property
    def expected_tokens(self) -> int:
        """About how many tokens all texts have."""
        return sum(TOKENS_A_PROMPT + prompt.answer_tokens for prompt in self._prompts)

    @property
    def asking_bytes(self) -> int:
        """About what the base's logits and their shares take while it is asked."""
        longest = sorted((prompt.answer_tokens for prompt in self._prompts), reverse=True)[:AT_ONCE]
        of_logit = 8 if self._model.dtype == torch.float32 else self._model.dtype.itemsize + 8
        return sum(longest) * self._model.shape.vocab_size * of_logit

    def __len__(self) -> int:
        return len(self._prompts)

    def preparing(self, layer: int, memory_limit: int | None) -> Generator[Advanced, None, None]:
        """Asks the base, in steps, each of which says how far it is.

        What was prepared for another layer goes on from there.

        Args:
            layer: whose input is kept; 0 keeps none.
            memory_limit: see `advancing`.
        """
        if self._table is None:
            yield from self._ask()
        if not len(self._table or ()):
            return
        assert self._table is not None
        if self._states is not None and self._states.layer > layer:
            self._states = None
        if layer and (self._states is None or self._states.layer < layer):
            self._states = yield from advancing(
                self._model, self._table, self._states, layer, memory_limit=memory_limit
            )
        if not self._starts:
            yield from self._keep_distributions(self._table)
        yield Advanced(len(self))

    def _ask(self) -> Iterator[Advanced]:
        """What is to be said to the prompts, kind by kind."""
        texts: list[TokenizedText] = []
        for kind in SHARES:
            start = len(texts)
            for chat in (False, True):
                asked = [p for p in self._prompts if (p.kind, p.chat) == (kind, chat)]
                texts += answered(self._model, asked)
            if len(texts) > start:
                self._kinds[kind] = range(start, len(texts))
            yield Advanced(len(texts))
        self._table = TokenTable(texts, self._model.device)

    def _keep_distributions(self, table: TokenTable) -> Iterator[Advanced]:
        texts = table.texts
        self._starts = (0, *accumulate(len(text.target) for text in texts))
        count = min(TOP, self._model.shape.vocab_size)
        shape, device = (self._starts[-1], count), self._model.device
        self._tokens = torch.zeros(shape, dtype=torch.long, device=device)
        self._shares = torch.zeros(shape, device=device)

        states = yield from settling(self._model, table, self._states)

        @torch.no_grad()
        def ask(rows: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
            logits = kept_logits(self._model, table.batch(rows), rows, states)
            top = logits.softmax(dim=-1).topk(count, dim=-1)
            return top.values, top.indices

        order = sorted(range(len(texts)), key=lambda row: texts[row].length)
        for rows, (shares, tokens) in in_batches(order, AT_ONCE, device, ask):
            places = self._places(rows)
            self._shares[places], self._tokens[places] = shares, tokens

    def _places(self, rows: Sequence[int]) -> torch.Tensor:
        """Where the distributions of some texts stand, text by text."""
        places = [place for row in rows for place in range(*self._starts[row : row + 2])]
        return torch.tensor(places, device=self._model.device)

    def drawn(self, count: int, turn: int) -> list[int]:
        """Some of the texts, each kind by its share, the same for the same turn.

        Args:
            count: how many.
            turn: which step of the run.
        """
        chance = random.Random(f"keep {self._seed} {turn}")
        kinds = list(self._kinds)
        if not kinds:
            return []
        drawn = chance.choices(kinds, [SHARES[kind] for kind in kinds], k=count)
        return [chance.choice(self._kinds[kind]) for kind in drawn]

    def asked(self, rows: Sequence[int]) -> tuple[TokenBatch, Sequence[int], HiddenStates | None]:
        """Some of the texts as `kept_logits` takes them."""
        assert self._table is not None
        return self._table.batch(rows), rows, self._states

    def divergences(self, rows: Sequence[int], logits: torch.Tensor) -> torch.Tensor:
        """Each text's mean divergence at its tokens; differentiable.

        Args:
            rows: the texts.
            logits: what the model says where their targets are.
        """
        assert self._table is not None
        batch, places = self._table.batch(rows), self._places(rows)
        found = divergence(logits, self._tokens[places], self._shares[places])
        return batch.sum_by_text(found) / batch.sum_by_text(torch.ones_like(found))

    def batches(self) -> list[list[int]]:
        """All texts, once they are prepared, in batches of similar length."""
        texts = self._table.texts if self._table is not None else ()
        order = sorted(range(len(texts)), key=lambda row: texts[row].length)
        return [order[first : first + AT_ONCE] for first in range(0, len(order), AT_ONCE)]

    def lengths(self, rows: Sequence[int]) -> list[int]:
        """How many tokens the model reads of some texts."""
        assert self._table is not None
        return [self._table.length(row) for row in rows]

    def pass_to(self, layer: int, rows: Sequence[int]) -> None:
        """Some texts go through the layers before one of them, or through all where it is none."""
        if layer >= self._model.layer_count:
            self.logits(rows)
        else:
            capture(self._model.layers, layer, lambda: self.logits(rows))

    def logits(self, rows: Sequence[int]) -> torch.Tensor:
        """What the model says where the targets of some texts are: (targets, vocabulary)."""
        return kept_logits(self._model, *self.asked(rows))


def divergence(logits: torch.Tensor, tokens: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """KL divergence from kept distributions to those of logits, in nats.

    Args:
        logits: (places, vocabulary).
        tokens: (places, kept) the tokens that are kept one by one.
        shares: (places, kept) their probabilities; what is left is the mass of the rest.

    Returns:
        (places,), 0 or more up to rounding.
    """
    found = logits.log_softmax(dim=-1).gather(1, tokens)
    kept = (shares * (shares.clamp(min=LEAST).log() - found)).sum(dim=-1)
    rest = (1 - shares.sum(dim=-1)).clamp(min=0.0)
    other = (1 - found.exp().sum(dim=-1)).clamp(min=LEAST)
    return kept + rest * (rest.clamp(min=LEAST).log() - other.log())
