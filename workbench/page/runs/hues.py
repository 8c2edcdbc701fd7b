"""The colour of a run: the same in the table, laid over others, and in a scatter.

Pure functions. A colour is a place in the palette, from 1.
"""

from collections.abc import Iterable, Mapping

from workbench.work.colours import SERIES_NAMES

__all__ = ["HUES", "hue_of", "hues_of"]

HUES = tuple(enumerate(SERIES_NAMES, start=1))
"""The places of the palette with their names."""


def hue_of(run: int, chosen: Mapping[int, int]) -> int:
    """The colour of a run: the one that a person chose, else one that goes with its number.

    Args:
        run: its number.
        chosen: colours that people chose, by the runs' numbers.
    """
    own = chosen.get(run, 0)
    return own if 1 <= own <= len(HUES) else 1 + (run - 1) % len(HUES)


def hues_of(runs: Iterable[int], chosen: Mapping[int, int]) -> dict[int, int]:
    """The colours of several runs, by their numbers."""
    return {run: hue_of(run, chosen) for run in runs}
