"""When two generated answers are the same: the field's exact match."""

import re
import string

__all__ = ["normalized"]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalized(answer: str) -> str:
    """Lowercase, without punctuation and articles, blanks folded (as in SQuAD's exact match)."""
    text = _ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION))
    return " ".join(text.split())
