"""FT, FT-L and FT-M beside a plain loop, and the box that FT-L stays in."""

from typing import Any

import pytest
import torch
from torch.nn import functional

from workbench.errors import SettingsError
from workbench.facts.fact import Fact
from workbench.methods.base import METHODS
from workbench.methods.edit import edit
from workbench.methods.ft_settings import FtSettings
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import tokenize

NAME = "model.layers.2.mlp.down_proj.weight"
SETTINGS: dict[str, Any] = {"at": ("2.mlp.down_proj",), "learning_rate": 1e-2, "steps": 4}


def plain(model: LanguageModel, facts: list[Fact], at_end: bool, bound: float) -> torch.Tensor:
    """One fact after another, as anyone would write it."""
    weight = model.network.get_parameter(NAME)
    base = weight.detach().clone()
    weight.requires_grad_(True)
    for fact in facts:
        optimizer = torch.optim.Adam([weight], lr=1e-2)
        for _ in range(4):
            (text,) = tokenize(model.tokenizer, [fact.prompt], [fact.target_new])
            ids = text.prompt if at_end else text.inputs
            logits = model.network(torch.tensor([ids]), use_cache=False).logits[0]
            asked = logits[len(text.prompt) - 1 :].expand(len(text.target), -1)
            loss = functional.cross_entropy(asked, torch.tensor(text.target))
            optimizer.zero_grad()
            if loss.item() >= 0.01:
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            with torch.no_grad():
                weight.clamp_(base - bound, base + bound)
    tuned: torch.Tensor = weight.detach().clone()
    weight.requires_grad_(False)
    weight.grad = None
    weight.data = base
    return tuned


@pytest.mark.parametrize(
    ("method", "at_end", "bound"), [("ft", True, 1e9), ("ft-l", True, 3e-3), ("ft-m", False, 1e9)]
)
def test_every_weight_is_that_of_a_plain_loop(
    model: LanguageModel, facts: list[Fact], method: str, at_end: bool, bound: float
) -> None:
    own = SETTINGS | ({"bound": bound} if method == "ft-l" else {})
    patch = edit(model, facts, method=method, **own).patch
    assert torch.allclose(patch.tensors[NAME], plain(model, facts, at_end, bound), atol=1e-4)
    far = float((patch.tensors[NAME] - model.tensor(NAME)).abs().max())
    assert far <= 3.01e-3 if method == "ft-l" else far > 1e-2


def test_what_makes_no_sense_is_refused() -> None:
    for wrong in ({"bound": 0}, {"steps": 0}, {"objective": "all"}, {"learning_rate": -1}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            FtSettings.from_dict(wrong)
    assert METHODS["ft-l"].settings().as_dict()["bound"]
