"""In which order runs stand in the table, and which of them. Pure functions.

What a run lacks, such as a measure that was not taken, stands last whichever way it is sorted.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workbench.measure.protocols import SCORED, metric_name
from workbench.methods.base import method_name
from workbench.store.runs import Run

__all__ = ["NEWEST_FIRST", "Order", "found_runs", "ordered_runs", "run_name", "run_words"]

WAYS = ("down", "up")


@dataclass(frozen=True, slots=True)
class Order:
    """By what runs are sorted.

    Args:
        by: ``run``, ``facts``, ``loss``, ``time``, or a measure.
        falling: whether the largest stands first.
    """

    by: str = "run"
    falling: bool = True

    @classmethod
    def parse(cls, text: str) -> "Order":
        """The inverse of `str`; anything else is the newest first."""
        by, _, way = text.partition(" ")
        known = by in ("run", "facts", "loss", "time", *SCORED) and way in WAYS
        return cls(by, way == "down") if known else NEWEST_FIRST

    def __str__(self) -> str:
        return f"{self.by} {'down' if self.falling else 'up'}"

    def after_click(self, by: str) -> "Order":
        """The order once a column's head was clicked: that column, or the other way round."""
        return Order(by, not self.falling) if by == self.by else Order(by, by != "loss")


NEWEST_FIRST = Order()


def ordered_runs(
    runs: Iterable[Run], order: Order, losses: Mapping[int, Sequence[float]]
) -> list[Run]:
    """Runs in an order.

    Args:
        runs: which.
        order: by what.
        losses: of each run by its number, one for each epoch.
    """
    known: list[tuple[float, Run]] = []
    unknown: list[Run] = []
    for run in sorted(runs, key=lambda each: -each.id):
        value = _value(run, order.by, losses.get(run.id, ()))
        if value is None or math.isnan(value):
            unknown.append(run)
        else:
            known.append((value, run))
    known.sort(key=lambda pair: -pair[0] if order.falling else pair[0])
    return [*(run for _, run in known), *unknown]


def _value(run: Run, by: str, losses: Sequence[float]) -> float | None:
    if by == "run":
        return run.id
    if by == "facts":
        return run.facts
    if by == "loss":
        return losses[-1] if losses else None
    if by == "time":
        seconds = run.outcome.get("seconds")
        return None if seconds is None else float(seconds)
    share = (run.metrics.get("after") or {}).get(metric_name(by, "strict"))
    return None if share is None else float(share)


def found_runs(runs: Iterable[Run], words: str, names: Mapping[int, str]) -> list[Run]:
    """The runs in whose number, name, place, method, state or settings every word stands.

    Args:
        runs: which.
        words: what is looked for; empty finds all.
        names: that people gave to runs, by their numbers.
    """
    wanted = words.casefold().split()
    return [run for run in runs if _holds(run, wanted, names.get(run.id, ""))]


def _holds(run: Run, wanted: Sequence[str], name: str) -> bool:
    settings = " ".join(f"{key} {value}" for key, value in run.settings.as_dict().items())
    text = f"{run.name} {name} {' '.join(run.at)} {method_name(run.method)} {run.state} {settings}"
    folded = text.casefold()
    return all(word in folded for word in wanted)


def run_name(run: Run, names: Mapping[int, str]) -> str:
    """What a run is called: its number, and the name that a person gave it."""
    own = names.get(run.id, "")
    return f"{run.name} · {own}" if own else run.name


def run_words(run: Run, names: Mapping[int, str]) -> str:
    """A run for a list to choose from: its number, its name where it has one, its places."""
    return " · ".join(part for part in (run_name(run, names), ", ".join(run.at)) if part)
