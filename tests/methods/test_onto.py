"""Facts for an edited model: by every method, on top of the last patch or anew from all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.methods.rivals import QUICK, quick
from workbench.errors import FactsError, LocationError, ModelError, PatchError, SettingsError
from workbench.facts.fact import Fact
from workbench.methods.base import METHODS
from workbench.methods.edit import edit
from workbench.methods.events import Finished, Stopped
from workbench.methods.onto import Onto, start_run
from workbench.model.language_model import LanguageModel
from workbench.model.location import parse_locations
from workbench.model.patch import Patch

FIRST = "3.mlp.down_proj"
QUICKLY: dict[str, Any] = {"epochs": 3, "learning_rate": 1e-2}


@pytest.fixture
def first(model: LanguageModel, facts: list[Fact]) -> Patch:
    """The first three facts, at a place of their own."""
    return edit(model, facts[:3], at=FIRST, **QUICKLY).patch


@pytest.mark.parametrize("method", [*QUICK, "locft-bf"])
def test_every_method_adds_facts_to_an_edited_model(
    model: LanguageModel,
    facts: list[Fact],
    first: Patch,
    method: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it does is what it would do to the edited model if that were the base."""
    kind = METHODS[method].settings
    own = method == "locft-bf"
    settings = kind.from_dict(QUICKLY) if own else quick(method, tmp_path, monkeypatch)
    before = {name: p.detach().clone() for name, p in model.network.named_parameters()}
    onto = Onto(first, tuple(facts[:3]), "continue", 0)
    run = start_run(METHODS[method], model, facts[3:], settings, onto)
    said = []
    for event in run.events():
        said.append(event)
        now = dict(model.network.named_parameters())
        assert all(torch.equal(now[name], old) for name, old in before.items())
    assert isinstance(said[-1], Finished) and len(run.learned()) == len(facts)
    run.patch().save(tmp_path / "patch")
    patch = Patch.load(tmp_path / "patch")
    assert set(patch.metadata["at"]) == {FIRST, *run.plan().at}
    assert (patch.metadata["facts"], patch.metadata["onto"]["facts"]) == (7, 3)
    with first.standing(model):
        alone = METHODS[method].start(model, facts[3:], settings)
        list(alone.events())
        wanted = dict(first.tensors) | dict(alone.weights)
    assert patch.tensors.keys() == wanted.keys()
    assert all(torch.equal(patch.tensors[name], wanted[name]) for name in wanted)
    with patch.applied(model):
        assert not torch.equal(model.tensor(next(iter(first.tensors))), before[next(iter(wanted))])
    assert all(torch.equal(p, before[n]) for n, p in model.network.named_parameters())


@pytest.mark.parametrize(
    "name, inner, outer",
    [
        ("Llama", "3.mlp.down_proj", "3.mlp"),
        ("Mixtral", "2.mlp.experts.1.down_proj", "2.mlp.experts"),
    ],
)
@pytest.mark.parametrize("widens", [True, False])
def test_a_run_at_a_place_inside_the_earlier_ones_or_around_it_is_one_edit_of_the_wider(
    make_model: Callable[..., LanguageModel],
    facts: list[Fact],
    name: str,
    inner: str,
    outer: str,
    widens: bool,
    tmp_path: Path,
) -> None:
    model = make_model(name)
    one, other = (inner, outer) if widens else (outer, inner)
    below = edit(model, facts[:3], at=one, **QUICKLY).patch
    settings = METHODS["locft-bf"].settings.from_dict(QUICKLY | {"at": (other,)})
    with below.standing(model):
        alone = METHODS["locft-bf"].start(model, facts[3:], settings)
        list(alone.events())
        with alone.applied():
            wanted = {name: p.detach().clone() for name, p in model.network.named_parameters()}
    onto = Onto(below, (), "continue")
    run = start_run(METHODS["locft-bf"], model, facts[3:], settings, onto)
    list(run.events())
    run.patch().save(tmp_path / "patch")
    patch = Patch.load(tmp_path / "patch")
    assert patch.metadata["at"] == [outer] and patch.lowest_layer == int(outer[0])
    with patch.applied(model):
        now = dict(model.network.named_parameters())
        assert all(torch.equal(now[name], new) for name, new in wanted.items())


def test_a_run_at_a_place_that_crosses_the_earlier_one_is_refused_before_it_begins(
    make_model: Callable[..., LanguageModel], facts: list[Fact]
) -> None:
    model = make_model("Mixtral")
    below = edit(model, facts[:3], at="2.mlp.experts.1", **QUICKLY).patch
    settings = METHODS["locft-bf"].settings.from_dict({"at": ("2.mlp.experts.down_proj",)})
    with pytest.raises(LocationError, match="overlap"):
        start_run(METHODS["locft-bf"], model, facts[3:], settings, Onto(below, (), "continue"))


