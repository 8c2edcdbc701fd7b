"""How long work has taken on this machine, by which the next such work is foretold.

One small file beside the sessions, which the worker writes and the page reads. It is never part of
a session, since another machine has another pace. Invariant: what is foretold lies near what was
measured; where nothing alike was, nothing is foretold.
"""

import contextlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import linear_regression

from workbench.errors import WorkbenchError
from workbench.store.database import to_json
from workbench.store.settings import Settings
from workbench.work.records import from_text

__all__ = ["Amount", "Paces"]

NAME = "paces.json"
KEPT = 6  # measured times of one kind of work
MOST_MODELS = 20
FURTHEST = 5.0  # times as much, or as little, as was ever measured

Measured = tuple[float, float]  # how much it was, and the seconds that it took


@dataclass(frozen=True, slots=True)
class Amount:
    """How much work something is.

    Args:
        kind: what is done.
        about: what else decides how long it takes, such as settings; only alike work is compared.
        units: how much of it, in units of the kind's own.
    """

    kind: str
    about: str
    units: float

    @property
    def key(self) -> str:
        """What is compared with each other."""
        return f"{self.kind} {self.about}".strip()


class Paces:
    """The times of one model among those that were at work under one folder.

    Args:
        root: the folder of the sessions.
        settings: of a session, whose model is meant as it is now: another may be chosen while
            this one is at work.
    """

    def __init__(self, root: Path, settings: Settings) -> None:
        self._path, self._model = root / NAME, _model(settings)

    def keep(self, amount: Amount, seconds: float) -> None:
        """Notes what some work took; on a full disk nothing is noted.

        Args:
            amount: how much it was.
            seconds: that it took.
        """
        every = self._read()
        own = every.pop(self._model, {})
        own[amount.key] = [*own.get(amount.key, []), (amount.units, seconds)][-KEPT:]
        every[self._model] = own
        fresh = self._path.with_suffix(".part")
        with contextlib.suppress(OSError):
            fresh.write_text(to_json(dict(list(every.items())[-MOST_MODELS:])), "utf-8")
            fresh.replace(self._path)

    def seconds(self, amount: Amount) -> float | None:
        """What some work will take; None where nothing like it was measured.

        Args:
            amount: how much it is.
        """
        return foretold(self._read().get(self._model, {}).get(amount.key, ()), amount.units)

    def _read(self) -> dict[str, dict[str, list[Measured]]]:
        try:
            text = self._path.read_text("utf-8")
            return from_text(dict[str, dict[str, list[Measured]]], text)
        except (OSError, ValueError, WorkbenchError):
            return {}


def foretold(measured: Sequence[Measured], units: float) -> float | None:
    """The seconds for so many units: on a line through what was measured, else in proportion.

    Args:
        measured: the latest last.
        units: how many.
    """
    known = [(size, taken) for size, taken in measured if size > 0 and 0 <= taken < inf]
    sizes = [size for size, _ in known]
    if not sizes or not min(sizes) / FURTHEST <= units <= max(sizes) * FURTHEST:
        return None
    if len(set(sizes)) > 1:
        slope, start = linear_regression(sizes, [taken for _, taken in known])
        if slope >= 0 and start >= 0:
            return start + slope * units
    size, taken = known[-1]
    return taken * units / size


def _model(settings: Settings) -> str:
    """What decides how fast the model is: which it is, how it is held, and the machine."""
    summary = settings.summary
    device = "" if summary is None else summary.device
    return to_json([platform.node(), device, settings.model.as_dict()])
