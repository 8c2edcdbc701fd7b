"""How many texts go through a model together, and how far they are.

Texts of like length share a pass, so that little is spent on padding, and no pass is larger than a
fixed number of tokens, however many texts there are.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch

from workbench.model.memory import in_batches
from workbench.model.stream import LayerStream
from workbench.work.words import layer_line

__all__ = [
    "ELSEWHERE",
    "TOKENS_PER_PASS",
    "Advanced",
    "Lengths",
    "Way",
    "in_passes",
    "passes_of",
    "tokens_worth",
]

TOKENS_PER_PASS = 16_384
# Measured for the CPU; a GPU reads all weights anew in each pass, which few tokens do not repay.
TOKENS_WORTH_A_PASS = {"cpu": 256}
ELSEWHERE = 4096

Result = TypeVar("Result")


class Lengths(Protocol):
    """Texts of which no more is known than how long each is, such as a `TokenTable`."""

    def length(self, row: int, /) -> int:
        """How many tokens a text has."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """How far texts are on their way through layers.

    Args:
        done: how many are there, as a share of the whole way where they wait for each other.
        layer: the one that all pass now; None where they go through several at once.
        to: the one whose input is wanted.
        rate: bytes of layers a second that are read; 0 where none are.
        seconds_left: for the rest of the way; None while that is not known.
    """

    done: int
    layer: int | None = None
    to: int = 0
    rate: float = 0.0
    seconds_left: float | None = None

    @property
    def line(self) -> str:
        """Which layer all pass, in words; empty where they go through several at once."""
        if self.layer is None:
            return ""
        return layer_line(self.layer, self.to, self.rate, self.seconds_left)


def tokens_worth(device: torch.device) -> int:
    """How many tokens keep a device busy for a pass."""
    return TOKENS_WORTH_A_PASS.get(device.type, ELSEWHERE)


class Way:
    """Texts on their way through layers.

    Args:
        texts: how many there are.
        start: the layer that they enter first.
        to: the one whose input is wanted.
    """

    def __init__(self, texts: int, start: int, to: int) -> None:
        self._texts, self._start, self._to = texts, start, to
        self._from, self._stop, self._there = start, start, 0
        self._began = time.monotonic()

    def passed(self, texts: int, stop: int, stream: LayerStream | None) -> Advanced:
        """Says how far all are, now that some more have come to a stop.

        Args:
            texts: how many more.
            stop: the layer whose input they have reached.
            stream: what brings layers in; None for nothing.
        """
        if stop != self._stop:
            self._from, self._stop, self._there = self._stop, stop, 0
        self._there += texts
        layers = self._from - self._start + (stop - self._from) * self._there / self._texts
        share = layers / (self._to - self._start) if self._to > self._start else 1.0
        done = self._texts if share > 1 - 1e-9 else int(share * self._texts)
        if stream is None or not stream.placement.streams_from(self._start):
            return Advanced(done)
        left = (time.monotonic() - self._began) * (1 - share) / share
        now = Advanced(done, stop - 1, self._to, stream.meter.rate, left)
        stream.on_way = now.line
        return now


def passes_of(
    texts: Lengths, rows: Sequence[int], device: torch.device, most: int = TOKENS_PER_PASS
) -> list[list[int]]:
    """Texts in passes of like length.

    Args:
        texts: all of them.
        rows: which are wanted.
        device: where they are worked on.
        most: tokens of a pass, with what fills its shorter texts up; one text may have more.
    """
    worth = min(most, tokens_worth(device))
    passes: list[list[int]] = []
    shortest = tokens = 0
    for row in sorted(rows, key=texts.length):
        length = texts.length(row)
        is_full = bool(passes) and length * (len(passes[-1]) + 1) > most
        if not passes or is_full or (tokens >= worth and length > shortest):
            passes.append([])
            shortest, tokens = length, 0
        passes[-1].append(row)
        tokens += length
    return passes


def in_passes(
    passes: Sequence[Sequence[int]],
    device: torch.device,
    work: Callable[[Sequence[int]], Result],
) -> Iterator[tuple[Sequence[int], Result]]:
    """Calls `work` on each pass; when memory runs out, passes are made smaller from there on.

    Raises:
        MemoryShortage: not even one text fits.
    """
    most = max(map(len, passes), default=1)
    for rows in passes:
        for done, result in in_batches(rows, min(most, len(rows)), device, work):
            if len(done) < min(most, len(rows)) and done[-1] != rows[-1]:
                most = len(done)
            yield done, result
