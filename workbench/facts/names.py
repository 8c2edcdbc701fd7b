"""The names that parts of facts go by, in tables of one's own and in the published formats.

Knows no format; the names are here so that a table can be told from its transpose.
"""

import re
from typing import Any

from workbench.facts.columns import SYNONYMS

__all__ = ["is_known", "plain_name"]

# What the published formats add to the usual names.
_FORMATS = (
    "requested_rewrite", "edit", "src", "alt", "update", "instruction", "messages",
    "conversations", "prompts", "ori_q", "gta", "subj_word", "para_question", "text", "labels",
    "concept", "case_id", "neighborhood_prompts", "paraphrase_prompts", "locality_inputs",
    "portability_inputs", "generality", "relation", "questions",
)  # fmt: skip


def plain_name(name: str) -> str:
    """A name without case, blanks, dashes and underscores."""
    return re.sub(r"[\W_]+", "", name.casefold())


_KNOWN = frozenset(map(plain_name, (*_FORMATS, *(n for names in SYNONYMS.values() for n in names))))


def is_known(name: Any) -> bool:
    """Whether a column of facts usually has this name."""
    return isinstance(name, str) and plain_name(name) in _KNOWN
