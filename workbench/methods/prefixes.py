"""Sentences that the model wrote itself, to stand before a prompt.

A fact that is learned behind other sentences is found behind others still: the random prefixes of
MEMIT (Meng et al., arXiv 2210.07229) and of the appendix of LocFT-BF's paper. The model's own, so
that nothing about the world comes in.
"""

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from transformers import PreTrainedModel

from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import prompt_tokens

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
        model: the base, with no weights swapped in; see `usual_moments`.
    """
    if model.network not in _written:
        with model.unedited():
            _written[model.network] = tuple(dict.fromkeys(map(_sentence, _texts(model))))
    return _written[model.network]


def _texts(model: LanguageModel) -> Iterator[str]:
    """The openings with what the base writes after them, up to the end of a word."""
    said = generate(model, OPENINGS, max_new_tokens=LONGEST + 1, top_k=1)
    opened = prompt_tokens(model.tokenizer, OPENINGS)
    for ids, answer in zip(opened, said, strict=True):
        # As one text: the first token may go on with the last word, the last one may not end it.
        text, further = (
            str(model.tokenizer.decode([*ids, *tokens], skip_special_tokens=True)).strip()
            for tokens in (answer.tokens[:LONGEST], answer.tokens)
        )
        if further.startswith(text) and text[-1:].isalnum() and further[len(text) :][:1].isalnum():
            text = text.rpartition(" ")[0]
        yield text


def _sentence(text: str) -> str:
    """A text up to its first full stop, which it gets where it has none."""
    first = text.splitlines()[0].split(". ")[0].strip()
    return first if first.endswith((".", "!", "?")) else f"{first.rstrip(',;: ')}."
