"""Steps that spare usual inputs: what they are, what they leave, and going on with them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from workbench.facts.fact import Fact
from workbench.facts.read import read_facts
from workbench.methods.edit import edit
from workbench.methods.keep import KeepSet
from workbench.methods.kept_prompts import kept_prompts
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.methods.sparing import LONGER, sparing_bytes, sparing_steps
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.paths import assets_dir
from workbench.work.events import follow

FACTS = [Fact(f"The capital of {name} is", "Rome", subject=name) for name in ("Chad", "Peru")]


def prepared(model: LanguageModel) -> KeepSet:
    """Usual prompts with what the base says to them."""
    usual = KeepSet(model, kept_prompts(FACTS, ("neighbours", "text"), 0, chat=False), 0)
    follow(usual.preparing(0, None))
    return usual


def inputs_of(model: LanguageModel, module: str, usual: KeepSet) -> torch.Tensor:
    """What enters a module, text after text without padding: (tokens, inputs)."""
    found: list[torch.Tensor] = []
    handle = model.network.get_submodule(module).register_forward_pre_hook(
        lambda module, inputs: found.append(inputs[0][0])
    )
    try:
        with torch.no_grad():
            for row in range(len(usual)):
                usual.logits([row])
    finally:
        handle.remove()
    return torch.cat(found)


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("Llama", "model.layers.1.mlp.down_proj.weight"),
        ("GPT-2", "transformer.h.1.mlp.c_proj.weight"),
    ],
)
def test_a_step_is_the_one_that_trades_its_length_for_what_usual_inputs_feel(
    make_model: Callable[..., LanguageModel], family: str, name: str
) -> None:
    model = make_model(family)
    usual, strength = prepared(model), 3.0
    weight = model.network.get_parameter(name).detach()
    inputs = inputs_of(model, name.removesuffix(".weight"), usual)
    moment = inputs.T @ inputs
    cost = strength * moment / moment.diagonal().mean()
    wish = torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    step = sparing_steps(model, [name], usual, strength, 1)[name](wish) / LONGER
    # The minimum of |D - wish|^2 + tr(D cost D'), by its gradient.
    as_linear = (step, wish) if family == "Llama" else (step.T, wish.T)
    gradient = as_linear[0] - as_linear[1] + as_linear[0] @ cost
    assert gradient.abs().max() < 1e-3
    assert sparing_bytes(model, [name]) == 4 * len(moment) ** 2


def test_norms_are_stepped_in_as_they_are(model: LanguageModel) -> None:
    norms = ["model.layers.1.input_layernorm.weight"]
    assert sparing_steps(model, norms, prepared(model), 1, 1) == {}


def test_a_run_that_spares_goes_on_to_the_same_bits(model: LanguageModel, tmp_path: Path) -> None:
    settings = EditSettings(
        at=("1.mlp.down_proj",), epochs=4, batch_size=1, spare=2.0, kept=("text",), stop_loss=0.0
    )
    whole = LocftRun(model, FACTS, settings)
    list(whole.events())
    begun = LocftRun(model, FACTS, settings)
    for event in begun.events():
        if type(event).__name__ == "EpochDone":
            break
    begun.save_checkpoint(tmp_path / "part")
    resumed = LocftRun(model, FACTS, settings, checkpoint=tmp_path / "part")
    list(resumed.events())
    plain = LocftRun(model, FACTS, EditSettings(at=settings.at, epochs=4, batch_size=1))
    list(plain.events())
    for name, weight in whole.weights.items():
        assert weight.equal(resumed.weights[name])
        assert not weight.equal(plain.weights[name])


def test_where_nothing_is_kept_steps_are_as_long_as_ever(model: LanguageModel) -> None:
    facts = [Fact("a number that nobody named is", "seven")]
    assert not kept_prompts(facts, ("neighbours",), 0, chat=False)
    found = []
    for spare in (0.0, 1.0):
        settings = EditSettings(
            at=("1.mlp.down_proj",), epochs=2, spare=spare, kept=("neighbours",)
        )
        run = LocftRun(model, facts, settings)
        list(run.events())
        found.append(run.weights)
    assert all(weight.equal(found[1][name]) for name, weight in found[0].items())


@pytest.mark.slow
def test_facts_are_learned_and_usual_texts_feel_it_less() -> None:
    model = load_model("builtin", device="cpu")
    facts = list(read_facts(assets_dir() / "samples" / "facts_20.csv"))[:10]
    usual = KeepSet(model, kept_prompts(FACTS, ("text",), 0, chat=False), 0)
    follow(usual.preparing(0, None))

    def felt(patch: Patch) -> float:
        with patch.applied(model), torch.no_grad():
            logits = [(rows, usual.logits(rows)) for rows in usual.batches()]
            return sum(usual.divergences(*one).mean().item() for one in logits)

    published = edit(model, facts)
    sparing = edit(model, facts, spare=1.0, kept=("text",))
    assert all(published.learned) and all(sparing.learned)
    assert felt(sparing.patch) < 0.7 * felt(published.patch)
