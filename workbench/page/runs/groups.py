"""Runs that have something in common, with the mean and the spread of what was measured of them.

Pure functions. A group holds its runs in the order in which they came.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from workbench.errors import RecordError
from workbench.page.runs.values import Values, number_of, text_of
from workbench.work.records import as_text, from_text
from workbench.work.words import small

__all__ = ["UNGROUPED", "Group", "Grouping", "Spread", "grouped", "pinned_first", "spread_of"]


@dataclass(frozen=True, slots=True)
class Grouping:
    """By what runs are grouped.

    Args:
        by: the key of a value (see `workbench.page.runs.values`); empty for no groups.
        folded: the groups of which only the head is shown, by what their runs have in common.
    """

    by: str = ""
    folded: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Grouping":
        """The inverse of `str`; anything else is no groups."""
        try:
            return from_text(cls, text)
        except RecordError:
            return UNGROUPED

    def __str__(self) -> str:
        return as_text(self)

    def after_click(self, value: str) -> "Grouping":
        """The grouping once a group's head was clicked: it is folded, or unfolded."""
        others = tuple(each for each in self.folded if each != value)
        return replace(self, folded=others if value in self.folded else (*others, value))


UNGROUPED = Grouping()


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean over runs, and how far these lie apart.

    Args:
        mean: of those that have the value.
        deviation: their standard deviation (of a sample); None for a single one.
    """

    mean: float
    deviation: float | None

    def told(self, words: Callable[[float], str] = small) -> str:
        """Such as ``0.93 ±0.02``.

        Args:
            words: says a number.
        """
        apart = f" ±{words(self.deviation)}" if self.deviation else ""
        return words(self.mean) + apart


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that have a value in common.

    Args:
        value: it, in words; empty when runs are not grouped.
        runs: their numbers.
    """

    value: str
    runs: tuple[int, ...]


def grouped(runs: Iterable[int], values: Mapping[int, Values], by: str) -> list[Group]:
    """Runs by what they have in common, the group of the first run first.

    Args:
        runs: their numbers, in order.
        values: of each run by its number.
        by: the key of a value; empty puts all of them into one group.
    """
    found: dict[str, list[int]] = {}
    for run in runs:
        found.setdefault(text_of(values[run], by) if by else "", []).append(run)
    return [Group(value, tuple(members)) for value, members in found.items()]


def pinned_first(runs: Sequence[int], pinned: Sequence[int]) -> list[int]:
    """The runs that are pinned, then the others, each part in its order."""
    return sorted(runs, key=lambda run: run not in pinned)


def spread_of(runs: Sequence[Values], key: str) -> Spread | None:
    """The mean and the spread of a value over runs; None where none has it.

    Args:
        runs: the values of each.
        key: of the value.
    """
    numbers = [number for run in runs if (number := number_of(run, key)) is not None]
    if not numbers:
        return None
    deviation = statistics.stdev(numbers) if len(numbers) > 1 else None
    return Spread(statistics.fmean(numbers), deviation)
