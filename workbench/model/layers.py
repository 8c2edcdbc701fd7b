"""The layers of a decoder and the weights inside them, found from the module tree.

Works for any decoder that keeps its layers in one list, also where layers differ. Names are
matched exactly, part by part, never by substring: layer 2 is not layer 20. Weights that layers
share belong to the first of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from workbench.errors import LocationError, ModelError
from workbench.model.experts import expert_part, expert_total, part_name, stacked_weights
from workbench.model.location import Location, write_layers

__all__ = ["LayerList", "LocationInfo", "find_layers"]


@dataclass(frozen=True, slots=True)
class LocationInfo:
    """One weight that can be tuned.

    Args:
        location: its layer and module.
        shape: the shape of its tensor.
        weights: how many numbers it holds.
        experts: how many experts are stacked in it; 0 for any other weight.
    """

    location: Location
    shape: tuple[int, ...]
    weights: int
    experts: int = 0

    @property
    def is_place(self) -> bool:
        """Whether it is worth a place of its own: a matrix, or the matrices of all experts."""
        return len(self.shape) == 2 or self.experts > 0


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
            totals = _expert_totals(layer)
            for name, weight in self._own(index).items():
                # The experts' biases are no matrices, though they are stacked into one.
                if weight.ndim >= 2 and not (name in totals and _is_stacked_bias(layer, name)):
                    where = Location(index, name.removesuffix(".weight"))
                    experts = totals.get(name, 0)
                    shape = tuple(weight.shape)
                    found.append(LocationInfo(where, shape, weight.numel(), experts))
        return found

    def experts_in(self, stack: LocationInfo) -> list[LocationInfo]:
        """The matrix of every single expert of a stack, such as ``3.mlp.experts.7.down_proj``.

        None where it is no stack.
        """
        layer, module, total = stack.location.layer, stack.location.module, stack.experts
        if not total:
            return []
        rows, *rest = stack.shape
        shape = tuple(rest) if rows == total else (rows // total, *rest)
        modules = [self._expert_module(layer, module, expert) for expert in range(total)]
        size = stack.weights // total
        return [LocationInfo(Location(layer, name), shape, size) for name in modules]

    def matrices(self) -> tuple[str, ...]:
        """Names of the 2-D weights inside a layer, in order, over all kinds of layers."""
        names = (i.location.module for i in self.locations() if len(i.shape) == 2 and not i.experts)
        return tuple(dict.fromkeys(names))

    def places(self) -> dict[str, tuple[int, ...]]:
        """The layers that have each matrix or stack of experts, by its name, in order."""
        found: dict[str, list[int]] = {}
        for info in self.locations():
            if info.is_place:
                found.setdefault(info.location.module, []).append(info.location.layer)
        return {module: tuple(layers) for module, layers in found.items()}

    def stacks(self) -> dict[str, int]:
        """How many experts are stacked in a weight, by its name; the most of any layer."""
        found: dict[str, int] = {}
        for info in self.locations():
            if info.experts:
                module = info.location.module
                found[module] = max(info.experts, found.get(module, 0))
        return found

    def layers_with(self, module: str) -> tuple[int, ...]:
        """The layers in which a location may name that module."""
        return tuple(i for i in range(len(self)) if self._find(Location(i, module)))

    def weights_at(self, location: Location) -> dict[str, torch.Tensor]:
        """The weights that tuning at a location changes, by their full names in the model.

        A location that names a matrix is that matrix alone (not its bias); one that names a
        block, or a whole layer, is everything in it. Stacked experts are parameters as a whole;
        one expert's part, such as ``mlp.experts.7.down_proj``, is a view into one.

        Raises:
            LocationError: the model has no such layer, or the layer no such module.
        """
        if location.layer >= len(self.modules):
            raise LocationError(
                f"Location '{location}': this model has {len(self.modules)} layers, "
                f"0 to {len(self.modules) - 1}."
            )
        found = self._find(location)
        if not found:
            raise LocationError(f"Location '{location}': {self._why_not(location)}")
        return {f"{self.name}.{location.layer}.{name}": w for name, w in found.items()}

    def _find(self, location: Location) -> dict[str, torch.Tensor]:
        """The weights at a location by their names in the layer; nothing where it has none."""
        weights, module = self._own(location.layer), location.module
        for exact in (f"{module}.weight", module):
            if exact in weights and weights[exact].ndim >= 2:
                return {exact: weights[exact]}
        inside = f"{module}." if module else ""
        chosen: dict[str, torch.Tensor] = {
            name: weight for name, weight in weights.items() if name.startswith(inside)
        }
        return chosen or self._find_expert(location, weights)

    def _find_expert(
        self, location: Location, weights: dict[str, nn.Parameter]
    ) -> dict[str, torch.Tensor]:
        owner, path, expert, rest = self._split_expert(location)
        if owner is None or expert >= expert_total(owner):
            return {}
        found: dict[str, torch.Tensor] = {}
        for own, weight in stacked_weights(owner).items():
            name = f"{path}.{own}" if path else own
            if name in weights and rest in ("", own):
                part = expert_part(owner, weight.detach(), expert)
                found[part_name(name, expert)] = part
        return found

    def _split_expert(self, location: Location) -> tuple[nn.Module | None, str, int, str]:
        """The module that stacks an expert's weights, its path, the expert, and which weight."""
        parts = location.module.split(".")
        for place, part in enumerate(parts):
            path = ".".join(parts[:place])
            if part.isdigit() and place:
                try:
                    owner = self.modules[location.layer].get_submodule(path)
                except AttributeError:
                    break
                if expert_total(owner):
                    return owner, path, int(part), ".".join(parts[place + 1 :])
        return None, "", 0, ""

    def _expert_module(self, layer: int, module: str, expert: int) -> str:
        """What a location calls one expert's part of a stacked weight."""
        if f"{module}.weight" in self._own(layer):
            return f"{module}.{expert}"
        path, _, own = module.rpartition(".")
        return f"{path}.{expert}.{own}"

    def _own(self, layer: int) -> dict[str, nn.Parameter]:
        """A layer's weights by name, without those that an earlier layer has too."""
        return {
            name: weight
            for name, weight in self.modules[layer].named_parameters()
            if (layer, name) not in self._shared
        }

    @cached_property
    def _shared(self) -> dict[tuple[int, str], int]:
        """For each weight that an earlier layer has too, by layer and name, which layer that is."""
        firsts: dict[int, int] = {}
        shared = {}
        for index, layer in enumerate(self.modules):
            for name, weight in layer.named_parameters():
                if firsts.setdefault(id(weight), index) != index:
                    shared[index, name] = firsts[id(weight)]
        return shared

    def _why_not(self, location: Location) -> str:
        layer, module = location.layer, location.module
        firsts = [
            first
            for (index, name), first in self._shared.items()
            if index == layer and f"{name}.".startswith(f"{module}.")
        ]
        if firsts:
            where = Location(min(firsts), module)
            return f"these weights are shared with layer {where.layer}. Write '{where}'."
        owner, path, _, rest = self._split_expert(location)
        if owner is not None and (rest == "" or rest in stacked_weights(owner)):
            total = expert_total(owner)
            return f"layer {layer} has {total} experts in {path}, 0 to {total - 1}."
        names = dict.fromkeys(name.removesuffix(".weight") for name in self._own(layer))
        there = self.layers_with(module)
        elsewhere = f" Layers that have it: {write_layers(there)}." if there else ""
        return f"layer {layer} has no module '{module}'. It has {', '.join(names)}.{elsewhere}"


