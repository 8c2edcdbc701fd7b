"""A sweep's trials as tables in a terminal that is 80 columns wide.

Knows nothing about what is recommended.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.table import Table

from workbench.cli.common import say, screen

if TYPE_CHECKING:
    from workbench.search.score import LocationScore

__all__ = ["print_by_length", "print_trials"]

# What stands over a column, and what in it.
Column = tuple[str, Callable[["LocationScore"], float | None]]
USUAL: tuple[Column, ...] = (
    ("rel.", lambda row: row.reliability),
    ("gen.", lambda row: row.generalization),
    ("loc.", lambda row: row.locality),
)
OTHERS: tuple[Column, ...] = (
    ("qst.", lambda row: row.question),
    ("chat", lambda row: row.chat),
    ("ngh.", lambda row: row.neighbours),
    ("text", lambda row: row.text),
)


def print_trials(rows: Sequence["LocationScore"], preset: tuple[str, ...], several: bool) -> None:
    """Every trial in its order, by the measures that have always been there.

    Args:
        rows: the trials.
        preset: the locations of the model's preset.
        several: whether several rates were tried.
    """
    heads = ["location", *(["lr"] if several else []), *(head for head, _ in USUAL)]
    table = Table(*heads, "KL", "score", "s", box=None, pad_edge=False)
    for row in rows:
        marks = ("preset", row.at in preset), ("full length", row.is_full)
        mark = ", ".join(word for word, is_so in marks if is_so)
        table.add_row(
            f"{row.at} ({mark})" if mark else row.at,
            *([f"{row.learning_rate:g}"] if several else []),
            *(_written(measure(row)) for _, measure in USUAL),
            f"{row.kl:.3f}",
            f"{100 * row.score:.0f} ({100 * row.low['score']:.0f}–{100 * row.high['score']:.0f})",
            f"{row.seconds:.1f}",
        )
    screen().print(table)


def print_by_length(rows: Sequence["LocationScore"], several: bool) -> None:
    """A table for each length of trials, the longest first, by all measures, the best first.

    Args:
        rows: the trials.
        several: whether several rates were tried.
    """
    shown = (*USUAL, *OTHERS)
    ordered = sorted(rows, key=lambda row: (-row.facts, -row.limit, -row.score))
    for (facts, limit), there in groupby(ordered, key=lambda row: (row.facts, row.limit)):
        say(f"{facts} facts, at most {limit} passes:")
        heads = ["location", *(["lr"] if several else []), *(head for head, _ in shown)]
        table = Table(*heads, "score", "s", box=None, pad_edge=False, padding=(0, 1, 0, 0))
        for row in there:
            table.add_row(
                row.at,
                *([f"{row.learning_rate:g}"] if several else []),
                *(_written(measure(row)) for _, measure in shown),
                f"{100 * row.score:.0f}",
                f"{row.seconds:.0f}",
            )
        screen().print(table)


def _written(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
