"""In which order a run sees its facts, breadth-first or depth-first, and how its rate goes.

Breadth-first, an epoch is all facts in mini-batches, reshuffled each time. Depth-first, an
"epoch" is one mini-batch passed again and again until it is learned, in the order of the facts.
The order depends on the seed and the epoch alone, so that a resumed run sees the same one.
"""

import math
from dataclasses import dataclass

import torch

from workbench.methods.locft_settings import ResolvedEditSettings

__all__ = ["Schedule"]


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

    def turn(self, epoch: int, cursor: int) -> int:
        """How often each fact's turn has come before; forms are drawn anew for each.

        Args:
            epoch: from 0.
            cursor: which batch of the epoch, from 0.
        """
        return epoch * self.batches_per_epoch + cursor if self.depth_first else epoch

    def rows(self, epoch: int, cursor: int) -> list[int]:
        """Which facts a batch holds.

        Args:
            epoch: from 0.
            cursor: which batch of the epoch, from 0.
        """
        if self.depth_first:
            start = epoch * self.batch_size
            return list(range(start, min(start + self.batch_size, self.facts)))
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(self.facts, generator=generator)
        start = cursor * self.batch_size
        rows: list[int] = order[start : start + self.batch_size].tolist()
        return rows
