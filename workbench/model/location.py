"""Where a model is tuned: a layer and a module in it, as text such as ``22.mlp.down_proj``.

Knows only the text form; which modules a model has is the engine's business.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from workbench.errors import LocationError, SettingsError

__all__ = ["Location", "parse_layers", "parse_locations", "write_layers"]

_FORM = re.compile(r"(?P<layer>\d+)(?:\.(?P<module>[A-Za-z_]\w*(?:\.\w+)*))?")


@dataclass(frozen=True, order=True, slots=True)
class Location:
    """A layer, and a module inside it.

    Args:
        layer: index of the layer, counted from 0.
        module: dotted path of the module inside the layer, such as ``mlp.down_proj`` (one
            matrix), ``mlp`` (a block) or ``mlp.experts.7.down_proj`` (a matrix of one expert);
            empty for the whole layer.
    """

    layer: int
    module: str = ""

    def __str__(self) -> str:
        return f"{self.layer}.{self.module}" if self.module else str(self.layer)

    @classmethod
    def parse(cls, text: str) -> "Location":
        """Reads the text form ``LAYER[.MODULE]``.

        Raises:
            LocationError: the text has another form.
        """
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise LocationError(
                f"'{text}' is not a location. Write a layer and a module, such as "
                "'6.mlp.down_proj', '6.mlp' for the layer's MLP, or '6' for the whole layer."
            )
        return cls(int(match["layer"]), match["module"] or "")

    def overlaps(self, other: "Location") -> bool:
        """Whether the two may share a weight, as one that lies inside the other does.

        A number in a path is an expert that may be stacked with others: ``mlp.experts.7.up`` lies
        inside ``mlp.experts.up``.
        """
        if self.layer != other.layer:
            return False
        mine, theirs = self._parts(), other._parts()
        while mine and theirs:
            if mine[0].isdigit() != theirs[0].isdigit():
                (mine if mine[0].isdigit() else theirs).pop(0)
            elif mine.pop(0) != theirs.pop(0):
                return False
        return True

    def _parts(self) -> list[str]:
        return self.module.split(".") if self.module else []


def parse_locations(texts: str | Iterable[str]) -> tuple[Location, ...]:
    """Reads one location or several, sorted; the same weights may not be named twice.

    Raises:
        LocationError: a text is malformed, or two locations overlap.
    """
    found = sorted(Location.parse(text) for text in ([texts] if isinstance(texts, str) else texts))
    for first, second in itertools.pairwise(found):
        if first.overlaps(second):
            raise LocationError(
                f"The locations '{first}' and '{second}' overlap. Keep one of them."
            )
    return tuple(found)


def parse_layers(text: str) -> tuple[int, ...]:
    """Layers as people write them: ``all``, or numbers and ranges such as ``0,3-7``.

    Returns:
        The numbers; empty for all.

    Raises:
        SettingsError: the text has another form.
    """
    if text.strip().lower() in ("", "all"):
        return ()
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part.strip())
        if match is None or (match[2] and int(match[2]) < int(match[1])):
            raise SettingsError(
                f"layers is '{text}'. Write numbers and ranges, such as 0,3-7, or 'all'."
            )
        found |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(found))


def write_layers(layers: tuple[int, ...]) -> str:
    """Layers as people write them, such as ``0,3-7``; ranges where three or more follow."""
    runs: list[list[int]] = []
    for layer in sorted(set(layers)):
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    parts = [
        [f"{run[0]}-{run[-1]}"] if len(run) > 2 else [str(layer) for layer in run] for run in runs
    ]
    return ",".join(part for some in parts for part in some) or "all"
