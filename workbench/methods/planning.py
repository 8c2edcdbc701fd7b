"""A run planned by a model's config alone: where it is tuned, what it takes, where it would fit.

Uses the formulas that a run uses for its own plan. What only the model in memory can tell is taken
for granted: that hidden states can be kept. Facts are trained as published, in one form.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from workbench.errors import LocationError
from workbench.methods.arithmetic import (
    H100_TFLOPS,
    epoch_flops,
    measured_flops,
    passed_weights,
    prefix_flops,
)
from workbench.methods.footprint import activation_bytes, states_bytes, tuned_bytes
from workbench.methods.locft_settings import EditSettings, ResolvedEditSettings
from workbench.methods.pieces import pieces_of
from workbench.methods.plan_result import Plan, Step
from workbench.methods.plan_settings import PlanSettings
from workbench.model.location import Location, parse_locations
from workbench.model.memory import free_memory
from workbench.model.outline import Outline
from workbench.model.presets import Preset

__all__ = ["Machine", "machine_of", "planned"]


@dataclass(frozen=True, slots=True)
class Machine:
    """What a run is planned for.

    Args:
        device: its kind decides how batches are cut.
        memory: bytes to fit into.
        memory_from: whose they are.
        flops: operations a second.
        flops_from: where that number comes from.
    """

    device: torch.device
    memory: int
    memory_from: str
    flops: float
    flops_from: str


def machine_of(
    settings: PlanSettings, device: torch.device, dtype: torch.dtype, *, here: bool
) -> Machine:
    """The machine that settings mean.

    Args:
        settings: what they leave open is asked of this machine, where it is meant.
        device: where the run would be.
        dtype: of the model there.
        here: whether the device is one of this machine.
    """
    memory, memory_from = settings.memory, "given"
    if memory is None:
        memory, memory_from = free_memory(device), f"free on {device}"
    if settings.tflops is not None:
        return Machine(device, memory, memory_from, settings.tflops * 1e12, "given")
    if here:
        flops = measured_flops(device, dtype)
        return Machine(device, memory, memory_from, flops, f"measured on {device}")
    return Machine(device, memory, memory_from, H100_TFLOPS * 1e12, "45% of an H100's peak")


def planned(model: Outline, settings: PlanSettings, machine: Machine) -> Plan:
    """What a run would take.

    Args:
        model: its network, with or without weights.
        settings: facts and place.
        machine: what it is planned for.

    Raises:
        LocationError: the place is not in the model.
    """
    preset = model.preset
    edit = EditSettings(
        recipe="published",
        at=settings.at,
        batch_size=settings.batch_size,
        micro_batch_size=settings.micro_batch_size,
    ).resolved(preset, settings.facts)
    steps = _Steps(model, settings, edit, machine.device)
    locations = parse_locations(edit.at)
    step = steps.at(locations, edit.micro_batch_size or edit.batch_size)
    tokens = round(settings.facts * settings.tokens_a_fact)
    return Plan(
        model=model.name,
        architecture=type(model.network).__name__,
        shape=model.shape,
        dtype=str(model.dtype).removeprefix("torch."),
        bytes_each=model.dtype.itemsize,
        parameters=model.parameters,
        weights_bytes=model.memory_bytes,
        layer_weights=tuple(
            sum(p.numel() for p in layer.parameters()) for layer in model.layers.modules
        ),
        tied=steps.is_tied,
        place_is="asked for" if settings.at else preset.standing,
        place_from="asked for" if settings.at else _origin(preset),
        facts=settings.facts,
        tokens=tokens,
        batch_size=edit.batch_size,
        epochs=edit.epochs,
        states_bytes=states_bytes(model, tokens) if step.layer else 0,
        step=step,
        memory=machine.memory,
        memory_from=machine.memory_from,
        flops=machine.flops,
        flops_from=machine.flops_from,
        fits_from=steps.fitting(locations, step.micro_batch_size, machine.memory),
        fits_in_pieces_from=steps.fitting(locations, 1, machine.memory),
    )


def _origin(preset: Preset) -> str:
    """Where a preset comes from, said once."""
    named = preset.source.startswith(preset.name)
    return preset.source if named else f"{preset.name}: {preset.source}"


@dataclass(frozen=True, slots=True)
class _Uniform:
    """Texts that all have as many tokens."""

    tokens: int

    def length(self, row: int, /) -> int:
        return self.tokens


@dataclass(frozen=True)
class _Steps:
    """The steps of a run, at any layer."""

    model: Outline
    settings: PlanSettings
    edit: ResolvedEditSettings
    device: torch.device

    @cached_property
    def _passed(self) -> tuple[float, ...]:
        return passed_weights(self.model)

    @cached_property
    def _head(self) -> list[torch.nn.Parameter]:
        head = self.model.network.get_output_embeddings()
        return list(head.parameters()) if head is not None else []

    @cached_property
    def is_tied(self) -> bool:
        embedding = self.model.network.get_input_embeddings().weight
        return any(weight is embedding for weight in self._head)

    def _weights_from(self, layer: int) -> int:
        """Bytes of what works above a layer's input: all but the layers below and the embedding."""
        network, modules = self.model.network, self.model.layers.modules
        working = {id(p) for module in modules[layer:] for p in module.parameters()}
        working |= {id(p) for p in self._head}
        below = [*modules[:layer], *([network.get_input_embeddings()] if layer else [])]
        idle = {id(p) for module in below for p in module.parameters()}
        return sum(
            p.numel() * p.element_size()
            for p in network.parameters()
            if id(p) in working or id(p) not in idle
        )

    def at(self, locations: tuple[Location, ...], micro_batch: int) -> Step:
        """The step at some locations.

        Raises:
            LocationError: one is not in the model.
        """
        model, settings, layer = self.model, self.settings, locations[0].layer
        weights = model.weights_at(locations)
        tuned = sum(weight.numel() for weight in weights.values())
        length = math.ceil(settings.tokens_a_fact)
        rows = range(self.edit.batch_size)
        largest = max(map(len, pieces_of(_Uniform(length), rows, micro_batch, self.device)))
        answers = math.ceil(largest * settings.answer_tokens)
        tokens = settings.facts * settings.tokens_a_fact
        return Step(
            layer=layer,
            at=tuple(map(str, locations)),
            tuned_weights=tuned,
            weights_bytes=self._weights_from(layer),
            tuned_bytes=tuned_bytes(model, weights),
            activation_bytes=activation_bytes(model, layer, largest * length, answers),
            micro_batch_size=min(micro_batch, self.edit.batch_size),
            prefix_flops=prefix_flops(self._passed[:layer], tokens),
            epoch_flops=epoch_flops(
                self._passed[layer:],
                tokens,
                tuned=tuned,
                head=sum(weight.numel() for weight in self._head),
                targets=settings.facts * settings.answer_tokens,
            ),
        )

    def fitting(
        self, locations: tuple[Location, ...], micro_batch: int, memory: int
    ) -> Step | None:
        """The first step, from that layer on, at which and above which all fit; None for none.

        Layers that lack the tuned modules are passed over.
        """
        first, found = locations[0].layer, None
        for layer in range(self.model.layer_count - 1, first - 1, -1):
            moved = tuple(replace(one, layer=one.layer + layer - first) for one in locations)
            try:
                step = self.at(moved, micro_batch)
            except LocationError:
                continue
            if step.bytes > memory:
                break
            found = step
        return found
