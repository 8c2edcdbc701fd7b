"""Hidden states that outlive a run: in a folder, by model, layer and text, within a limit.

A layer's states lie in one file, text after text, with a line of an index for each; the line is
written after the states, so that what was broken off is only missing. Invariants: what is found was
computed by a model of the same weights; a folder that is full, damaged or gone means that states
are computed anew, never an error. Knows nothing about how states are computed.
"""

import hashlib
import json
import math
import shutil
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from workbench.model.hidden_states import HiddenStates, empty_states
from workbench.model.language_model import LanguageModel
from workbench.model.part_digest import part_digest
from workbench.model.tokens import TokenizedText, TokenTable

__all__ = ["LIMIT", "StatesStore", "text_key"]

LIMIT = 20_000_000_000
"""Bytes of kept states, unless somebody says otherwise."""

WAY = "on the way"
SPARE = 2  # times what is written must be free on the disk


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The states of one layer, as they are kept."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    places: dict[str, tuple[int, int]]

    @property
    def width(self) -> int:
        return math.prod(self.shape)


def text_key(text: TokenizedText) -> str:
    """What tells a text from others: the tokens that the model reads."""
    return hashlib.sha256(json.dumps(text.inputs).encode()).hexdigest()[:32]


class StatesStore:
    """Kept states in a folder.

    Args:
        folder: is made when something is kept.
        limit: bytes that all may take; the layers that were used longest ago go first.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder = folder
        self.limit = limit
        self._digests: dict[tuple[int, int], tuple[weakref.ref[LanguageModel], str]] = {}

    @property
    def bytes(self) -> int:
        """What is taken."""
        return sum(_size(shelf) for shelf in self._shelves())

    def clear(self) -> None:
        """Forgets all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def layers(self, model: LanguageModel) -> list[int]:
        """The layers at which anything may be kept, in their order."""
        names = {shelf.name for shelf in self._shelves() if shelf.name.isdigit()}
        return sorted(layer for layer in map(int, names) if layer <= model.layer_count)

    def known(
        self, model: LanguageModel, layer: int, texts: TokenTable, rows: Sequence[int]
    ) -> list[int]:
        """Those of some texts whose states that enter a layer are kept."""
        shelf = self._read_index(self._place(model, layer))
        if shelf is None:
            return []
        return [row for row in rows if text_key(texts.texts[row]) in shelf.places]

    def put_into(
        self, states: HiddenStates, model: LanguageModel, texts: TokenTable, rows: Sequence[int]
    ) -> bool:
        """Reads kept states of some texts into the places that they have in others.

        Returns:
            Whether all were there; a layer of which some are missing is forgotten.
        """
        place = self._place(model, states.layer)
        shelf = self._read_index(place)
        if shelf is None or shelf.shape != tuple(states.flat.shape[1:]):
            return False
        try:
            file = place / "states"
            count = file.stat().st_size // shelf.dtype.itemsize
            flat = torch.from_file(str(file), shared=False, size=count, dtype=shelf.dtype)
            for row in rows:
                start, tokens = shelf.places[text_key(texts.texts[row])]
                piece = flat[start * shelf.width : (start + tokens) * shelf.width]
                to, end = states.starts[row : row + 2]
                states.flat[to:end] = piece.view(tokens, *shelf.shape)
        except (OSError, RuntimeError, KeyError):
            shutil.rmtree(place, ignore_errors=True)  # so that what is computed can be kept
            return False
        with suppress(OSError):
            (place / "index.jsonl").touch()
        return True

    def read(
        self,
        model: LanguageModel,
        layer: int,
        texts: TokenTable,
        rows: Sequence[int],
        *,
        also: Sequence[int] = (),
        memory_limit: int | None = None,
    ) -> HiddenStates | None:
        """Kept states of some texts, with room for those of others; None where one is missing."""
        shelf = self._read_index(self._place(model, layer))
        if shelf is None:
            return None
        like = torch.empty(1, 1, *shelf.shape, dtype=shelf.dtype)
        states = empty_states(texts, [*rows, *also], like, model.device, memory_limit)
        states.layer = layer
        return states if self.put_into(states, model, texts, rows) else None

    def add(
        self,
        model: LanguageModel,
        texts: TokenTable,
        states: HiddenStates,
        rows: Sequence[int],
        *,
        on_way: bool = False,
    ) -> bool:
        """Keeps states of some texts, unless they are kept already.

        Args:
            model: the base.
            texts: all texts.
            states: of them.
            rows: those that are kept.
            on_way: whether they are wanted only until the texts have come to a later layer.

        Returns:
            Whether they are kept now.
        """
        place = self._place(model, states.layer)
        shelf = self._read_index(place)
        keys = {row: text_key(texts.texts[row]) for row in rows}
        fresh = [row for row in rows if shelf is None or keys[row] not in shelf.places]
        tail = tuple(states.flat.shape[1:])
        if shelf is not None and (shelf.shape, shelf.dtype) != (tail, states.flat.dtype):
            return False
        width = math.prod(tail) * states.flat.element_size()
        needed = width * sum(texts.length(row) for row in fresh)
        try:
            if shelf is None:  # whatever lies there cannot be read
                shutil.rmtree(place, ignore_errors=True)
            if shelf is None and on_way:
                place.mkdir(parents=True, exist_ok=True)
                (place / WAY).touch()
            if not on_way:
                (place / WAY).unlink(missing_ok=True)
            if not fresh:
                return True
            if not self._make_room(place, needed):
                return False
            with (place / "states").open("ab") as data, (place / "index.jsonl").open("a") as index:
                if not index.tell():
                    kind = str(states.flat.dtype).removeprefix("torch.")
                    index.write(json.dumps({"dtype": kind, "shape": tail}) + "\n")
                at = -(-data.tell() // width)  # what was broken off may end anywhere
                data.write(b"\0" * (at * width - data.tell()))
                lines = []
                for row in fresh:
                    piece = states.flat[slice(*states.starts[row : row + 2])].contiguous().cpu()
                    data.write(piece.view(torch.uint8).numpy().tobytes())
                    lines.append(json.dumps([keys[row], at, len(piece)]) + "\n")
                    at += len(piece)
                data.flush()
                index.writelines(lines)
        except OSError:
            return False
        return True

    def forget_way(self, model: LanguageModel, layer: int) -> None:
        """Forgets what was kept only until texts have come to a layer."""
        for below in self.layers(model):
            place = self._place(model, below)
            if below < layer and (place / WAY).exists():
                shutil.rmtree(place, ignore_errors=True)

    def _place(self, model: LanguageModel, layer: int) -> Path:
        return self.folder / self._digest(model, layer) / str(layer)

    def _digest(self, model: LanguageModel, layer: int) -> str:
        """`part_digest` of the model below a layer, computed once."""
        known = self._digests.get((id(model), layer))
        if known is not None and known[0]() is model:
            return known[1]
        found = part_digest(model, layer)
        self._digests[id(model), layer] = (weakref.ref(model), found)
        return found

    def _shelves(self) -> list[Path]:
        return [index.parent for index in self.folder.glob("*/*/index.jsonl")]

    def _make_room(self, place: Path, needed: int) -> bool:
        """Makes room for states at a place, which stays; whether there is enough."""
        others = sorted(
            (shelf for shelf in self._shelves() if shelf != place),
            key=lambda shelf: (shelf / "index.jsonl").stat().st_mtime,
        )
        taken = self.bytes
        while taken + needed > self.limit and others:
            taken -= _size(oldest := others.pop(0))
            shutil.rmtree(oldest, ignore_errors=True)
        place.mkdir(parents=True, exist_ok=True)
        enough = shutil.disk_usage(place).free > SPARE * needed
        return enough and taken + needed <= self.limit

    def _read_index(self, place: Path) -> _Shelf | None:
        """What is kept at a place; None where there is nothing that can be read."""
        try:
            lines = (place / "index.jsonl").read_text().splitlines()
            head = json.loads(lines[0])
            dtype, shape = getattr(torch, head["dtype"]), tuple(map(int, head["shape"]))
            places = {}
            for line in lines[1:]:
                with suppress(ValueError, TypeError):  # the last one may have been broken off
                    key, start, tokens = json.loads(line)
                    places[key] = (int(start), int(tokens))
        except (OSError, IndexError, KeyError, TypeError, ValueError, AttributeError):
            return None
        return _Shelf(dtype, shape, places)


def _size(shelf: Path) -> int:
    try:
        return sum(file.stat().st_size for file in shelf.iterdir())
    except OSError:
        return 0
