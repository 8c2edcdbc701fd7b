"""MEMIT and AlphaEdit: tokens, values and changes, each beside a direct computation."""

from pathlib import Path

import pytest
import torch

from tests.methods.rivals import TEXT, quick
from workbench.errors import LocationError, SettingsError
from workbench.facts.fact import Fact
from workbench.methods.alphaedit import free_directions
from workbench.methods.base import METHODS
from workbench.methods.edit import edit
from workbench.methods.events import StageProgress
from workbench.methods.moments import usual_moments
from workbench.methods.values import ValueSearch
from workbench.methods.written_facts import WrittenFacts
from workbench.methods.written_settings import AlphaEditSettings, MemitSettings
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import prompt_tokens
from workbench.work.events import follow
from workbench.work.stop import Stop

NAME = "model.layers.1.mlp.down_proj.weight"


def inputs(model: LanguageModel, ids: tuple[int, ...]) -> torch.Tensor:
    """What enters layer 1's output matrix, (tokens, inputs), by a plain forward."""
    seen: list[torch.Tensor] = []
    owner = model.network.get_submodule("model.layers.1.mlp.down_proj")
    hook = owner.register_forward_pre_hook(lambda module, args: seen.append(args[0][0]))
    with torch.no_grad():
        model.network(torch.tensor([ids]), use_cache=False)
    hook.remove()
    return seen[0].double()


def moment(model: LanguageModel) -> torch.Tensor:
    """The second moment of what the test's text gives the matrix; its last tokens are not read."""
    rows = [inputs(model, ids[:-1]) for ids in prompt_tokens(model.tokenizer, TEXT.splitlines())]
    every = torch.cat(rows)
    return every.T @ every / len(every)


