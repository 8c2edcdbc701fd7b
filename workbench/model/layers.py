"""The layers of a decoder and the weights inside them, found from the module tree.

Works for any decoder that keeps its layers in one list. Names are matched exactly, part by
part, never by substring: layer 2 is not layer 20.
"""

from dataclasses import dataclass

from torch import nn

from workbench.errors import LocationError, ModelError
from workbench.model.location import Location

__all__ = ["LayerList", "LocationInfo", "find_layers"]


@dataclass(frozen=True, slots=True)
class LocationInfo:
    """One weight that can be tuned.

    Args:
        location: its layer and module.
        shape: the shape of its tensor.
        weights: how many numbers it holds.
    """

    location: Location
    shape: tuple[int, ...]
    weights: int


@dataclass(frozen=True)
class LayerList:
    """A model's decoder layers.

    Args:
        name: dotted path of the list in the model, such as ``model.layers``.
        modules: the layers, in order.
    """

    name: str
    modules: nn.ModuleList

    def __len__(self) -> int:
        return len(self.modules)

    def __getitem__(self, index: int) -> nn.Module:
        return self.modules[index]

    def locations(self) -> list[LocationInfo]:
        """Every weight of two or more dimensions in every layer, in the model's order.

        A matrix ``mlp.down_proj.weight`` is called by its module, ``mlp.down_proj``; a weight
        that is not its module's ``weight``, such as stacked experts, by its own name.
        """
        found = []
        for index, layer in enumerate(self.modules):
            for name, weight in layer.named_parameters():
                if weight.ndim >= 2:
                    where = Location(index, name.removesuffix(".weight"))
                    found.append(LocationInfo(where, tuple(weight.shape), weight.numel()))
        return found

    def matrices(self) -> tuple[str, ...]:
        """Names of the 2-D weights inside a layer, in order, over all kinds of layers."""
        names = (i.location.module for i in self.locations() if len(i.shape) == 2)
        return tuple(dict.fromkeys(names))

    def weights_at(self, location: Location) -> dict[str, nn.Parameter]:
        """The weights that tuning at a location changes, by their full names in the model.

        A location that names a matrix is that matrix alone (not its bias); one that names a
        block, or a whole layer, is everything in it.

        Raises:
            LocationError: the model has no such layer, or the layer no such module.
        """
        if location.layer >= len(self.modules):
            raise LocationError(
                f"Location '{location}': this model has {len(self.modules)} layers, "
                f"0 to {len(self.modules) - 1}."
            )
        layer = self.modules[location.layer]
        prefix = f"{self.name}.{location.layer}"
        weights = dict(layer.named_parameters())
        for exact in (f"{location.module}.weight", location.module):
            if exact in weights and weights[exact].ndim >= 2:
                return {f"{prefix}.{exact}": weights[exact]}
        inside = f"{location.module}." if location.module else ""
        chosen = {f"{prefix}.{n}": w for n, w in weights.items() if n.startswith(inside)}
        if not chosen:
            modules = dict.fromkeys(n.removesuffix(".weight") for n, w in weights.items())
            raise LocationError(
                f"Location '{location}': layer {location.layer} has no module "
                f"'{location.module}'. It has {', '.join(modules)}."
            )
        return chosen


def find_layers(network: nn.Module, expected: int | None) -> LayerList:
    """The list of decoder layers of a model.

    Args:
        network: any decoder.
        expected: how many layers its config names; other lists are passed over.

    Raises:
        ModelError: there is no such list.
    """
    candidates = [
        LayerList(name, module)
        for name, module in network.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) > 0
    ]
    if expected is not None:
        candidates = [c for c in candidates if len(c) == expected]
    if not candidates:
        raise ModelError(
            "No list of decoder layers was found in this model, so there is nothing to tune. "
            "Choose a decoder-only language model."
        )
    return max(candidates, key=lambda c: sum(p.numel() for p in c.modules.parameters()))
