"""Sentences that the model wrote itself, to stand before a prompt.

A fact that is learned behind other sentences is found behind others still: the random prefixes of
MEMIT (Meng et al., arXiv 2210.07229) and of the appendix of LocFT-BF's paper. The model's own, so
that nothing about the world comes in.
"""

from weakref import WeakKeyDictionary

from transformers import PreTrainedModel

from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel

__all__ = ["written_sentences"]

OPENINGS = (
    "The weather today is",
    "Most people believe that",
    "The film tells the story of",
    "To make bread you need",
    "He was born in",
    "The study found that",
    "She opened the door and",
    "The company announced that",
)
LONGEST = 8  # tokens

# By the network, so that a model in memory is asked once.
_written: "WeakKeyDictionary[PreTrainedModel, tuple[str, ...]]" = WeakKeyDictionary()


def written_sentences(model: LanguageModel) -> tuple[str, ...]:
    """Short sentences as the base writes them, each once; asked of it one time.

    Args:
        model: the base, with no weights swapped in.
    """
    if model.network not in _written:
        said = generate(model, OPENINGS, max_new_tokens=LONGEST, top_k=1)
        whole = (f"{o} {a.text.strip()}" for o, a in zip(OPENINGS, said, strict=True))
        _written[model.network] = tuple(dict.fromkeys(map(_sentence, whole)))
    return _written[model.network]


def _sentence(text: str) -> str:
    """A text up to its first full stop, which it gets where it has none."""
    first = text.splitlines()[0].split(". ")[0].strip()
    return first if first.endswith((".", "!", "?")) else f"{first.rstrip(',;: ')}."
