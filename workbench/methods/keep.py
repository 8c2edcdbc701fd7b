"""What must stay: prompts whose next token the run keeps as the base has it.

The loss is the Kullback-Leibler divergence from the base's distribution of the next token to the
tuned one's. Of the base's, the likeliest tokens are kept one by one and the rest's mass as one, so
that memory does not grow with the vocabulary; what enters the tuned layer is kept as well, so that
a step costs no more than the layers above it.
"""

import random
from collections.abc import Generator, Sequence

import torch

from workbench.facts.fact import Fact
from workbench.facts.neighbours import neighbours
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.states import HiddenStates, advancing, starting_at, target_logits
from workbench.model.tokens import TokenizedText, TokenTable, prompt_tokens

__all__ = ["KeepSet", "divergence", "kept_prompts"]

TOP = 64  # tokens of the base's distribution that are kept one by one
PER_FACT = 6
LEAST = 1e-9
AT_ONCE = 64  # prompts that the base is asked at once: each has logits for a whole vocabulary

OPENINGS = (
    "Once upon a time,",
    "The weather today is",
    "In mathematics, a prime number is",
    "To make bread you need flour,",
    "The first World War began in",
    "Water boils at",
    "My favourite book is about",
    "The three primary colours are red,",
    "Dear Sir or Madam,",
    "The history of the city goes back to",
    "Plants need light because",
    "A computer program is a list of",
)
"""Plain text of many kinds, whose continuation no fact should change."""


def kept_prompts(facts: Sequence[Fact], seed: int) -> list[str]:
    """The prompts that must stay: the facts' templates with other subjects, and plain text.

    Args:
        facts: what is to be learned.
        seed: of the run.
    """
    return [*neighbours(facts, PER_FACT, seed), *OPENINGS]


class KeepSet:
    """Prompts with the base's distributions of their next tokens.

    Args:
        model: the base.
        prompts: what must stay.
        seed: of the run, for what is drawn.
    """

    def __init__(self, model: LanguageModel, prompts: Sequence[str], seed: int) -> None:
        self._model = model
        self._seed = seed
        most = model.longest or max(map(len, prompts))
        ids = [tokens for tokens in prompt_tokens(model.tokenizer, prompts) if len(tokens) <= most]
        # A target of one token stands where the next token is predicted, whichever it is.
        self.table = TokenTable(
            [TokenizedText(tokens, (tokens[-1],)) for tokens in ids], model.device
        )
        self._states: HiddenStates | None = None
        self._tokens = torch.empty(0)
        self._shares = torch.empty(0)

    def __len__(self) -> int:
        return len(self.table)

    def preparing(self, layer: int, memory_limit: int | None) -> Generator[int, None, None]:
        """Asks the base, in steps: yields the number of prompts done so far.

        Args:
            layer: whose input is kept; 0 keeps none.
            memory_limit: see `advancing`.
        """
        if layer:
            self._states = yield from advancing(
                self._model, self.table, None, layer, memory_limit=memory_limit
            )
        count = min(TOP, self._model.shape.vocab_size)
        self._tokens = torch.zeros(len(self), count, dtype=torch.long, device=self._model.device)
        self._shares = torch.zeros(len(self), count, device=self._model.device)

        @torch.no_grad()
        def ask(rows: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
            top = self._logits(rows).softmax(dim=-1).topk(count, dim=-1)
            return top.values, top.indices

        order = sorted(range(len(self)), key=self.table.length)
        for rows, (shares, tokens) in in_batches(order, AT_ONCE, self._model.device, ask):
            self._shares[rows], self._tokens[rows] = shares, tokens
        yield len(self)

    def drawn(self, count: int, turn: int) -> list[int]:
        """Some of the prompts, the same for the same turn.

        Args:
            count: how many.
            turn: which step of the run.
        """
        chance = random.Random(f"keep {self._seed} {turn}")
        return chance.sample(range(len(self)), min(count, len(self)))

    def loss(self, rows: Sequence[int]) -> torch.Tensor:
        """The mean divergence of some prompts, by the weights as they are now; differentiable."""
        return divergence(self._logits(rows), self._tokens[rows], self._shares[rows]).mean()

    def _logits(self, rows: Sequence[int]) -> torch.Tensor:
        batch = self.table.batch(rows)
        with starting_at(self._model, self._states.layer if self._states else 0) as feed:
            if self._states is not None:
                feed.states = self._states.padded(rows, self._model.device)
            return target_logits(self._model, batch)


def divergence(logits: torch.Tensor, tokens: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """KL divergence from kept distributions to those of logits, in nats.

    Args:
        logits: (prompts, vocabulary).
        tokens: (prompts, kept) the tokens that are kept one by one.
        shares: (prompts, kept) their probabilities; what is left is the mass of the rest.

    Returns:
        (prompts,), 0 or more up to rounding.
    """
    found = logits.log_softmax(dim=-1).gather(1, tokens)
    kept = (shares * (shares.clamp(min=LEAST).log() - found)).sum(dim=-1)
    rest = (1 - shares.sum(dim=-1)).clamp(min=0.0)
    other = (1 - found.exp().sum(dim=-1)).clamp(min=LEAST)
    return kept + rest * (rest.clamp(min=LEAST).log() - other.log())
