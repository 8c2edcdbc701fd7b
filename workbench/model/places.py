"""Which places a model has, layer by layer, for those who have no model in memory. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.errors import LocationError
from workbench.model.location import Location, write_layers
from workbench.model.presets import output_matrix

__all__ = ["Places"]


@dataclass(frozen=True, slots=True)
class Places:
    """The matrices of a model, and its stacks of experts.

    Args:
        layers: how many layers there are.
        modules: the layers that have each matrix or stack, by its name, in the model's order.
        experts: how many experts a stack holds, by its name.
    """

    layers: int
    modules: Mapping[str, tuple[int, ...]]
    experts: Mapping[str, int] = field(default_factory=dict)

    def having(self, module: str) -> tuple[int, ...]:
        """The layers in which a module can be named: a matrix, a block, an expert, or all (empty).

        Args:
            module: such as ``mlp.down_proj``, ``mlp`` or ``mlp.experts.7.down_proj``.
        """
        if not module:
            return tuple(range(self.layers))
        found: set[int] = set()
        for name, layers in self.modules.items():
            if self._names(module, name):
                found.update(layers)
        return tuple(sorted(found))

    def _names(self, module: str, name: str) -> bool:
        """Whether a module is that matrix or stack, a block around it, or an expert in it."""
        if name == module or name.startswith(f"{module}."):
            return True
        parts = module.split(".")
        for place, part in enumerate(parts):
            if part.isdigit() and int(part) < self.experts.get(name, 0):
                stack = ".".join(parts[:place] + parts[place + 1 :])
                at_its_end = place == len(parts) - 1 and name.rpartition(".")[0] == stack
                if stack == name or at_its_end:
                    return True
        return False

    def require(self, where: Location) -> None:
        """Makes sure that a location is in the model.

        Raises:
            LocationError: it is not; the message says what is.
        """
        if where.layer >= self.layers:
            raise LocationError(
                f"'{where}' is not in this model: its layers are 0 to {self.layers - 1}."
            )
        having = self.having(where.module)
        if where.layer in having:
            return
        if having:
            raise LocationError(
                f"'{where}' is not in this model. Layers that have a '{where.module}': "
                f"{write_layers(having)}."
            )
        names = [
            f"{name} ({self.experts[name]} experts)" if name in self.experts else name
            for name, layers in self.modules.items()
            if where.layer in layers
        ]
        raise LocationError(f"'{where}' is not in this model. This layer has {', '.join(names)}.")

    def nearest(self, layer: int, module: str) -> int:
        """The layer that has a module and is nearest to another; that one where none has it."""
        return min(self.having(module), key=lambda each: abs(each - layer), default=layer)

    def outputs(self, module: str) -> tuple[str, ...]:
        """A module and, for layers that lack it, the matrices that write their outputs."""
        found = [module]
        lacking = set(range(self.layers)) - set(self.having(module))
        for layer in sorted(lacking):
            there = [name for name, layers in self.modules.items() if layer in layers]
            if there:
                found.append(output_matrix(there))
        return tuple(dict.fromkeys(found))
