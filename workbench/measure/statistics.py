"""How sure a mean is: facts, items or questions drawn again and again with replacement.

The one bootstrap of the workbench. A resample is a multinomial draw of how often each kind of item
was taken, which is exact, and a block of resamples is drawn at a time, so that 100,000 items need
no more memory than a few. Equal seeds give equal numbers. Knows nothing about what is measured.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HIGH",
    "LOW",
    "RESAMPLES",
    "Interval",
    "interval",
    "mean_intervals",
    "middle",
    "normal_interval",
    "resampled_means",
    "row_means",
]

RESAMPLES = 1000
LOW, HIGH = 0.05, 0.95
"""Between these quantiles lie the middle 90% of the resamples."""

NORMAL = 1.645
"""So many standard errors to each side hold the middle 90% of a normal distribution."""

CELLS = 1 << 19
"""Counts that are held at once; a few megabytes."""

Floats = NDArray[np.float64]
Interval = tuple[float, float]


def middle(resampled: Floats) -> tuple[Floats, Floats]:
    """Where the middle 90% of resamples lie, which stand along the last axis."""
    low, high = np.quantile(resampled, (LOW, HIGH), axis=-1)
    return low, high


def interval(sums: Floats, counts: Floats, *, seed: int = 0) -> Interval:
    """Where the middle 90% of a share lie when facts are drawn with replacement.

    Args:
        sums: (facts,) what each fact's questions add.
        counts: (facts,) how many questions each fact has; above 0.
        seed: draws the resamples.
    """
    added, asked = _resampled_sums(np.stack([sums, counts], axis=1), seed)
    return _pair(added / asked)


def mean_intervals(columns: Floats, *, seed: int = 0) -> list[Interval]:
    """Where the middle 90% of each column's mean lie when rows are drawn with replacement.

    The same rows are drawn for all columns, so that a change may be a column of its own.

    Args:
        columns: (items, columns).
        seed: draws the resamples.
    """
    return [_pair(sums / len(columns)) for sums in _resampled_sums(columns, seed)]


def normal_interval(value: float, error: float) -> Interval:
    """Where the middle 90% lie by a standard error, where the items are not known."""
    return value - NORMAL * error, value + NORMAL * error


def row_means(table: Floats) -> Floats:
    """Means of rows, some of whose values are missing: (rows, items) to (rows,).

    Args:
        table: NaN for what is missing; a row of nothing else has the mean NaN.
    """
    return _means(table, np.ones((1, table.shape[1])))[:, 0]


def resampled_means(
    tables: Mapping[str, Floats], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Floats]:
    """Means of rows over items drawn with replacement, the same draws for all rows.

    Tables with equally many items see the same draws too. Where a resample holds no value of a
    row, the mean of the row stands.

    Args:
        tables: each (rows, items), NaN for what is missing.
        resamples: how often.
        seed: decides the draws.

    Returns:
        For each table (rows, resamples); NaN for a row without any value.
    """
    generator = np.random.default_rng(seed)
    found = {name: np.full((len(table), resamples), np.nan) for name, table in tables.items()}
    for size in dict.fromkeys(table.shape[1] for table in tables.values()):
        alike = [name for name, table in tables.items() if table.shape[1] == size]
        for block, drawn in _draws(generator, np.ones(size, dtype=np.int64), resamples):
            counts = drawn.astype(np.float64)
            for name in alike:
                found[name][:, block] = _means(tables[name], counts)
    for name, table in tables.items():
        found[name] = np.where(np.isnan(found[name]), row_means(table)[:, None], found[name])
    return found


def _resampled_sums(columns: Floats, seed: int) -> list[Floats]:
    """Sums of each column over rows drawn with replacement: (items, columns) to (resamples,) each.

    Rows with equal values are alike, so that a resample is one draw over the kinds of rows.
    """
    kinds, many = np.unique(columns, axis=0, return_counts=True)
    sums = [np.empty(RESAMPLES) for _ in kinds.T]
    for block, drawn in _draws(np.random.default_rng(seed), many, RESAMPLES):
        for total, kind in zip(sums, kinds.T, strict=True):
            total[block] = drawn @ kind
    return sums


def _draws(
    generator: np.random.Generator, many: NDArray[np.int64], resamples: int
) -> Iterator[tuple[slice, NDArray[np.int64]]]:
    """Blocks of resamples: their places, and (block, kinds) how often each kind was drawn.

    Args:
        generator: draws them.
        many: (kinds,) how many items of each kind there are.
        resamples: how many there are in all.
    """
    if not len(many):
        return
    items, step = many.sum(), max(1, CELLS // len(many))
    for start in range(0, resamples, step):
        end = min(start + step, resamples)
        yield slice(start, end), generator.multinomial(items, many / items, size=end - start)


def _means(table: Floats, counts: Floats) -> Floats:
    """Means over items, each counted so many times: (rows, items) to (rows, resamples)."""
    there = ~np.isnan(table)
    sums = np.where(there, table, 0.0) @ counts.T
    sizes = there.astype(np.float64) @ counts.T
    return np.divide(sums, sizes, out=np.full_like(sums, np.nan), where=sizes > 0)


def _pair(resampled: Floats) -> Interval:
    low, high = middle(resampled)
    return float(low), float(high)
