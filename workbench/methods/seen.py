"""A batch as it was seen: each text's loss, and whether it was learned already.

Where several processes share a batch, each sees its own texts, and afterwards all know all.
"""

from collections.abc import Iterator, Sequence

import torch

from workbench.model.ranks import Ranks

__all__ = ["Seen"]


class Seen:
    """What was seen of a batch.

    Args:
        texts: of the batch, by their numbers.
    """

    def __init__(self, texts: Sequence[int]) -> None:
        self.texts = list(texts)
        self._places = {text: place for place, text in enumerate(self.texts)}
        self._found = torch.zeros(2, len(self.texts), dtype=torch.float64)

    def put(self, texts: Sequence[int], losses: torch.Tensor, learned: torch.Tensor) -> None:
        """Notes some of the texts.

        Args:
            texts: which.
            losses: of each.
            learned: of each whether it was right.
        """
        places = [self._places[text] for text in texts]
        self._found[:, places] = torch.stack([losses.detach().double(), learned.double()]).cpu()

    def share(self, ranks: Ranks) -> None:
        """Adds what other processes have seen.

        Raises:
            RankLost: one of them is gone.
        """
        ranks.add(self._found)

    @property
    def loss(self) -> float:
        """The mean over all texts."""
        return float(self._found[0].mean())

    @property
    def learned(self) -> int:
        """How many were learned."""
        return int(self._found[1].sum())

    def each(self) -> Iterator[tuple[int, float, bool]]:
        """Every text with its loss, and whether it was learned."""
        losses, learned = self._found.tolist()
        yield from zip(self.texts, losses, map(bool, learned), strict=True)
