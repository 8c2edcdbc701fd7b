"""Processes that share a run: which of them this one is, and what little travels between them.

Each process has the whole model and answers for its own share of the texts. Invariants: numbers
that were added up are the same bits in every process; alone, nothing is sent, and nothing of
torch's distributed package is started. Knows nothing about what is shared.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed

from workbench.errors import ModelError, RankLost
from workbench.model.memory import is_out_of_memory

__all__ = ["ALONE", "Ranks", "joined"]

PATIENCE = timedelta(minutes=30)  # one process may need so much longer for its share than others

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Ranks:
    """The processes that share a run, as one of them sees them.

    Args:
        number: which one this is, from 0.
        count: how many there are.
    """

    number: int = 0
    count: int = 1

    @property
    def alone(self) -> bool:
        """Whether there is no other."""
        return self.count == 1

    @property
    def leads(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.number == 0

    def owns(self, number: int) -> bool:
        """Whether something, by its number, is in this process's share."""
        return number % self.count == self.number

    def own(self, numbers: Iterable[int]) -> list[int]:
        """Those of some numbers that are in this process's share."""
        return [number for number in numbers if self.owns(number)]

    def own_part(self, items: Sequence[Value]) -> list[Value]:
        """Every so manieth of some items: this process's share where no one is anybody's."""
        return list(items[self.number :: self.count])

    def add(self, tensor: torch.Tensor) -> None:
        """Puts the sum over all processes in the place of a tensor's values.

        Raises:
            RankLost: another process is gone.
        """
        if self.alone:
            return
        # Other devices, such as MPS, have nothing to send with.
        sent = tensor if tensor.device.type in ("cpu", "cuda") else tensor.cpu()
        with self._asking():
            distributed.all_reduce(sent)
        if sent is not tensor:
            tensor.copy_(sent)

    def any(self, wish: bool) -> bool:
        """Whether one of the processes says yes; the same answer in all of them.

        Raises:
            RankLost: another process is gone.
        """
        said = torch.tensor([float(wish)])
        self.add(said)
        return bool(said.item() > 0)

    def gathered(self, value: Value) -> list[Value]:
        """What each process says, by its number.

        Args:
            value: of this one; small.

        Raises:
            RankLost: another process is gone.
        """
        if self.alone:
            return [value]
        found: list[Value | None] = [None] * self.count
        with self._asking():
            distributed.all_gather_object(found, value)
        return [one for one in found if one is not None]

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """A block that needs all others."""
        try:
            yield
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            raise RankLost(
                f"Another of the {self.count} processes of this run is gone, or can no longer be "
                "reached."
            ) from error


ALONE = Ranks()
"""A process that shares nothing."""


@contextmanager
def joined() -> Iterator[Ranks]:
    """A block in which this process is one of those that torchrun started; alone without it.

    Where there is a GPU for each process of this machine, the process's own becomes the one that
    is meant by ``cuda``.

    Raises:
        ModelError: the others cannot be reached.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1 or "RANK" not in os.environ:
        yield ALONE
        return
    own = int(os.environ.get("LOCAL_RANK", os.environ["RANK"]))
    on_gpus = torch.cuda.is_available() and own < torch.cuda.device_count()
    if on_gpus:
        torch.cuda.set_device(own)
    try:
        # Small numbers go between CPUs, where it is noticed at once that a process is gone.
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if on_gpus else "gloo", timeout=PATIENCE
        )
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"The other {count - 1} processes cannot be reached ({str(error).splitlines()[0]}). "
            "Start all of them with torchrun, and look at its rendezvous."
        ) from error
    yield Ranks(int(os.environ["RANK"]), count)
    # Not after an error: the others may be gone, and leaving in good order would wait for them.
    distributed.destroy_process_group()
