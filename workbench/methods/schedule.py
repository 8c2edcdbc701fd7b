"""In which order a run sees its facts, breadth-first or depth-first, and how its rate goes.

Breadth-first, an epoch is all facts in mini-batches, reshuffled each time. Depth-first, an
"epoch" is one mini-batch passed again and again until it is learned, in the order of the facts.
Breadth-first a run may also give half of each batch to the facts that need it most, once all have
been seen several times. The order depends on the seed, the epoch and these needs alone, so that a
resumed run sees the same one.
"""

import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from workbench.methods.locft_settings import ResolvedEditSettings

__all__ = ["Schedule"]

EVENLY = 0.25
"""This share of the passes sees all facts alike, whatever they need."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The batches of a run.

    Args:
        facts: how many facts there are.
        batch_size: facts a batch.
        passes: most passes over each fact.
        depth_first: which of the two orders.
        seed: decides the shuffles.
        falling: whether the learning rate falls.
    """

    facts: int
    batch_size: int
    passes: int
    depth_first: bool
    seed: int
    falling: bool = False

    @classmethod
    def of(cls, settings: ResolvedEditSettings, facts: int) -> "Schedule":
        """The schedule of resolved settings."""
        depth_first = settings.pipeline == "depth-first"
        falling = settings.rate_schedule == "falling"
        return cls(facts, settings.batch_size, settings.epochs, depth_first, settings.seed, falling)

    @property
    def batches(self) -> int:
        """How many batches all facts make."""
        return math.ceil(self.facts / self.batch_size)

    @property
    def epochs(self) -> int:
        """How many epochs there are at most."""
        return self.batches if self.depth_first else self.passes

    @property
    def batches_per_epoch(self) -> int:
        """How many batches an epoch has at most."""
        return self.passes if self.depth_first else self.batches

    def rate_share(self, epoch: int, cursor: int) -> float:
        """The share of the learning rate that a step has.

        Falling, it is whole in the first half and goes down to nothing in a straight line over the
        second: of the run, or depth-first of the passes over the batch at hand.

        Args:
            epoch: from 0.
            cursor: which batch of the epoch, from 0.
        """
        if not self.falling:
            return 1.0
        done = cursor if self.depth_first else epoch * self.batches_per_epoch + cursor
        total = self.batches_per_epoch if self.depth_first else self.epochs * self.batches_per_epoch
        return min(1.0, 2.0 * (1.0 - done / total))

    def is_shared(self, epoch: int) -> bool:
        """Whether half of each batch of an epoch may go to the facts that need it most.

        Args:
            epoch: from 0.
        """
        return not self.depth_first and epoch >= math.ceil(EVENLY * self.passes)

    def turn(self, epoch: int, cursor: int) -> int:
        """How often each fact's turn has come before; forms are drawn anew for each.

        Args:
            epoch: from 0.
            cursor: which batch of the epoch, from 0.
        """
        return epoch * self.batches_per_epoch + cursor if self.depth_first else epoch

    def rows(self, epoch: int, cursor: int, needs: Sequence[float] = ()) -> list[int]:
        """Which facts a batch holds.

        Args:
            epoch: from 0.
            cursor: which batch of the epoch, from 0.
            needs: how much each fact needs its turn, above 0; nothing where all do alike.
        """
        if needs and self.is_shared(epoch):
            return self._shared(epoch, cursor, needs)
        if self.depth_first:
            start = epoch * self.batch_size
            return list(range(start, min(start + self.batch_size, self.facts)))
        start = cursor * self.batch_size
        return self._shuffled(epoch)[start : start + self.batch_size]

    def _shuffled(self, epoch: int) -> list[int]:
        """All facts in the order of an epoch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order: list[int] = torch.randperm(self.facts, generator=generator).tolist()
        return order

    def _shared(self, epoch: int, cursor: int, needs: Sequence[float]) -> list[int]:
        """Half a batch in the order that two epochs share, in which every fact has its turn; then
        facts drawn by what they need."""
        half = math.ceil(self.batch_size / 2)
        start = (epoch % 2 * self.batches + cursor) * half
        own = self._shuffled(epoch // 2)[start : start + half]
        chance = random.Random(f"needs {self.seed} {epoch} {cursor}")
        # Weighted without replacement: Efraimidis and Spirakis, "Weighted random sampling with a
        # reservoir" (2006).
        keys = ((chance.random() ** (1 / need), row) for row, need in enumerate(needs))
        most = heapq.nlargest(self.batch_size, keys)
        taken = set(own)
        others = [row for _, row in most if row not in taken]
        return [*own, *others[: self.batch_size - len(own)]]