def test_the_hash_of_an_expert_is_that_of_the_stack_that_stands(
    make_model: Callable[..., LanguageModel],
) -> None:
    model = make_model("Mixtral")
    (stack,) = model.weights_at(parse_locations("2.mlp.experts.down_proj"))
    own = model.base_hash(f"{stack}[1]")
    with model.standing_on({stack: model.tensor(stack) + 1}):
        assert model.base_hash(f"{stack}[1]") != own
    assert model.base_hash(f"{stack}[1]") == own


def test_a_run_on_top_that_is_stopped_goes_on_to_the_same_bits(
    model: LanguageModel, facts: list[Fact], first: Patch, tmp_path: Path
) -> None:
    settings = METHODS["locft-bf"].settings.from_dict(QUICKLY | {"at": (FIRST,)})
    onto = Onto(first, tuple(facts[:3]), "continue")
    whole = start_run(METHODS["locft-bf"], model, facts[3:], settings, onto)
    list(whole.events())
    broken = start_run(METHODS["locft-bf"], model, facts[3:], settings, onto)
    said = []
    for event in broken.events():
        said.append(event)
        if len(said) == 4:
            broken.stop.ask()
    assert isinstance(said[-1], Stopped)
    path = tmp_path / "run.safetensors"
    broken.save_checkpoint(path)
    resumed = start_run(METHODS["locft-bf"], model, facts[3:], settings, onto, checkpoint=path)
    list(resumed.events())
    made, wanted = resumed.patch().tensors, whole.patch().tensors
    assert all(torch.equal(made[name], wanted[name]) for name in wanted)
    with pytest.raises(PatchError, match="base, earlier edit, facts differ"):
        start_run(METHODS["locft-bf"], model, facts, settings, checkpoint=path)


def test_locft_bf_is_made_anew_from_all_facts_of_which_new_ones_replace_old(
    model: LanguageModel, facts: list[Fact], first: Patch
) -> None:
    new = [Fact(facts[1].prompt + ".", "Bern"), *facts[3:5]]
    patch = edit(model, new, onto=first, earlier=facts[:3], **QUICKLY).patch
    anew = edit(model, [facts[0], facts[2], *new], **QUICKLY).patch
    assert all(torch.equal(patch.tensors[name], anew.tensors[name]) for name in anew.tensors)
    assert "onto" not in patch.metadata
    same = edit(model, [*facts[:3], *new[1:]], onto=first, earlier=facts[:3], **QUICKLY).patch
    assert same.metadata["facts"] == 5
    with pytest.raises(FactsError, match="in the earlier edit already"):
        edit(model, facts[:2], onto=first, earlier=facts[:3], way="continue")
    with pytest.raises(SettingsError, match="those of the patch are not known"):
        edit(model, new, onto=first)


def test_earlier_facts_are_trained_beside_new_ones_where_the_method_trains(
    model: LanguageModel, facts: list[Fact], first: Patch
) -> None:
    for asked, trained in ((None, 4), (0, 2), (9, 5)):
        onto = Onto(first, tuple(facts[:3]), "continue", asked)
        run = start_run(METHODS["locft-bf"], model, facts[3:5], None, onto)
        assert run.plan().facts == trained and len(run.facts) == 5
    run = start_run(METHODS["ft-m"], model, facts[3:5], None, Onto(first, tuple(facts[:3])))
    assert run.plan().facts == 2
    wrong: list[dict[str, Any]] = [{"way": "merge"}, {"rehearsed": -1}]
    for one in wrong:
        with pytest.raises(SettingsError, match=next(iter(one))):
            Onto(first, **one)


def test_what_stands_as_a_base_is_hashed_as_such_and_the_base_can_be_asked_for(
    model: LanguageModel, first: Patch
) -> None:
    (name,) = first.tensors
    base, own = model.tensor(name).clone(), model.base_hash(name)
    with first.standing(model):
        assert model.base_hash(name) != own
        with model.unedited():
            assert torch.equal(model.tensor(name), base) and model.base_hash(name) == own
        assert torch.equal(model.tensor(name), first.tensors[name])
        with model.with_weights({name: base}):
            assert torch.equal(model.tensor(name), base)
        with pytest.raises(ModelError), model.standing_on(first.tensors):
            pass
    assert torch.equal(model.tensor(name), base) and model.base_hash(name) == own
