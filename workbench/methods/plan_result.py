"""What a plan says of a run that was not made. Plain data; imports no torch."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from workbench.model.presets import ModelShape

__all__ = ["Fit", "Plan", "Step"]

Fit = Literal["whole", "step", "no"]
"""What of a run a memory holds: the whole model with it, what works in a step, or neither."""


@dataclass(frozen=True, slots=True)
class Step:
    """What works in every step of a run that tunes at a place, and how much arithmetic it is.

    Args:
        layer: the lowest that is tuned.
        at: the tuned locations.
        tuned_weights: how many weights are tuned.
        weights_bytes: the layers from that one on, the head, and what else is in no layer.
        tuned_bytes: float32 master, its gradient, Adam's moments, what the model sees.
        activation_bytes: what a backward pass of the largest micro-batch holds on to.
        micro_batch_size: facts on the device at once.
        prefix_flops: the layers below, once for all facts.
        epoch_flops: one pass over all facts.
    """

    layer: int
    at: tuple[str, ...]
    tuned_weights: int
    weights_bytes: int
    tuned_bytes: int
    activation_bytes: int
    micro_batch_size: int
    prefix_flops: float
    epoch_flops: float

    @property
    def bytes(self) -> int:
        """All that has to be in memory in a step."""
        return self.weights_bytes + self.tuned_bytes + self.activation_bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """A run as it would be, by the model's config and numbers of facts and tokens.

    Args:
        model: its name.
        architecture: the class of its network.
        shape: what tells it apart from others.
        dtype: of its weights.
        bytes_each: of a weight.
        parameters: how many weights it has, tied ones counted once.
        weights_bytes: what they take.
        layer_weights: how many weights each layer has; those that layers share count in each.
        tied: whether the head is the embedding.
        place_is: how much is known of the tuned place: asked for, measured, scaled or a guess.
        place_from: where it comes from.
        facts: how many are compiled.
        tokens: of all of them.
        batch_size: facts per update.
        epochs: most passes over each fact.
        states_bytes: the kept hidden states, in memory or on disk; 0 where layer 0 is tuned.
        passing_bytes: what a pass takes in which facts are brought to the tuned layer.
        workspace_bytes: what products of matrices work in, where the device has none before.
        step: at the tuned place.
        memory: bytes to fit into.
        memory_from: whose they are.
        flops: operations a second.
        flops_from: where that number comes from.
        fits_from: the first later place from which on a step fits; None for none.
        fits_in_pieces_from: the same with one fact on the device at once.
    """

    model: str
    architecture: str
    shape: ModelShape
    dtype: str
    bytes_each: int
    parameters: int
    weights_bytes: int
    layer_weights: tuple[int, ...]
    tied: bool
    place_is: str
    place_from: str
    facts: int
    tokens: int
    batch_size: int
    epochs: int
    states_bytes: int
    passing_bytes: int
    workspace_bytes: int
    step: Step
    memory: int
    memory_from: str
    flops: float
    flops_from: str
    fits_from: Step | None
    fits_in_pieces_from: Step | None

    @property
    def memory_bytes(self) -> int:
        """What the run needs on top of the model, as the run's own plan says it.

        Where a whole batch is on the device at once, that leaves out the gradient, which is made
        when the activations are gone.
        """
        step = self.step
        later = 12 * step.tuned_weights  # gradients and Adam's moments come with the first step
        phases = (step.activation_bytes, self.passing_bytes - later)
        return step.tuned_bytes + max(phases) + self.states_bytes + self.workspace_bytes

    @property
    def whole_bytes(self) -> int:
        """The whole model with what works in a step; kept states may lie on disk."""
        return self.weights_bytes + self.step.tuned_bytes + self.step.activation_bytes

    @property
    def fit(self) -> Fit:
        """What of the run the memory holds."""
        if self.whole_bytes <= self.memory:
            return "whole"
        return "step" if self.step.bytes <= self.memory else "no"

    def seconds(self, operations: float) -> float:
        """How long so many operations take."""
        return operations / self.flops

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON-ready data."""
        found = asdict(self)
        found |= {
            "memory_bytes": self.memory_bytes,
            "whole_bytes": self.whole_bytes,
            "fit": self.fit,
        }
        for name in ("step", "fits_from", "fits_in_pieces_from"):
            step: Step | None = getattr(self, name)
            if step is not None:
                found[name] |= {
                    "bytes": step.bytes,
                    "prefix_seconds": self.seconds(step.prefix_flops),
                    "epoch_seconds": self.seconds(step.epoch_flops),
                }
        return found
