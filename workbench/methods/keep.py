"""What must stay, held: prompts whose answers the run keeps as the base gives them.

The loss is the Kullback-Leibler divergence from the base's distributions to the tuned ones, at each
token of what the base answers. Of the base's, the likeliest tokens are kept one by one and the
rest's mass as one, so that memory does not grow with the vocabulary; what enters the tuned layer is
kept as well, so that a step costs no more than the layers above it.
"""

import random
from collections.abc import Generator, Iterator, Sequence
from functools import cached_property, partial
from itertools import accumulate

import torch

from workbench.methods.footprint import pass_bytes
from workbench.methods.kept_prompts import KeptPrompt, answering, asking_bytes, sizes
from workbench.methods.recipes import Kept
from workbench.model.bypass import capture, up_to
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.passes import Advanced
from workbench.model.states import HiddenStates, advancing, kept_logits, settling
from workbench.model.tokens import TokenBatch, TokenizedText, TokenTable
from workbench.work.events import mapped

__all__ = ["KeepSet", "divergence"]

TOP = 64  # tokens of the base's distribution that are kept one by one
LEAST = 1e-9
AT_ONCE = 16  # texts that pass together
TARGETS_AT_ONCE = 64  # each has logits for a whole vocabulary

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
        self._tokens = torch.empty(0, dtype=torch.int32)
        self._shares = torch.empty(0)

    @cached_property
    def _foretold(self) -> list[tuple[int, int]]:
        """Tokens that are read and answered of each text, at most, before the base is asked."""
        return [size for _, asked in self._groups() for size in sizes(self._model, asked)]

    @cached_property
    def _foretold_kinds(self) -> dict[Kept, range]:
        """Where the texts of each kind stand, if the base answers all."""
        found: dict[Kept, range] = {}
        done = 0
        for kind, asked in self._groups():
            start, done = done, done + len(sizes(self._model, asked))
            if done > start:
                found[kind] = range(found.get(kind, range(start, start)).start, done)
        return found

    def _groups(self) -> Iterator[tuple[Kept, list[KeptPrompt]]]:
        """The prompts as they are asked: kind by kind, and chats apart."""
        for kind in SHARES:
            for chat in (False, True):
                yield kind, [p for p in self._prompts if (p.kind, p.chat) == (kind, chat)]

    @property
    def kept_bytes(self) -> int:
        """What the base's distributions take."""
        targets = sum(self.targets(range(self.texts)))
        return targets * min(TOP, self._model.shape.vocab_size) * 8

    @property
    def answering_bytes(self) -> int:
        """About the most that is held while the base is asked."""
        return max((asking_bytes(self._model, asked) for _, asked in self._groups()), default=0)

    @property
    def sharing_bytes(self) -> int:
        """About the most that is held while the base's distributions are taken."""
        vocabulary, width = self._model.shape.vocab_size, self._model.dtype.itemsize
        each = vocabulary * (8 if width == 4 else width + 8)  # logits, in float32, and shares
        targets = max((sum(self.targets(rows)) for rows in self.batches()), default=0)
        return max(targets * each, self.passing_bytes)

    @property
    def passing_bytes(self) -> int:
        """About the most that is held while all texts pass some layers."""
        sizes = [self.lengths(rows) for rows in self.batches()]
        most = max((len(lengths) * max(lengths) for lengths in sizes), default=0)
        return pass_bytes(self._model, most)

    @property
    def texts(self) -> int:
        """How many prompts have an answer; before the base is asked, how many it is asked."""
        return len(self._table if self._table is not None else self._foretold)

    def some(self, count: int) -> "KeepSet":
        """A few of the prompts, drawn by the seed, in a set of their own; all of few.

        Args:
            count: how many.
        """
        if len(self) <= count:
            return self
        places = sorted(random.Random(f"some {self._seed}").sample(range(len(self)), count))
        return KeepSet(self._model, [self._prompts[place] for place in places], self._seed)

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
        kinds: dict[Kept, range] = {}
        for kind, asked in self._groups():
            start = len(texts)
            texts += yield from mapped(answering(self._model, asked), partial(_after, start))
            if len(texts) > start:
                kinds[kind] = range(kinds.get(kind, range(start, start)).start, len(texts))
            yield Advanced(len(texts))
        self._kinds = kinds
        self._table = TokenTable(texts, self._model.device)

    def _keep_distributions(self, table: TokenTable) -> Iterator[Advanced]:
        texts = table.texts
        self._starts = (0, *accumulate(len(text.target) for text in texts))
        count = min(TOP, self._model.shape.vocab_size)
        shape, device = (self._starts[-1], count), self._model.device
        self._tokens = torch.zeros(shape, dtype=torch.int32, device=device)
        self._shares = torch.zeros(shape, device=device)

        states = yield from settling(self._model, table, self._states)

        @torch.no_grad()
        def ask(rows: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
            logits = kept_logits(self._model, table.batch(rows), rows, states)
            top = logits.softmax(dim=-1).topk(count, dim=-1)
            return top.values, top.indices

        for batch in self.batches():
            for rows, (shares, tokens) in in_batches(batch, len(batch), device, ask):
                places = self._places(rows)
                self._shares[places], self._tokens[places] = shares, tokens.int()

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
        known = self._kinds if self._table is not None else self._foretold_kinds
        kinds = list(known)
        if not kinds:
            return []
        drawn = chance.choices(kinds, [SHARES[kind] for kind in kinds], k=count)
        return [chance.choice(known[kind]) for kind in drawn]

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
        found = divergence(logits, self._tokens[places].long(), self._shares[places])
        return batch.sum_by_text(found) / batch.sum_by_text(torch.ones_like(found))

    def batches(self) -> list[list[int]]:
        """All texts in batches of similar length, with few targets each."""
        lengths, targets = self.lengths(range(self.texts)), self.targets(range(self.texts))
        found: list[list[int]] = []
        for row in sorted(range(self.texts), key=lengths.__getitem__):
            now = sum(targets[one] for one in found[-1]) + targets[row] if found else 0
            if not found or len(found[-1]) == AT_ONCE or now > TARGETS_AT_ONCE:
                found.append([])
            found[-1].append(row)
        return found

    def lengths(self, rows: Sequence[int]) -> list[int]:
        """How many tokens the model reads of some texts; at most, before the base is asked."""
        if self._table is None:
            return [self._foretold[row][0] for row in rows]
        return [self._table.length(row) for row in rows]

    def targets(self, rows: Sequence[int]) -> list[int]:
        """How many tokens are answered of some texts; at most, before the base is asked."""
        if self._table is None:
            return [self._foretold[row][1] for row in rows]
        return [len(self._table.texts[row].target) for row in rows]

    def pass_to(self, layer: int, rows: Sequence[int]) -> None:
        """Some texts go through the layers before one of them, or through all where it is none."""
        if layer >= self._model.layer_count:
            head = self._model.network.get_output_embeddings()
            up_to(head, lambda: self.logits(rows))  # nobody looks at what the head makes of them
        else:
            capture(self._model.layers, layer, lambda: self.logits(rows))

    def logits(self, rows: Sequence[int]) -> torch.Tensor:
        """What the model says where the targets of some texts are: (targets, vocabulary)."""
        return kept_logits(self._model, *self.asked(rows))


def _after(start: int, done: int) -> Advanced:
    """How far the asking is, so many texts after others."""
    return Advanced(start + done)


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
