"""Which column holds what: the names that files give to a fact's parts.

Case, blanks, dashes and underscores in a name do not matter. A published format is told from a
table of one's own by the names that only it has. A format whose rows are nested rather than flat
would be another class with `pick`.

Knows nothing about files or about what makes a fact good.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.facts.problems import shorten
from workbench.recipe.errors import FactsError

__all__ = ["SYNONYMS", "Layout", "recognise"]

# The part of a fact, then the names it goes by, the surest first. A name is taken once: where a
# table has both `new_answer` and `answer`, the first is the target and the second the old answer.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "question", "query", "src", "edit prompt", "input"),
    "target_new": (
        "target new", "new target", "new answer", "target", "alt", "answer new", "new",
        "answer", "output", "completion", "response", "object",
    ),
    "subject": ("subject", "entity", "topic"),
    "ground_truth": (
        "ground truth", "old answer", "target true", "target old", "true answer", "old target",
        "original answer", "answer old", "pred", "old", "original", "answer",
    ),
    "rephrase_prompts": (
        "rephrase prompts", "rephrase prompt", "rephrases", "rephrase", "rephrased prompts",
        "rephrased prompt", "rephrased question", "paraphrase prompts", "paraphrase prompt",
        "paraphrases", "paraphrase", "paraphrased question",
    ),
    "locality_prompts": (
        "locality prompts", "locality prompt", "locality questions", "locality question",
        "neighborhood prompts", "neighborhood prompt", "locality", "loc prompt", "loc",
    ),
    "locality_answers": (
        "locality ground truth", "locality answers", "locality answer", "locality target",
        "neighborhood answers", "neighborhood answer", "loc answer", "loc ans",
    ),
    "portability_prompts": (
        "portability prompts", "portability prompt", "portability questions",
        "portability question", "portability",
    ),
    "portability_answers": (
        "portability ground truth", "portability answers", "portability answer",
        "portability target",
    ),
}  # fmt: skip

_FLAT = {"prompt", "target_new", "subject", "rephrase_prompt", "locality_prompt"}
_FLAT |= {"locality_ground_truth"}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a file's rows keep the parts of a fact.

    Args:
        name: what was recognised, for people to read.
        published: whether it is a published format rather than a table of one's own.
        columns: the column's name for every part that the file has, by the keys of `SYNONYMS`.
    """

    name: str
    published: bool
    columns: Mapping[str, str]

    def pick(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        """The raw values of a fact's parts in one row; a part without a column is absent."""
        return {part: cells.get(column) for part, column in self.columns.items()}

    def column(self, part: str) -> str:
        """What the file calls that part of a fact."""
        return self.columns.get(part, part)

    def unused(self, names: Sequence[str]) -> tuple[str, ...]:
        """The named columns that are no part of a fact, in their order."""
        used = set(self.columns.values())
        return tuple(name for name in names if name not in used and name.strip())


def recognise(names: Sequence[str], where: str) -> Layout:
    """Finds out which column holds which part of a fact.

    Args:
        names: the columns' names, in their order.
        where: the file, for the message.

    Raises:
        FactsError: no column for the prompt or none for the new answer, or two of one name.
    """
    known: dict[str, str] = {}
    for name in names:
        known.setdefault(_plain(name), name)
    columns: dict[str, str] = {}
    for part, synonyms in SYNONYMS.items():
        for synonym in synonyms:
            column = known.get(_plain(synonym))
            if column is not None and column not in columns.values():
                columns[part] = column
                break
    _require(columns, names, where)
    name, published = _format_name(set(names))
    return Layout(name, published, columns)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _require(columns: Mapping[str, str], names: Sequence[str], where: str) -> None:
    missing = [part for part in ("prompt", "target_new") if part not in columns]
    if missing:
        sought = " and ".join(
            f"{part} (or {', '.join(repr(name) for name in SYNONYMS[part][1:5])} …)"
            for part in missing
        )
        found = ", ".join(repr(shorten(name, 40)) for name in names[:12] if name.strip())
        raise FactsError(
            f"No column for {' and '.join(missing)} in {where}. Found: {found or 'no names'}. "
            f"Looked for {sought}. The first line of a table, or the keys in JSON, name the "
            "columns, such as prompt,target_new."
        )
    counts = Counter(names)
    for column in columns.values():
        if counts[column] > 1:
            raise FactsError(
                f"The column '{column}' is in {where} more than once. Rename or delete one of them."
            )


def _format_name(names: set[str]) -> tuple[str, bool]:
    if {"src", "alt", "loc"} <= names:
        return "ZsRE", True
    if names == _FLAT:
        return "WikiBigEdit (flat)", True
    if names == _FLAT | {"case_id", "ground_truth"}:
        return "CounterFact (flat)", True
    return "own table", False
