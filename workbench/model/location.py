"""Where a model is tuned: a layer and a module in it, as text such as ``22.mlp.down_proj``.

Knows only the text form; which modules a model has is the engine's business.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from workbench.errors import LocationError

__all__ = ["Location", "parse_locations"]

_FORM = re.compile(r"(?P<layer>\d+)(?:\.(?P<module>[A-Za-z_]\w*(?:\.\w+)*))?")


@dataclass(frozen=True, order=True, slots=True)
class Location:
    """A layer, and a module inside it.

    Args:
        layer: index of the layer, counted from 0.
        module: dotted path of the module inside the layer, such as ``mlp.down_proj`` (one
            matrix) or ``mlp`` (a block); empty for the whole layer.
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
        """Whether one of the two lies inside the other (or they are the same)."""
        if self.layer != other.layer:
            return False
        mine, theirs = self.module.split("."), other.module.split(".")
        if not self.module or not other.module:
            return True
        shared = min(len(mine), len(theirs))
        return mine[:shared] == theirs[:shared]


def parse_locations(texts: str | Iterable[str]) -> tuple[Location, ...]:
    """Reads one location or several, sorted; the same weights may not be named twice.

    Raises:
        LocationError: a text is malformed, or two locations overlap.
    """
    found = sorted(Location.parse(text) for text in ([texts] if isinstance(texts, str) else texts))
    for first, second in itertools.pairwise(found):
        if first.overlaps(second):
            raise LocationError(
                f"The locations '{first}' and '{second}' overlap. Keep the larger one only."
            )
    return tuple(found)
