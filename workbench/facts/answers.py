"""When two answers are the same: the exact match of the generated protocol."""

import re
import string

__all__ = ["plain_answer"]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def plain_answer(text: str) -> str:
    """The answer as it is compared: lowercase, no punctuation, no articles, blanks folded.

    An answer of which nothing would be left, such as ``A`` or ``+``, is only lowercased. The
    rule is SQuAD's exact match, which arXiv 2509.22072 uses too.
    """
    lower = text.lower()
    bare = " ".join(_ARTICLES.sub(" ", lower.translate(_NO_PUNCTUATION)).split())
    return bare or lower.strip()
