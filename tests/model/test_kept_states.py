"""States that outlive a run: only what is missing is computed, also after a way was broken off."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import byte_tokenizer, tiny_network
from workbench.facts.fact import Fact
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.model.hidden_states import HiddenStates
from workbench.model.kept_states import keeping
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.states import advance, advancing
from workbench.model.states_store import StatesStore
from workbench.model.tokens import TokenTable, tokenize_facts
from workbench.store.kept_states import clear_states, states_bytes, states_folder
from workbench.work.events import follow


def table(model: LanguageModel, facts: list[Fact]) -> TokenTable:
    return TokenTable(tokenize_facts(model.tokenizer, facts, None), model.device)


def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """Notes each way that is gone: from which layer, to which, by how many texts."""
    ways: list[tuple[int, int, int]] = []

    def noted(
        model: LanguageModel,
        texts: TokenTable,
        states: HiddenStates | None,
        to: int,
        **more: Any,
    ) -> Any:
        rows = more["rows"]
        assert isinstance(rows, list)
        ways.append((states.layer if states is not None else 0, to, len(rows)))
        return advancing(model, texts, states, to, **more)

    monkeypatch.setattr("workbench.model.kept_states.advancing", noted)
    return ways


def test_only_new_facts_are_computed_and_all_are_as_without_the_store(
    model: LanguageModel, facts: list[Fact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways, store = asked(monkeypatch), StatesStore(tmp_path / "states")
    follow(keeping(model, table(model, facts[:4]), 2, store))
    texts = table(model, [facts[6], *facts[:5]])
    found = follow(keeping(model, texts, 2, StatesStore(tmp_path / "states")))
    assert ways == [(0, 2, 4), (0, 2, 2)]
    assert torch.allclose(found.flat, advance(model, texts, None, 2).flat, atol=1e-6)
    follow(keeping(model, texts, 2, store))
    follow(keeping(model, texts, 3, store))
    assert ways[2:] == [(2, 3, 6)]


def test_what_another_model_or_another_layer_has_is_not_taken(
    make_model: Callable[..., LanguageModel], facts: list[Fact], tmp_path: Path
) -> None:
    store, model, other = StatesStore(tmp_path), make_model(), make_model()
    with torch.no_grad():
        other.network.get_parameter("model.layers.1.mlp.up_proj.weight").add_(0.1)
    texts = table(model, facts)
    follow(keeping(model, texts, 3, store))
    rows = list(range(len(texts)))
    assert store.known(model, 3, texts, rows) == rows
    assert store.known(other, 3, texts, rows) == store.known(model, 1, texts, rows) == []


def test_within_its_limit_the_store_keeps_what_was_used_last(
    model: LanguageModel, facts: list[Fact], tmp_path: Path
) -> None:
    texts = table(model, facts)
    rows = list(range(len(texts)))
    one = StatesStore(tmp_path)
    follow(keeping(model, texts, 1, one))
    store = StatesStore(tmp_path, limit=int(1.5 * one.bytes))
    follow(keeping(model, texts, 3, store))
    assert (store.known(model, 1, texts, rows), store.known(model, 3, texts, rows)) == ([], rows)
    small = StatesStore(tmp_path, limit=10)
    expected = advance(model, texts, None, 2)
    assert torch.equal(follow(keeping(model, texts, 2, small)).flat, expected.flat)
    assert small.known(model, 2, texts, rows) == []


@pytest.mark.parametrize("harm", ["cut", "garbage", "gone"])
def test_a_damaged_store_costs_time_once_and_nothing_else(
    model: LanguageModel,
    facts: list[Fact],
    tmp_path: Path,
    harm: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = table(model, facts)
    follow(keeping(model, texts, 2, StatesStore(tmp_path)))
    (file,) = tmp_path.glob("*/*/states")
    size = file.stat().st_size
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:100])
    elif harm == "garbage":
        (file.parent / "index.jsonl").write_text('{"dtype": "no", "shape": [1]}\n[1')
    else:
        file.unlink()
    found = follow(keeping(model, texts, 2, StatesStore(tmp_path)))
    assert torch.equal(found.flat, advance(model, texts, None, 2).flat)
    ways = asked(monkeypatch)
    again = follow(keeping(model, texts, 2, StatesStore(tmp_path)))
    assert torch.equal(again.flat, found.flat) and not ways and file.stat().st_size == size


def test_a_capture_that_is_broken_off_goes_on_at_its_layer(
    facts: list[Fact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_network("Llama").save_pretrained(tmp_path / "model")
    byte_tokenizer().save_pretrained(tmp_path / "model")
    whole = load_model(str(tmp_path / "model"), device="cpu")
    sizes = whole.layer_sizes
    memory = sizes.rest + 2 * max(sizes.layers) + 512
    apart = load_model(str(tmp_path / "model"), device="cpu", memory=memory)
    many = [Fact(f"{'so ' * n}{fact.prompt}", fact.target_new) for n in range(6) for fact in facts]
    texts, store = table(apart, many), StatesStore(tmp_path / "states")
    passes = len(list(advancing(apart, texts, None, 1)))
    assert passes > 2
    way = keeping(apart, texts, 3, store)
    list(islice(way, 2 * passes + 1))  # all have passed layers 0 and 1, some have passed 2
    way.close()
    ways = asked(monkeypatch)
    found = follow(keeping(apart, texts, 3, store))
    assert [(start, to) for start, to, _ in ways] == [(2, 3)]
    assert 0 < ways[0][2] < len(texts)
    assert torch.allclose(found.flat, advance(whole, texts, None, 3).flat, atol=1e-6)
    assert len(list((tmp_path / "states").glob("*/*"))) == 1  # nothing is left of the way


def test_a_run_with_kept_states_is_the_run_without_and_they_can_be_cleared(
    model: LanguageModel, facts: list[Fact], tmp_path: Path
) -> None:
    settings = EditSettings(at=("2.mlp.down_proj",), epochs=2)
    store = StatesStore(states_folder(tmp_path))
    runs = [LocftRun(model, facts, settings, store=some) for some in (None, store, store)]
    for run in runs:
        list(run.events())
    plain, first, again = ([*run.patch().tensors.values()] for run in runs)
    assert all(map(torch.equal, plain, first)) and all(map(torch.equal, first, again))
    assert states_bytes(tmp_path) == store.bytes > 0
    clear_states(tmp_path)
    assert states_bytes(tmp_path) == 0
