"""Which texts a tokenizer reads as special tokens wherever they stand."""

import re
from typing import Any

__all__ = ["special_texts"]

# Some checkpoints call an ordinary word or sign special, which says nothing about a text with it.
_MARK = re.compile(r"(?=.*[^\w\s]).{3,}", re.DOTALL)


def special_texts(tokenizer: Any) -> tuple[str, ...]:
    """The special tokens of a tokenizer that are no ordinary words, such as ``<|endoftext|>``.

    Args:
        tokenizer: one of transformers.
    """
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    names = [token.content for token in added if token.special]
    return tuple(
        dict.fromkeys(
            name
            for name in (*map(str, tokenizer.all_special_tokens), *names)
            if _MARK.fullmatch(name)
        )
    )
