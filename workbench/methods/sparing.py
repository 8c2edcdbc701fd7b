"""Steps that spare usual inputs: what a tuned matrix makes of everyday texts hardly changes.

A step D of a matrix changes what it gives for an input k by D k. With C the second moment of usual
inputs and c its mean eigenvalue, the step D (I + s C / c)^-1 is taken instead: short in directions
that usual inputs often take, whole in those that they never do. It is the step that trades D's
length for what it does to usual inputs, with the weight s: the soft form of AlphaEdit's projection
into the null space (Fang et al., arXiv 2410.02355), with the covariance of MEMIT (Meng et al.,
arXiv 2210.07229). Shortened steps learn little, so all are taken longer.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from workbench.methods.keep import KeepSet
from workbench.methods.matrices import adding_moments, inputs_of, is_inputs_first, owner_of
from workbench.model.language_model import LanguageModel

__all__ = ["LONGER", "Sparing", "inverting_bytes", "sparing_bytes", "sparing_steps"]

LONGER = 3.0
"""Times a step's length: shortened so, it learns no more slowly (measured on SmolLM2)."""


@dataclass(frozen=True, slots=True)
class Sparing:
    """What makes a step of one matrix spare usual inputs.

    Args:
        matrix: (inputs, inputs), symmetric.
        inputs_first: whether the tuned matrix is (inputs, outputs) rather than (outputs, inputs).
    """

    matrix: torch.Tensor
    inputs_first: bool = False

    def __call__(self, step: torch.Tensor) -> torch.Tensor:
        """The step that is taken in place of one that was wished for."""
        return self.matrix @ step if self.inputs_first else step @ self.matrix


def sparing_bytes(model: LanguageModel, names: Iterable[str]) -> int:
    """Bytes that the matrices of `sparing_steps` take.

    Args:
        model: the base.
        names: of the tuned tensors.
    """
    return sum(_sizes(model, names))


def inverting_bytes(model: LanguageModel, names: Iterable[str]) -> int:
    """Bytes that are held beside these matrices while the largest of them is made."""
    return 2 * max(_sizes(model, names), default=0)


def _sizes(model: LanguageModel, names: Iterable[str]) -> list[int]:
    owners = [owner for name in names if (owner := owner_of(model, name)) is not None]
    return [4 * inputs_of(owner) ** 2 for owner in owners]


@torch.no_grad()
def sparing_steps(
    model: LanguageModel, names: Iterable[str], usual: KeepSet, strength: float, top: int
) -> dict[str, Sparing]:
    """What makes the steps of tuned matrices spare the inputs that kept prompts give them.

    Experts, biases and norms have none: their steps are taken as they are.

    Args:
        model: the base.
        names: of the tuned tensors.
        usual: prompts, prepared.
        strength: the weight s; a direction as usual as the mean is stepped in by 1 / (1 + s),
            before all are lengthened.
        top: the highest layer that is tuned.
    """
    owners = {name: owner for name in names if (owner := owner_of(model, name)) is not None}
    moments: dict[str, torch.Tensor] = {}
    for rows in usual.batches():
        with adding_moments(owners, usual.lengths(rows), moments):
            usual.pass_to(top + 1, rows)
    found = {}
    for name in list(moments):
        matrix = _inverse(moments.pop(name), strength)
        found[name] = Sparing(matrix, is_inputs_first(owners[name]))
    return found


def _inverse(moment: torch.Tensor, strength: float) -> torch.Tensor:
    """(I + strength · moment / its mean eigenvalue)^-1, lengthened; the moment is used up."""
    mean = moment.diagonal().mean().clamp(min=torch.finfo(torch.float32).tiny)
    moment.mul_(strength / mean).diagonal().add_(1.0)
    factor = torch.linalg.cholesky(moment)
    return torch.cholesky_inverse(factor).mul_(LONGER)
