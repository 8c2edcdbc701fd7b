"""The weights under tuning: a float32 master, what the model sees, and Adam.

Small steps would be lost in bfloat16, so the optimizer works on a float32 master whatever the
model's dtype; the model sees the master rounded to its own dtype.

Invariant: outside of `applied` and `training` the model is its untouched base.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import torch

from workbench.methods.footprint import tuned_bytes
from workbench.methods.sparing import Sparing
from workbench.model.language_model import LanguageModel
from workbench.model.location import Location
from workbench.model.ranks import Ranks

__all__ = ["TunedWeights", "kept_moments", "restore_moments"]

MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What Adam keeps of each weight."""


class TunedWeights:
    """New values for some of a model's weights, and the optimizer that finds them.

    Args:
        model: the base.
        locations: where it is tuned.
        learning_rate: Adam's rate; no weight decay.

    Raises:
        LocationError: a location is not in this model.
    """

    def __init__(
        self, model: LanguageModel, locations: tuple[Location, ...], learning_rate: float
    ) -> None:
        self._model = model
        self._parameters = model.weights_at(locations)
        # One expert is a part of a larger tensor, and only that has a gradient.
        self._holders = {name: model.parameter_of(name) for name in self._parameters}
        self._learning_rate = learning_rate
        self.master: dict[str, torch.Tensor] = {}
        self.seen: dict[str, torch.Tensor] = {}
        for name in self._parameters:
            weight = model.tensor(name)
            self.master[name] = weight.to(torch.float32, copy=True)
            # In float32 the model sees the master itself; there is nothing to round.
            is_exact = weight.dtype == torch.float32
            self.seen[name] = self.master[name] if is_exact else weight.clone()
        self.optimizer = self._new_optimizer()
        self.sparing: dict[str, Sparing] = {}
        """How the steps of some of them are taken."""

    @property
    def count(self) -> int:
        """How many numbers are tuned."""
        return sum(weight.numel() for weight in self.master.values())

    @property
    def trained(self) -> list[torch.Tensor]:
        """What the optimizer changes."""
        return list(self.master.values())

    @property
    def memory_bytes(self) -> int:
        """Bytes on top of the model, see `tuned_bytes`."""
        return tuned_bytes(self._model, self._parameters)

    @property
    def moments_bytes(self) -> int:
        """Bytes of Adam's two moments, which are there from the first update on."""
        return sum(8 * weight.numel() for weight in self.trained)

    @property
    def gradient_bytes(self) -> int:
        """Bytes of the gradients, which are there while an update is made."""
        return sum(4 * weight.numel() for weight in self.trained)

    def update_bytes(self, spared: bool) -> int:
        """Bytes that an update takes beside weights, gradients and moments.

        Args:
            spared: whether its steps are made shorter afterwards, see `Sparing`.
        """
        # Fused, Adam needs no room of its own; else a root and a quotient of one tensor.
        adam = 0 if self.optimizer.defaults["fused"] else 2
        each = [4 * weight.numel() for weight in self.trained]
        return adam * max(each) + (sum(each) if spared else 0)

    def _new_optimizer(self) -> torch.optim.Adam:
        on_cuda = self._model.device.type == "cuda"
        return torch.optim.Adam(self.trained, lr=self._learning_rate, fused=on_cuda or None)

    def restart_optimizer(self) -> None:
        """Forgets Adam's moments, for a batch that is tuned as an edit of its own."""
        self.optimizer = self._new_optimizer()

    def applied(self) -> AbstractContextManager[None]:
        """The model with the weights so far."""
        return self._model.with_weights(self.seen)

    @contextmanager
    def training(self) -> Iterator[None]:
        """The model with the weights so far, whose gradients are taken.

        After the block the gradients are gone, and the model is the base again.
        """
        with self.applied():
            try:
                for holder in self._holders.values():
                    holder.requires_grad_(True)
                yield
            finally:
                for holder in self._holders.values():
                    holder.requires_grad_(False)
                    holder.grad = None
                for master in self.master.values():
                    master.grad = None

    def collect_gradients(self) -> None:
        """Adds the gradients of a micro-batch to those of the master, in float32."""
        for name, holder in self._holders.items():
            if holder.grad is None:
                continue
            gradient = self._model.part(name, holder.grad).to(torch.float32)
            if gradient.shape != holder.shape:
                gradient = gradient.clone()  # a view would keep the gradient of all experts
            master = self.master[name]
            master.grad = gradient if master.grad is None else master.grad.add_(gradient)
        for holder in self._holders.values():
            holder.grad = None

    @torch.no_grad()
    def share_gradients(self, ranks: Ranks) -> None:
        """Adds up the gradients that several processes have taken, each from its own facts.

        Args:
            ranks: the processes; all of them do this at once.

        Raises:
            RankLost: one of them is gone.
        """
        if ranks.alone:
            return
        having = torch.tensor([float(weight.grad is not None) for weight in self.trained])
        ranks.add(having)
        for weight, count in zip(self.trained, having.tolist(), strict=True):
            if count:
                weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
                ranks.add(weight.grad)

    @torch.no_grad()
    def step(self, share: float = 1.0) -> None:
        """One update of Adam from the collected gradients.

        Args:
            share: of the learning rate.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate * share
        before = {name: self.master[name].clone() for name in self.sparing}
        self.optimizer.step()
        for name, sparing in self.sparing.items():
            change = sparing(self.master[name].sub_(before[name]))
            self.master[name].copy_(before.pop(name)).add_(change)
        self._show()

    @torch.no_grad()
    def add(self, name: str, change: torch.Tensor) -> None:
        """Changes one of them by what was found without an optimizer.

        Args:
            name: of the tensor.
            change: of its shape.
        """
        self.master[name].add_(change.to(self.master[name]))
        self._show()

    def _show(self) -> None:
        """The model sees the masters as they are now."""
        for name, seen in self.seen.items():
            if seen is not self.master[name]:
                seen.copy_(self.master[name])

    def state(self) -> dict[str, torch.Tensor]:
        """Master and moments, by name, as tensors that a checkpoint keeps."""
        kept = {f"master:{name}": master for name, master in self.master.items()}
        return kept | kept_moments(self.optimizer, self.master)

    @torch.no_grad()
    def load_state(self, kept: dict[str, torch.Tensor]) -> None:
        """The inverse of `state`."""
        for name, master in self.master.items():
            master.copy_(kept[f"master:{name}"])
            if self.seen[name] is not master:
                self.seen[name].copy_(master)
        restore_moments(self.optimizer, self.master, kept)


def kept_moments(
    optimizer: torch.optim.Optimizer, tuned: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Adam's moments and steps, by kind and name, as tensors that a checkpoint keeps.

    Args:
        optimizer: Adam.
        tuned: what it tunes, by name.
    """
    return {
        f"{kind}:{name}": value
        for name, weight in tuned.items()
        for kind, value in optimizer.state.get(weight, {}).items()
    }


def restore_moments(
    optimizer: torch.optim.Optimizer,
    tuned: Mapping[str, torch.Tensor],
    kept: Mapping[str, torch.Tensor],
) -> None:
    """The inverse of `kept_moments`; what else a checkpoint keeps is passed over."""
    for name, weight in tuned.items():
        moments = {}
        for kind in MOMENTS:
            value = kept.get(f"{kind}:{name}")
            if value is not None:
                # Only the fused optimizer, used on CUDA, counts its steps on the device.
                stays = kind == "step" and not optimizer.defaults["fused"]
                moments[kind] = value if stays else value.to(weight.device)
        if moments:
            optimizer.state[weight] = moments
