"""The tensors of a GGUF file that an edit changes, in the types that may hold them."""

from collections.abc import Mapping

import numpy as np
import torch
from gguf import GGMLQuantizationType

from workbench.model.gguf_header import GgufHeader
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.ship.gguf_file import Replaced, read_raw, read_values
from workbench.ship.gguf_places import Place
from workbench.ship.gguf_types import bits, candidates, rounded, stored

__all__ = ["EditedTensors"]

FINE_ENOUGH = 8.0  # bits a weight, where no fact can tell what is


class EditedTensors:
    """What an edit changes in a file; a level is a type for each tensor, a higher one is better.

    Args:
        header: of the original.
        places: where each of the patch's tensors lies in it.
        patch: the edit.
        wanted: the type that somebody asked for; None for the original's and all better ones.
    """

    def __init__(
        self, header: GgufHeader, places: Mapping[str, Place], patch: Patch, wanted: str | None
    ) -> None:
        self.header, self.places, self.wanted = header, places, wanted
        self._new = {name: tensor.float().numpy() for name, tensor in patch.tensors.items()}
        self._kinds = {
            place.name: candidates(place.kind, wanted, place.shape) for place in places.values()
        }
        self.levels = max(len(kinds) for kinds in self._kinds.values())

    def kinds(self, level: int) -> dict[str, GGMLQuantizationType]:
        """The type of every tensor, by its name in the file; a higher level is better."""
        return {name: kinds[min(level, len(kinds) - 1)] for name, kinds in self._kinds.items()}

    def names(self, level: int) -> str:
        """The types in words."""
        return ", ".join(dict.fromkeys(kind.name.lower() for kind in self.kinds(level).values()))

    def fine_enough(self) -> int:
        """The first level at which nobody expects a fact to be lost."""
        for level in range(self.levels):
            if all(bits(kind) >= FINE_ENOUGH for kind in self.kinds(level).values()):
                return level
        return self.levels - 1

    def rounded(self, level: int, model: LanguageModel) -> dict[str, torch.Tensor]:
        """The edit as the model in memory would have it after it was stored so."""
        kinds, found = self.kinds(level), {}
        for name, values in self._new.items():
            place, like = self.places[name], model.tensor(name)
            again = place.back(rounded(place.layout(values), kinds[place.name]))
            found[name] = torch.from_numpy(np.ascontiguousarray(again)).to(like)
        return found

    def replaced(self, level: int) -> dict[str, Replaced]:
        """What is written, by its name in the file."""
        found: dict[str, Replaced] = {}
        for there, kind in self.kinds(level).items():
            parts = {n: p for n, p in self.places.items() if p.name == there}
            found[there] = Replaced(kind, self._stored(there, kind, parts))
        return found

    def _stored(self, there: str, kind: GGMLQuantizationType, parts: Mapping[str, Place]) -> bytes:
        moved = {place.expert: place.layout(self._new[n]) for n, place in parts.items()}
        if None in moved:
            return stored(moved[None], kind)
        if kind != self.header.tensors[there].kind:
            whole = read_values(self.header, there)
            for expert, values in moved.items():
                whole[expert] = values
            return stored(whole, kind)
        # The other experts keep their bytes.
        raw = read_raw(self.header, there).reshape(self.header.tensors[there].shape[0], -1)
        for expert, values in moved.items():
            raw[expert] = np.frombuffer(stored(values, kind), np.uint8)
        return bytes(raw.tobytes())
