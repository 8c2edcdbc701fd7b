"""The places of a model as one heat map: layers down, modules across. Pure, from data to HTML.

Every place is a button in a table, so that the mouse, the keyboard and a screen reader have the
same. A model of many layers is shown in bands that stand side by side where there is room.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from workbench.model.location import Location
from workbench.model.places import Places
from workbench.page.layers.known import Measured
from workbench.work.templates import render
from workbench.work.words import share, small

__all__ = ["heat_map", "tone"]

LONGEST_BAND = 48  # layers
WIDEST_NAME = 5  # letters of a matrix that are written across; a longer name is written upright
# Where words on a cell change their colour: in the dark at the first, in the light at the second.
LOW, HIGH = 48, 76


@dataclass(frozen=True, slots=True)
class _Column:
    """One module: its name, the block that it stands under, and its short name there."""

    module: str
    block: str
    short: str


@dataclass(frozen=True, slots=True)
class _Cell:
    """One place with what is known of it; ``height`` is None where the measure says nothing."""

    at: str
    hint: str
    height: int | None
    shown: str
    is_chosen: bool
    is_preset: bool
    in_order: bool

    @property
    def tone(self) -> str:
        """Which colour the words on it have."""
        return "" if self.height is None else tone(self.height)


def tone(height: int) -> str:
    """The class of a cell, from 0 to 100 on the scale, which decides the colour of its words."""
    return "low" if height < LOW else "high" if height >= HIGH else "middle"


def heat_map(
    places: Places,
    chosen: tuple[str, ...],
    preset: tuple[str, ...],
    measures: Sequence[Measured],
    colour: str = "",
) -> Markup:
    """A button for each place, coloured by one measure; its name tells all that is known there.

    Args:
        places: of the model; where a layer lacks a matrix, there is no button.
        chosen: locations that are tuned next.
        preset: locations of the model's preset.
        measures: what is known.
        colour: the key of the measure that colours; none of them: nothing is coloured.
    """
    by = next((measure for measure in measures if measure.key == colour), None)
    columns = _columns(places)
    first = next((at for at in chosen if Location.parse(at).layer < places.layers), "")
    rows = []
    for layer in range(places.layers):
        cells: list[_Cell | None] = []
        for column in columns:
            at = str(Location(layer, column.module))
            there = layer in places.having(column.module)
            in_order = at == first or (not first and layer == 0 and not any(cells))
            cell = _cell(at, chosen, preset, measures, by, in_order) if there else None
            cells.append(cell)
        rows.append((layer, cells))
    bands = math.ceil(places.layers / LONGEST_BAND)
    size = math.ceil(places.layers / bands)
    return render(
        "page/layers/heat.html",
        bands=[rows[start : start + size] for start in range(0, places.layers, size)],
        columns=columns,
        groups=[(name, len(list(some))) for name, some in groupby(c.block for c in columns)],
        titles={column.module: _title(column.module, places) for column in columns},
        upright=any(len(column.short) > WIDEST_NAME for column in columns),
        density="roomy" if size <= 16 else "even" if size <= 32 else "dense",
        legend=_legend(by),
    )


def _cell(
    at: str,
    chosen: Iterable[str],
    preset: Iterable[str],
    measures: Sequence[Measured],
    by: Measured | None,
    in_order: bool,
) -> _Cell:
    value = None if by is None else by.values.get(at)
    known = [measure.words[at] for measure in measures if at in measure.words]
    marks = ["the preset"] if at in preset else []
    return _Cell(
        at=at,
        hint=", ".join([at, *marks, *known]),
        height=None if by is None or value is None else round(100 * by.height(value)),
        shown=share(value) if by is not None and by.is_share and value is not None else "",
        is_chosen=at in chosen,
        is_preset=at in preset,
        in_order=in_order,
    )


def _columns(places: Places) -> list[_Column]:
    """The matrices in the model's order, each block that has several after its own, and all."""
    modules = list(places.modules)
    heads = [module.rpartition(".")[0] for module in modules]
    columns = []
    for block in dict.fromkeys(heads):
        inside = [module for module, head in zip(modules, heads, strict=True) if head == block]
        columns += [_Column(module, block, _short(module)) for module in inside]
        if block and len(inside) > 1:
            columns.append(_Column(block, block, "all"))
    return [*columns, _Column("", "layer", "all")]


def _short(module: str) -> str:
    last = module.rpartition(".")[2]
    stem = last.removesuffix("_proj")
    return last if stem in ("", "c") else stem  # "c" alone says nothing


def _title(module: str, places: Places) -> str:
    experts = places.experts.get(module)
    return f"{module} ({experts})" if experts else module or "the whole layer"


def _legend(by: Measured | None) -> tuple[str, str, str] | None:
    """The measure's sentence, and what the ends of the scale stand for."""
    if by is None:
        return None
    write = share if by.is_share else small
    low, high = by.ends
    return by.sentence, write(low), write(high)
