"""An edit as products of two thin matrices, by singular value decomposition.

Of each changed matrix the difference from the base is taken apart; the first parts of it are the
best approximation of their rank. Invariant: what no adapter can hold is refused, never left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from workbench.errors import PatchError
from workbench.model.experts import split_part
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch

__all__ = ["RANKS", "Decomposed", "Product", "decompose"]

RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that are tried; vLLM reserves room for one of these, besides 1."""


@dataclass(frozen=True, slots=True)
class Product:
    """What an adapter holds for one module, so that ``up @ down`` is added to its weight.

    Args:
        up: (outputs, rank), ``lora_B``.
        down: (rank, inputs), ``lora_A``.
    """

    up: torch.Tensor
    down: torch.Tensor


@dataclass(frozen=True)
class Decomposed:
    """The differences that an edit makes, taken apart.

    Args:
        model: the base.
        parts: for each changed module the singular vectors and values of its difference.
        turned: modules whose weights are kept as (inputs, outputs).
    """

    model: LanguageModel
    parts: Mapping[str, tuple[torch.Tensor, torch.Tensor, torch.Tensor]]
    turned: frozenset[str]

    @property
    def highest(self) -> int:
        """The rank that holds all of the edit."""
        return max(len(values) for _, values, _ in self.parts.values())

    def products(self, rank: int, dtype: torch.dtype) -> dict[str, Product]:
        """What an adapter of a rank holds, by module, as its file will have it.

        A matrix that is smaller than the rank is filled up with zeros: all modules of an adapter
        have the same rank.
        """
        found = {}
        for name, (left, values, right) in self.parts.items():
            root = values[:rank].sqrt()
            up = torch.zeros(left.shape[0], rank)
            down = torch.zeros(rank, right.shape[1])
            up[:, : len(root)] = left[:, :rank] * root
            down[: len(root)] = root.unsqueeze(1) * right[:rank]
            found[name] = Product(up.to(dtype), down.to(dtype))
        return found

    def weights(self, products: Mapping[str, Product]) -> dict[str, torch.Tensor]:
        """The base's weights with some products added to them, by full name."""
        found = {}
        for module, product in products.items():
            name = f"{module}.weight"
            base = self.model.tensor(name)
            added = product.up.float() @ product.down.float()
            added = added.T if module in self.turned else added
            found[name] = (base.float() + added.to(base.device)).to(base.dtype)
        return found

    def bytes(self, rank: int, dtype: torch.dtype) -> int:
        """How many bytes the matrices of an adapter of a rank take."""
        rows = sum(left.shape[0] + right.shape[1] for left, _, right in self.parts.values())
        return rows * rank * torch.empty(0, dtype=dtype).element_size()


def decompose(model: LanguageModel, patch: Patch) -> Decomposed:
    """Takes the differences of a patch apart.

    Args:
        model: the base, with no other weights in it.
        patch: belongs to it.

    Raises:
        PatchError: it changes what no adapter holds, such as a norm or one of stacked experts.
    """
    parts = {}
    turned = set()
    for name, tensor in patch.tensors.items():
        base = model.tensor(name).float().cpu()
        difference = tensor.float() - base
        if not bool(difference.any()):
            continue
        module = name.removesuffix(".weight")
        owner = None if split_part(name)[1] is not None else _module(model, module)
        if not isinstance(owner, nn.Linear | Conv1D) or module == name:
            raise PatchError(
                f"This edit changes '{name}', which no LoRA adapter for vLLM or SGLang holds. "
                "Export the full model or a GGUF file, or edit matrices of linear layers alone."
            )
        if isinstance(owner, Conv1D):
            turned.add(module)
            difference = difference.T
        parts[module] = torch.linalg.svd(difference, full_matrices=False)
    if not parts:
        raise PatchError("This patch changes nothing, so that there is nothing to export.")
    return Decomposed(model, parts, frozenset(turned))


def _module(model: LanguageModel, name: str) -> nn.Module | None:
    try:
        found: nn.Module = model.network.get_submodule(name)
    except AttributeError:
        return None
    return found
