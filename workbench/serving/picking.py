"""How the next token is chosen, for one answer: the likeliest, or drawn with a seed of its own.

Draws use the answer's own generator, so that an answer with a seed is the same whoever else asks
at the same time. Knows nothing about texts.
"""

from collections import Counter
from dataclasses import dataclass

import torch

from workbench.serving.body import Sampling

__all__ = ["Picked", "Picker", "told"]


COLDEST = 1e-5  # a temperature below it is none: logits divided by it are no numbers any more
LEAST = -9999.0  # a log-probability, as OpenAI has it


@dataclass(frozen=True, slots=True)
class Picked:
    """A token.

    Args:
        token: its number.
        logprob: its log-probability by the model; None where nobody asked, or nothing is before.
        top: the likeliest tokens there, each with its own.
    """

    token: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


def told(logits: torch.Tensor, token: int, top: int) -> Picked:
    """A token with its log-probability and those of the likeliest.

    Args:
        logits: of all tokens at its place.
        token: which.
        top: how many of the likeliest.
    """
    # JSON has no word for what is no number, or infinite.
    shares = logits.float().log_softmax(dim=-1).nan_to_num(nan=LEAST, neginf=LEAST)
    values, tokens = shares.topk(min(max(1, top), shares.shape[-1]))
    likeliest = tuple(zip(tokens.tolist(), values.tolist(), strict=True))
    return Picked(token, float(shares[token]), likeliest[:top])


class Picker:
    """Chooses the tokens of one answer.

    Args:
        sampling: how.
        place: of the answer among those to one prompt; each draws differently.
    """

    def __init__(self, sampling: Sampling, place: int = 0) -> None:
        self._sampling = sampling
        self._written: Counter[int] = Counter()
        self._draws = torch.Generator()
        if sampling.seed is None:
            self._draws.seed()
        else:
            self._draws.manual_seed((sampling.seed + place) % (1 << 63))

    def pick(self, logits: torch.Tensor) -> Picked:
        """The next token.

        Args:
            logits: (vocabulary,) where it will stand.
        """
        token = self._chosen(self._penalized(logits.float()))
        self._written[token] += 1
        top = self._sampling.top
        return Picked(token) if top is None else told(logits, token, top)

    def _penalized(self, logits: torch.Tensor) -> torch.Tensor:
        how = self._sampling
        if not (how.bias or how.presence or how.frequency):
            return logits
        logits = logits.clone()
        for token, value in how.bias:
            if token < len(logits):
                logits[token] += value
        for token, times in self._written.items():
            logits[token] -= how.presence + how.frequency * times
        return logits

    def _chosen(self, logits: torch.Tensor) -> int:
        if self._sampling.temperature < COLDEST:
            return int(logits.argmax())
        shares = (logits / self._sampling.temperature).softmax(dim=-1)
        shares, tokens = shares.sort(descending=True)
        sums = shares.cumsum(dim=-1)
        # The likeliest is always among those that are drawn from.
        kept = int((sums - shares < self._sampling.top_p).sum().clamp(min=1))
        drawn = torch.rand(1, generator=self._draws).to(sums) * sums[kept - 1]
        return int(tokens[int(torch.searchsorted(sums[:kept], drawn).clamp(max=kept - 1))])
