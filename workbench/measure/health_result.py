"""How healthy a model's writing is, as numbers: entropy of n-grams.

N-gram entropy falls when a text repeats itself. It is the weighted mean of the entropies of its
bigrams and trigrams as in ROME (Meng et al., arXiv 2202.05262, "fluency", weights 2/3 and 4/3),
after Zhang et al. 2018 (arXiv 1809.05972). Knows nothing about models.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Health", "HealthSide", "ngram_entropy"]

WEIGHTS = {2: 2 / 3, 3: 4 / 3}


@dataclass(frozen=True, slots=True)
class HealthSide:
    """One state of the model.

    Args:
        entropy: mean n-gram entropy of the continuations, in bits.
        unended: share of the continuations that did not come to an end by themselves.
        perplexity: of the held-out texts, per token.
        example: the beginning of the first continuation.
    """

    entropy: float
    unended: float
    perplexity: float
    example: str


@dataclass(frozen=True, slots=True)
class Health:
    """Writing before and after an edit.

    Args:
        before, after: the two states; `after` is None without an edit.
        prompts: how many prompts were continued.
        tokens: how long the continuations for the entropy are.
        texts: how many held-out texts were read.
        text: which held-out texts these are.
    """

    before: HealthSide
    after: HealthSide | None
    prompts: int
    tokens: int
    texts: int
    text: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """What it says about the edit, for people."""
        if self.after is None:
            return f"Perplexity {self.before.perplexity:.1f} on {self.text}."
        ratio = self.after.perplexity / self.before.perplexity
        change = "hardly changed" if abs(ratio - 1) < 0.05 else f"is {ratio:.2f} times what it was"
        entropy = self.after.entropy - self.before.entropy
        more = "as varied as before"
        if entropy < -0.1 * max(self.before.entropy, 1e-9):
            more = "more repetitive than before"
        return (
            f"Perplexity on {self.text} {change} ({self.before.perplexity:.1f} to "
            f"{self.after.perplexity:.1f}); its writing is {more} (entropy "
            f"{self.before.entropy:.2f} to {self.after.entropy:.2f} bits)."
        )


def ngram_entropy(texts: Sequence[str]) -> float:
    """Mean over texts of the weighted mean of bigram and trigram entropy, in bits."""
    if not texts:
        return 0.0
    return sum(_entropy_of(re.findall(r"\w+|[^\w\s]", text)) for text in texts) / len(texts)


def _entropy_of(words: Sequence[str]) -> float:
    parts = [weight * _entropy(words, n) for n, weight in WEIGHTS.items()]
    return sum(parts) / len(parts)


def _entropy(words: Sequence[str], n: int) -> float:
    grams = Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
    total = sum(grams.values())
    return sum(-count / total * math.log2(count / total) for count in grams.values())