def _expert_totals(layer: nn.Module) -> dict[str, int]:
    """How many experts each stacked weight of a layer holds, by its name."""
    found = {}
    for path, owner in layer.named_modules():
        for name in stacked_weights(owner):
            found[f"{path}.{name}" if path else name] = expert_total(owner)
    return found


def _is_stacked_bias(layer: nn.Module, name: str) -> bool:
    """Whether a stacked weight is a vector an expert, beside matrices of the same experts."""
    path, _, own = name.rpartition(".")
    stacked = stacked_weights(layer.get_submodule(path))
    return stacked[own].ndim == 2 and any(weight.ndim == 3 for weight in stacked.values())


def find_layers(network: nn.Module, expected: int | None) -> LayerList:
    """The list of decoder layers of a model.

    Lists that do no work when the model reads text, such as the layers of an image encoder, are
    passed over where there is a choice.

    Args:
        network: any decoder.
        expected: how many layers its config names; other lists are passed over, unless there is
            no list of so many.

    Raises:
        ModelError: there is no such list.
    """
    candidates = [
        LayerList(name, module)
        for name, module in network.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) > 0
    ]
    candidates = [c for c in candidates if len(c) == expected] or candidates
    if len(candidates) > 1:
        candidates = list(_at_work(network, candidates)) or candidates
    if not candidates:
        raise ModelError(
            "No list of decoder layers was found in this model, so there is nothing to tune. "
            "Choose a decoder-only language model."
        )
    return max(candidates, key=lambda c: sum(p.numel() for p in c.modules.parameters()))


@torch.no_grad()
def _at_work(network: nn.Module, lists: list[LayerList]) -> Iterator[LayerList]:
    """The lists whose first module is called when the model reads a few tokens."""
    called: set[int] = set()
    hooks = [
        layers[0].register_forward_pre_hook(lambda module, args: called.add(id(module)))
        for layers in lists
    ]
    try:
        device = next(network.parameters()).device
        network(input_ids=torch.arange(4, device=device).view(1, 4), use_cache=False)
    except Exception:
        # Whether the model reads text at all is asked, and said, when its states are checked.
        return
    finally:
        for hook in hooks:
            hook.remove()
    yield from (layers for layers in lists if id(layers[0]) in called)