def keys_and_missing(
    model: LanguageModel, facts: list[Fact], settings: MemitSettings | AlphaEditSettings
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys and what is missing as columns, for one layer and facts alone."""
    written = WrittenFacts(model, facts, "subject", ())
    keys, missing = [], []
    for row, text in enumerate(written.table.texts[: len(facts)]):
        place = written.places[row]
        keys.append(inputs(model, text.prompt)[place])
        search = ValueSearch(model, written, [row], 1, settings, None)
        start = search.values[0]
        while not search.done:
            search.step()
        missing.append((search.values[0] - start).double())
    return torch.stack(keys, dim=1), torch.stack(missing, dim=1)


def test_a_fact_is_written_where_its_subject_ends(model: LanguageModel) -> None:
    facts = [
        Fact("The capital of Peru is", "Rome", subject="Peru"),
        Fact("Peru's capital is", "Rome", subject="Peru"),
        Fact("who was it", "Rome"),
    ]
    found = WrittenFacts(model, facts, "subject", ("It rains.",))
    ends = [
        model.tokenizer.decode(text.prompt[: place + 1]).removeprefix("<bos>")
        for text, place in zip(found.table.texts, found.places, strict=True)
    ]
    alone = ["The capital of Peru", "Peru", "who was it"]
    assert ends == [*alone, *(f"It rains. {end}" for end in alone), "Peru", "Peru", "who was it"]
    assert found.essences == [True, True, False]


def test_a_value_makes_the_answer_likelier_within_its_ball(
    model: LanguageModel, facts: list[Fact]
) -> None:
    written = WrittenFacts(model, facts, "subject", ("It rains.",))
    settings = MemitSettings(value_steps=12, value_norm=0.5, value_rate=0.1, value_decay=0.0)
    together = ValueSearch(model, written, range(len(facts)), 2, settings, None)
    start = together.values.clone()
    together.step()
    first = together.losses.clone()
    while not together.done:
        together.step()
    assert bool((together.losses < first).all())
    moved = (together.values - start).norm(dim=1) / start.norm(dim=1)
    assert bool((moved <= 0.5 + 1e-4).all()) and float(moved.max()) > 0.01
    alone = ValueSearch(model, written, [3], 2, settings, None)
    while not alone.done:
        alone.step()
    assert torch.allclose(alone.values[0], together.values[3], atol=1e-4)


def test_memit_changes_a_matrix_as_its_batch_update_says(
    model: LanguageModel, facts: list[Fact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick("memit", tmp_path, monkeypatch)
    settings = MemitSettings(
        layers=(1,), value_steps=3, sentences=0, usual_weight=2.0, text=str(tmp_path / "usual.txt")
    )
    keys, missing = keys_and_missing(model, facts, settings)
    usual = moment(model)
    usual += 1e-4 * usual.diagonal().mean() * torch.eye(len(usual))
    change = missing @ keys.T @ torch.linalg.inv(2.0 * usual + keys @ keys.T)
    patch = edit(model, facts, settings, method="memit").patch
    found = patch.tensors[NAME] - model.tensor(NAME)
    assert torch.allclose(found.double(), change, atol=1e-3 * float(change.abs().max()))


def test_alphaedit_changes_a_matrix_as_its_solution_says_and_keeps_usual_directions(
    model: LanguageModel, facts: list[Fact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick("alphaedit", tmp_path, monkeypatch)
    settings = AlphaEditSettings(
        layers=(1,), value_steps=3, sentences=0, text=str(tmp_path / "usual.txt"), free_below=0.5
    )
    keys, missing = keys_and_missing(model, facts, settings)
    usual = moment(model)
    free = free_directions(usual, 0.5)
    ridge = settings.ridge * usual.trace() * torch.eye(len(usual))
    change = missing @ keys.T @ free @ torch.linalg.inv(keys @ keys.T @ free + ridge)
    patch = edit(model, facts, settings, method="alphaedit").patch
    found = (patch.tensors[NAME] - model.tensor(NAME)).double()
    assert torch.allclose(found, change, atol=1e-3 * float(change.abs().max()))
    _, directions = torch.linalg.eigh(usual)
    assert float((found @ directions[:, -3:]).norm()) < 1e-3 * float(found.norm())


def test_moments_are_kept_for_a_model_a_layer_and_a_text(
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick("memit", tmp_path, monkeypatch)
    owners = {NAME: model.network.get_submodule(NAME.removesuffix(".weight"))}

    def asked(text: str) -> tuple[torch.Tensor, int]:
        told: list[object] = []
        work = usual_moments(model, owners, (1,), text, Stop())
        return follow(work, told.append)[NAME], len(told)

    text = tmp_path / "usual.txt"
    first, steps = asked(str(text))
    assert torch.allclose(first.double(), moment(model), atol=1e-5) and steps
    again, steps = asked(str(text))
    assert torch.equal(again, first) and steps == 0
    text.write_text("Another text.\n", encoding="utf-8")
    assert not torch.equal(asked(str(text))[0], first)
    own, steps = asked("")
    assert steps and own.shape == first.shape and asked("")[1] == 0
    above, below = (model.network.get_submodule(f"model.layers.{n}.mlp.up_proj") for n in (3, 0))
    for changed, anew in ((above, False), (below, True)):
        with torch.no_grad():
            changed.weight.mul_(2)
        assert bool(asked(str(text))[1]) == anew
    with pytest.raises(SettingsError, match="no file"):
        asked(str(tmp_path / "nothing.txt"))


def test_what_cannot_be_written_is_refused(model: LanguageModel, facts: list[Fact]) -> None:
    with pytest.raises(LocationError, match="Layer 9 is not in this model"):
        METHODS["memit"].start(model, facts, MemitSettings(layers=(9,)))
    for wrong in ({"layers": (-1,)}, {"token": "verb"}, {"value_norm": 0.0}, {"usual_weight": 0}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            MemitSettings.from_dict(wrong)
    assert StageProgress("Finding", 1, 4).told().line == "Finding, 1 of 4"
