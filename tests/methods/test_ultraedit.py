"""UltraEdit's one step beside a direct computation, and its running mean and deviation."""

import torch

from tests.methods.test_written import inputs
from workbench.facts.fact import Fact
from workbench.methods.edit import edit
from workbench.methods.ultraedit import RunningScale
from workbench.methods.ultraedit_settings import UltraEditSettings
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import tokenize_facts

NAME = "model.layers.1.mlp.down_proj.weight"


def test_what_was_seen_in_parts_is_scaled_as_if_seen_at_once() -> None:
    torch.manual_seed(0)
    rows = torch.randn(30, 5, dtype=torch.float64) * 3 + 7
    scale = RunningScale()
    for part in torch.tensor_split(rows, (4, 5, 25)):
        scale.see(part)
    expected = (rows - rows.mean(dim=0)) / rows.std(dim=0)
    assert torch.allclose(scale.scaled(rows), expected, atol=1e-6)


def test_a_turn_is_the_papers_closed_form(model: LanguageModel, facts: list[Fact]) -> None:
    texts = tokenize_facts(model.tokenizer, facts, None)
    total = sum(len(text.target) for text in texts)
    states, slopes = [], []
    weight = model.network.get_parameter(NAME)
    owner = model.network.get_submodule(NAME.removesuffix(".weight"))
    for text in texts:
        left: list[torch.Tensor] = []

        def keep(module: object, args: object, output: torch.Tensor, left: list = left) -> None:  # type: ignore[type-arg]
            output.retain_grad()
            left.append(output)

        weight.requires_grad_(True)
        hook = owner.register_forward_hook(keep)
        logits = model.network(torch.tensor([text.inputs]), use_cache=False).logits[0]
        hook.remove()
        first = len(text.prompt) - 1
        loss = torch.nn.functional.cross_entropy(
            logits[first:], torch.tensor(text.target), reduction="sum"
        )
        (loss / total).backward()  # type: ignore[no-untyped-call]
        weight.requires_grad_(False)
        weight.grad = None
        assert left[0].grad is not None
        slopes.append(left[0].grad[0, first:].double())
        states.append(inputs(model, text.inputs)[first:])
    h, g = torch.cat(states), torch.cat(slopes)
    h_scaled = (h - h.mean(dim=0)) / (h.std(dim=0) + 1e-7)
    g_scaled = (g - g.mean(dim=0)) / (g.std(dim=0) + 1e-7)
    wanted = -0.01 * h_scaled.square().sum(dim=1, keepdim=True) * g_scaled
    change = torch.linalg.inv(h.T @ h + torch.eye(h.shape[1])) @ h.T @ wanted
    settings = UltraEditSettings(layers=(1,), step=0.01)
    found = edit(model, facts, settings, method="ultraedit").patch.tensors[NAME] - weight
    assert torch.allclose(found.double(), change.T, atol=1e-3 * float(change.abs().max()))
