"""What holds while a run goes on: curves of what is learned by form, and of what stays.

Pure functions from events to HTML; only what was counted is drawn. The picture has its numbers
beside it, and a table for those who do not see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from workbench.facts.forms import FORMS, Form
from workbench.methods.events import EpochDone
from workbench.work.templates import render

__all__ = ["NEIGHBOURS", "held_curves", "shares_of"]

NEIGHBOURS = "neighbours"
SIDE = 100.0  # of the picture's coordinates, which are stretched to its place
MOST_POINTS = 200  # of one curve; a run may have many thousand epochs
MOST_ROWS = 6  # of the table
KINDS = 5  # how many looks the curves of forms have

Points = list[tuple[int, float]]  # epoch and share


@dataclass(frozen=True, slots=True)
class _Curve:
    """One curve with what it is at now."""

    name: str
    kind: str
    path: str
    now: float


def shares_of(epoch: EpochDone, only: Form | None = None) -> dict[str, float]:
    """What was counted in an epoch, by name: a share for each form, and what stayed.

    Args:
        epoch: the epoch.
        only: the one form in which facts were trained; what was learned was learned in it.
    """
    counted = epoch.by_form or ({} if only is None else {only: epoch.learned})
    ordered: dict[str, float] = {form: counted[form] for form in FORMS if form in counted}
    stayed = {} if epoch.neighbours is None else {NEIGHBOURS: epoch.neighbours}
    return {**ordered, **stayed}


def held_curves(
    epochs: Sequence[EpochDone], most: int, *, only: Form | None = None, beside: int = 0
) -> Markup:
    """The curves so far, with their last values; empty where nothing was counted.

    Args:
        epochs: those done.
        most: how many there may be; the curves keep room for twice what is done.
        only: see `shares_of`.
        beside: how many epochs a run has that is drawn beside it, on the same scale.
    """
    # A run that goes on after a crash does some epochs again.
    counted = {epoch.epoch: shares for epoch in epochs if (shares := shares_of(epoch, only))}
    if not counted:
        return Markup()
    last = epochs[-1].epoch
    room = max(2, min(most, 2 * last), beside)
    names = {name for shares in counted.values() for name in shares}
    # A form looks the same in every run.
    looks: dict[str, str] = {
        form: f"form-{number % KINDS + 1}" for number, form in enumerate(FORMS)
    }
    curves = [
        _curve(name, look, counted, room)
        for name, look in {**looks, NEIGHBOURS: "stays"}.items()
        if name in names
    ]
    rows = [(epoch, counted[epoch]) for epoch in _few(sorted(counted), MOST_ROWS)]
    return render(
        "page/edit/held.html", curves=curves, rows=rows, room=room, stays=NEIGHBOURS in names
    )


def _curve(name: str, kind: str, counted: dict[int, dict[str, float]], room: int) -> _Curve:
    points = [(epoch, counted[epoch][name]) for epoch in sorted(counted) if name in counted[epoch]]
    shown = [points[place] for place in _few(range(len(points)), MOST_POINTS)]
    return _Curve(name, kind, _path(shown, room), points[-1][1])


def _path(points: Points, room: int) -> str:
    places = [
        f"{SIDE * (epoch - 1) / (room - 1):.2f} {SIDE * (1 - min(1.0, max(0.0, share))):.2f}"
        for epoch, share in points
    ]
    # One epoch is a short dash, which can be seen.
    if len(places) == 1:
        beside = points[0][0] - (0.5 if points[0][0] < room else 1.5)
        places.append(f"{SIDE * beside / (room - 1):.2f} {places[0].split()[1]}")
    return "M" + " L".join(places)


def _few(all_of_them: Sequence[int], most: int) -> list[int]:
    """Some of many, evenly, with the first and the last."""
    count = len(all_of_them)
    if count <= most:
        return list(all_of_them)
    return [all_of_them[round(place * (count - 1) / (most - 1))] for place in range(most)]
