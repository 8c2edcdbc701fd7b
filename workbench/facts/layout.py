"""Where a file's rows keep the parts of a fact.

Knows nothing about files or about what makes a fact good.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from workbench.facts.problems import Problem, printable

__all__ = ["PARTS", "Format", "Layout", "Parts", "flat_format"]

# The parts of a fact as a row gives them: raw values, not yet checked. Beside them a nested row
# may give `notes`, a list of `Wrong`: what is to be said although the fact is kept.
PARTS = (
    "prompt",
    "target_new",
    "subject",
    "ground_truth",
    "aliases",
    "old_answers",
    "rephrase_prompts",
    "locality_prompts",
    "locality_answers",
    "portability_prompts",
    "portability_answers",
    "wordings",
    "keep_prompts",
    "keep_answers",
)

Parts = Mapping[str, Any]
Cells = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a file's rows keep the parts of a fact.

    Args:
        name: what was recognised, for people to read.
        published: whether it is a published format rather than a table of one's own.
        columns: the column's name for every part that the file has; in a nested format the
            name to use in messages.
        split: takes a nested row apart, into one set of parts for each fact in it.
        used: the columns that `split` looks at.
        notes: what is to be said once about a file of this layout.
    """

    name: str
    published: bool
    columns: Mapping[str, str]
    split: Callable[[Cells], Sequence[Parts]] | None = None
    used: frozenset[str] = frozenset()
    notes: tuple[Problem, ...] = ()

    def pick(self, cells: Cells) -> Sequence[Parts]:
        """The raw parts of each fact in one row; a part without a column is absent.

        Raises:
            Wrong: a nested row is not built as its format is.
        """
        if self.split is not None:
            return self.split(cells)
        return ({part: cells.get(column) for part, column in self.columns.items()},)

    def column(self, part: str) -> str:
        """What the file calls that part of a fact."""
        return printable(self.columns.get(part, part))

    def unused(self, names: Sequence[str]) -> tuple[str, ...]:
        """The named columns that are no part of a fact, in their order."""
        used = self.used or set(self.columns.values())
        return tuple(printable(name) for name in names if name not in used and name.strip())


@dataclass(frozen=True, slots=True)
class Format:
    """A published format.

    Args:
        name: what it is called.
        fits: tells it by its columns' names and by the first value in each.
        layout: where its rows keep what, given the columns' names.
    """

    name: str
    fits: Callable[[AbstractSet[str], Cells], bool]
    layout: Callable[[AbstractSet[str]], Layout]


def flat_format(
    name: str,
    fits: Callable[[AbstractSet[str]], bool],
    columns: Mapping[str, Sequence[str]],
) -> Format:
    """A format whose rows have one column for each part.

    Args:
        name: what it is called.
        fits: tells it by its columns' names.
        columns: the names that each part may have, the surest first.
    """

    def layout(names: AbstractSet[str]) -> Layout:
        found = {
            part: next((choice for choice in choices if choice in names), "")
            for part, choices in columns.items()
        }
        return Layout(name, True, {part: column for part, column in found.items() if column})

    return Format(name, lambda names, _: fits(names), layout)
