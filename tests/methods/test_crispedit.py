"""CrispEdit beside a plain loop, and what it leaves alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from tests.methods.rivals import TEXT
from workbench.errors import LocationError, SettingsError
from workbench.facts.fact import Fact
from workbench.methods.crispedit import flat_directions
from workbench.methods.crispedit_settings import CrispEditSettings
from workbench.methods.edit import edit
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import prompt_tokens, tokenize

AT = "2.mlp.down_proj"
OWNER = "model.layers.2.mlp.down_proj"
STEPS, RATE, ENERGY = 3, 1e-2, 0.6


def plain_factors(model: LanguageModel) -> tuple[torch.Tensor, torch.Tensor]:
    """A and G from texts read one by one, each through the whole network."""
    seen: list[torch.Tensor] = []
    pulled: list[torch.Tensor] = []
    owner = model.network.get_submodule(OWNER)

    def hook(module: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        seen.append(inputs[0].detach()[0])
        leaf = output.detach().requires_grad_(True)
        leaf.register_hook(lambda gradient: pulled.append(gradient[0]))  # type: ignore[no-untyped-call]
        return leaf

    handle = owner.register_forward_hook(hook)
    for ids in prompt_tokens(model.tokenizer, TEXT.splitlines()):
        logits = model.network(torch.tensor([ids[:-1]]), use_cache=False).logits[0]
        loss = functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="sum")
        loss.backward()  # type: ignore[no-untyped-call]
    handle.remove()
    a, g = torch.cat(seen), torch.cat(pulled)
    return a.T @ a / len(a), g.T @ g / len(g)


def plain(model: LanguageModel, facts: list[Fact]) -> torch.Tensor:
    """All facts in every step, as anyone would write it from the paper."""
    flat = flat_directions(*plain_factors(model), ENERGY)
    weight = model.network.get_parameter(f"{OWNER}.weight")
    base = weight.detach().clone()
    weight.requires_grad_(True)
    optimizer = torch.optim.Adam([weight], lr=RATE)
    for _ in range(STEPS):
        losses = []
        for fact in facts:
            (text,) = tokenize(model.tokenizer, [fact.prompt], [fact.target_new])
            logits = model.network(torch.tensor([text.inputs]), use_cache=False).logits[0]
            asked = logits[len(text.prompt) - 1 :]
            losses.append(functional.cross_entropy(asked, torch.tensor(text.target)))
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
        assert weight.grad is not None
        weight.grad = flat.projected(weight.grad)
        optimizer.step()
    tuned: torch.Tensor = weight.detach().clone()
    weight.requires_grad_(False)
    weight.grad = None
    weight.data = base
    return tuned


def test_every_weight_is_that_of_a_plain_loop(
    model: LanguageModel, facts: list[Fact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "usual.txt").write_text(TEXT, encoding="utf-8")
    how: dict[str, Any] = {"at": (AT,), "learning_rate": RATE, "epochs": STEPS, "energy": ENERGY}
    more: dict[str, Any] = {"batch_size": len(facts), "text": str(tmp_path / "usual.txt")}
    patch = edit(model, facts, method="crispedit", **how, **more).patch
    change = patch.tensors[f"{OWNER}.weight"] - model.tensor(f"{OWNER}.weight")
    expected = plain(model, facts) - model.tensor(f"{OWNER}.weight")
    assert float((change - expected).norm() / expected.norm()) < 0.02


def test_the_steepest_directions_are_those_that_hold_the_energy() -> None:
    a, g = torch.diag(torch.tensor([4.0, 1.0])), torch.diag(torch.tensor([3.0, 1.0]))
    # Curvatures 12, 4, 3 and 1, of which 12 is .6 of the whole and 12 with 4 is .8.
    for energy, left in ((0.5, [4, 3, 1]), (0.7, [3, 1]), (0.9, [1])):
        flat = flat_directions(a, g, energy)
        curvature = torch.outer(g.diagonal(), a.diagonal())
        free = flat.projected(torch.ones(2, 2)) > 0.5
        assert sorted(curvature[free].tolist(), reverse=True) == left


def test_what_has_no_curvature_is_refused(model: LanguageModel, facts: list[Fact]) -> None:
    with pytest.raises(LocationError, match="no plain matrix"):
        edit(model, facts, method="crispedit", at=("2.input_layernorm",))
    with pytest.raises(SettingsError, match="energy is 1"):
        CrispEditSettings(energy=1.0)
