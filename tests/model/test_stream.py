"""Models that do not fit: read layer by layer, with the results of the same model in memory."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from weakref import ReferenceType, ref

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.conftest import byte_tokenizer, tiny_network
from workbench.api import scan
from workbench.errors import MemoryShortage, ModelError
from workbench.facts.fact import Fact
from workbench.measure.evaluate import evaluate, evaluating
from workbench.measure.probe import probe
from workbench.methods.edit import edit
from workbench.methods.events import StatesProgress
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.states import advance, run
from workbench.model.tokens import TokenTable, tokenize_facts
from workbench.search.sweep import Sweep
from workbench.search.sweep_events import LocationDone
from workbench.search.sweep_settings import SweepSettings
from workbench.ship.export import shipping
from workbench.ship.export_settings import ExportForm, ExportSettings
from workbench.work.events import Progress, follow
from workbench.work.stop import Cancelled, Stop
from workbench.work.templates import render

Pair = tuple[LanguageModel, LanguageModel]
EXPORT_FORMS: tuple[ExportForm, ...] = ("full", "adapter", "delta")
QUICK: dict[str, Any] = {"epochs": 3, "forms": ("raw",), "keep": 0.0, "learning_rate": 1e-2}


@pytest.fixture
def load_pair(tmp_path: Path) -> Callable[..., Pair]:
    """Loads a tiny model as a whole, and within its embedding and two or more of its layers."""

    def load(name: str = "Llama", layers: int = 2, **options: Any) -> Pair:
        folder = tmp_path / name
        tiny_network(name).save_pretrained(folder)
        byte_tokenizer().save_pretrained(folder)
        whole = load_model(str(folder), device="cpu", **options)
        sizes = whole.layer_sizes
        # A little more: buffers, such as those of rotary positions, are no layer's.
        memory = sizes.rest + layers * max(sizes.layers) + 512
        return whole, load_model(str(folder), device="cpu", memory=memory, **options)

    return load


class Watched:
    """Bytes of a model's weights that are alive, whoever holds them, seen as each is read.

    Counts what stays on the device and every tensor that was read and that somebody still holds.
    """

    def __init__(self, model: LanguageModel) -> None:
        stream = model.stream
        assert stream is not None
        stays = [w for name, w in model.network.named_parameters() if not stream.has(name)]
        self.stays = sum(weight.untyped_storage().nbytes() for weight in stays)
        self.most = 0
        self._read: list[tuple[ReferenceType[torch.Tensor], int]] = []
        self._plain = stream.store.read
        stream.store.read = self._watching  # type: ignore[method-assign]

    def _watching(self, names: Iterable[str]) -> dict[str, torch.Tensor]:
        found = self._plain(names)
        self._read += [(ref(t), t.untyped_storage().nbytes()) for t in found.values()]
        self._read = [(tensor, size) for tensor, size in self._read if tensor() is not None]
        self.most = max(self.most, self.stays + sum(size for _, size in self._read))
        return found


@pytest.mark.parametrize("name", ["Llama", "GPT-2", "GPT-J", "Gemma 3", "Mixtral"])
def test_an_edit_in_a_layer_that_is_read_in_every_step_is_the_edit_in_memory(
    load_pair: Callable[..., Pair], facts: list[Fact], name: str
) -> None:
    whole, apart = load_pair(name)
    assert apart.placement.streamed == (0, 1, 2, 3)
    at = (whole.preset.at[0].replace(whole.preset.at[0].split(".")[0], "1", 1),)
    one, other = (edit(model, facts, at=at, **QUICK).patch.tensors for model in (whole, apart))
    assert all(torch.equal(one[name], other[name]) for name in one)
    ids = torch.arange(24).view(2, 12)
    with torch.no_grad():
        assert torch.equal(run(whole, ids), run(apart, ids))


@pytest.mark.slow
def test_all_that_is_done_with_a_model_gives_the_same_within_the_promise(
    load_pair: Callable[..., Pair], facts: list[Fact]
) -> None:
    results, pair = [], load_pair(layers=3)
    watched = Watched(pair[1])
    for model in pair:
        settings = SweepSettings(epochs=1, sample=3, modules=("mlp.down_proj",), full_runs=0)
        patch = edit(model, facts, at=("2.mlp.down_proj",), **QUICK).patch
        rows = [e for e in Sweep(model, facts, settings).events() if isinstance(e, LocationDone)]
        results.append(
            (
                {name: tensor.tolist() for name, tensor in patch.tensors.items()},
                evaluate(model, facts, patch).as_dict()["after"],
                probe(model, [fact.prompt for fact in facts], patch, max_new_tokens=4),
                [(row.at, row.gradient) for row in scan(model, facts[:2]).rows],
                [(row.at, row.loss, row.reliable, row.local) for row in rows],
            )
        )
    for whole, apart in zip(*results, strict=True):
        assert whole == apart
    budget = pair[1].placement.budget
    assert budget is not None
    assert watched.stays < watched.most <= budget < pair[1].memory_bytes


def test_every_layer_is_read_once_for_all_texts_and_the_way_is_told(
    load_pair: Callable[..., Pair], facts: list[Fact]
) -> None:
    _, apart = load_pair()
    stream = apart.stream
    assert stream is not None
    stream.let_go()
    before, told = stream.meter.reads, []
    many = [Fact(f"{n} {fact.prompt}", fact.target_new) for n in range(30) for fact in facts]
    edit(
        apart,
        many,
        at=("3.mlp.down_proj",),
        on_event=lambda event: told.append(event) if isinstance(event, StatesProgress) else None,
        **QUICK | {"epochs": 1, "batch_size": 210},
    )
    texts = TokenTable(tokenize_facts(apart.tokenizer, many, None), apart.device)
    kept = advance(apart, texts, None, 3)
    assert kept.layer == 3
    # Layer 3 is there and back in the edit; what is read ahead in vain is at most one each time.
    assert stream.meter.reads - before <= 3 + 2 + 3 + 4
    assert [event.layer for event in told if event.layer is not None][-1] == 2
    line = told[-1].told().line
    assert "layer 2 of 3, read at " in line and line.endswith(" left")


def test_a_sweep_and_an_evaluation_say_which_layer_they_read_and_end_at_one(
    load_pair: Callable[..., Pair], facts: list[Fact]
) -> None:
    _, apart = load_pair()
    assert apart.stream is not None
    swept = SweepSettings(epochs=1, sample=3, layers=(3,), full_runs=0)
    told = [e.told().line for e in Sweep(apart, facts, swept).events() if type(e) is StatesProgress]
    assert told[0].startswith("Keeping hidden states, layer 0 of 3, read at ")

    stop, lines = Stop(), list[str]()
    patch = edit(apart, facts, at=("3.mlp.down_proj",), **QUICK).patch

    def take(event: Progress) -> None:
        lines.append(event.line)
        if "layer 1 of 3" in event.line:
            stop.ask()

    reads = apart.stream.meter.reads
    with pytest.raises(Cancelled):
        follow(evaluating(apart, facts, patch, stop=stop), take)
    assert lines[-1].startswith("Evaluating on 7 facts, layer 1 of 3, read at ")
    assert apart.stream.meter.reads - reads <= 3
    assert apart.stream.on_way == ""


def test_how_long_answers_take_is_told_before_where_layers_are_read_for_them(
    load_pair: Callable[..., Pair],
) -> None:
    whole, apart = load_pair()
    assert whole.summary().answer_seconds(32) == 0
    summary = apart.summary()
    assert summary.pass_seconds > 0
    assert summary.answer_seconds(32, 2) == pytest.approx(64 * summary.pass_seconds)
    told = render("page/probe/sides.html", sides=[], runs=[], wait=64.0, tokens=32, pinned=40)
    assert "of 32 tokens takes about 1:04 in all" in told and "the 40 pinned ones" in told
    assert "layer by layer" not in render("page/probe/sides.html", sides=[], runs=[], wait=0.0)


def test_one_expert_of_a_stack_on_disk_is_tuned_alone(
    load_pair: Callable[..., Pair], facts: list[Fact]
) -> None:
    whole, apart = load_pair("Mixtral")
    at = ("1.mlp.experts.2.down_proj",)
    one, other = (edit(model, facts, at=at, **QUICK).patch for model in (whole, apart))
    assert one.tensors.keys() == other.tensors.keys()
    for name, tensor in one.tensors.items():
        assert torch.equal(tensor, other.tensors[name])
        assert whole.base_hash(name) == apart.base_hash(name)


def test_after_a_patch_a_layer_on_disk_is_the_base_again(
    load_pair: Callable[..., Pair], facts: list[Fact]
) -> None:
    _, apart = load_pair(dtype="bfloat16")
    assert apart.stream is not None
    patch = edit(apart, facts, at=("1",), **QUICK).patch
    ids = torch.arange(12).view(1, 12)
    with torch.no_grad():
        base = run(apart, ids)
        with apart.stream.here(1), patch.applied(apart):
            edited = run(apart, ids)
        with patch.applied(apart):
            assert torch.equal(run(apart, ids), edited)
        assert torch.equal(run(apart, ids), base) and not torch.equal(base, edited)
    apart.stream.let_go()
    assert all(apart.stream.is_absent(name) for name in patch.tensors)


def test_a_weight_that_is_no_number_is_told_also_in_a_layer_that_is_read_later(
    load_pair: Callable[..., Pair], tmp_path: Path
) -> None:
    _, apart = load_pair()
    weights = load_file(tmp_path / "Llama" / "model.safetensors")
    weights["model.layers.1.mlp.up_proj.weight"][3, 3] = float("nan")
    save_file(weights, tmp_path / "Llama" / "model.safetensors", metadata={"format": "pt"})
    assert apart.placement.budget is not None
    with pytest.raises(ModelError, match=r"1 of 2048 weights .* model\.layers\.1\.mlp\.up_proj"):
        load_model(str(tmp_path / "Llama"), device="cpu", memory=apart.placement.budget)
    (tmp_path / "Llama" / "model.safetensors").unlink()
    assert apart.stream is not None
    apart.stream.let_go()
    with pytest.raises(ModelError, match="can no longer be read"):
        run(apart, torch.arange(4).view(1, 4))


def test_less_than_a_layer_is_refused_before_anything_is_read(
    load_pair: Callable[..., Pair], tmp_path: Path
) -> None:
    load_pair()
    with pytest.raises(MemoryShortage, match="Its weights may take 50 kB"):
        load_model(str(tmp_path / "Llama"), device="cpu", memory="50kB")


def test_what_is_read_layer_by_layer_is_not_exported_and_the_message_says_what_to_do(
    load_pair: Callable[..., Pair], tmp_path: Path
) -> None:
    whole, apart = load_pair()
    patch = edit(whole, [Fact("The capital of France is", "Lyon")], at="3", **QUICK).patch
    out = tmp_path / "out"
    for form in EXPORT_FORMS:
        with pytest.raises(ModelError, match="with more --memory"):
            follow(shipping(apart, patch, out, settings=ExportSettings(form=form)))
    assert not out.exists()


@pytest.mark.parametrize("method", ["memit", "ultraedit", "lora", "ft-m"])
def test_other_methods_write_the_same_into_layers_that_are_read_as_they_are_needed(
    method: str, load_pair: Callable[..., Pair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    facts = [
        Fact(f"The capital of {place} is", "Lyon", subject=place) for place in ("Chad", "Peru")
    ]
    given: dict[str, Any] = {
        "memit": {"layers": (1,), "value_steps": 2, "sentences": 0},
        "ultraedit": {"layers": (1,)},
        "lora": {"at": ("1.mlp.down_proj",), "epochs": 2, "learning_rate": 1e-2},
        "ft-m": {"at": ("1.mlp.down_proj",), "steps": 2, "learning_rate": 1e-2},
    }
    patches = [edit(model, facts, method=method, **given[method]).patch for model in load_pair()]
    for name, tensor in patches[0].tensors.items():
        assert (
            torch.isfinite(tensor).all() and (tensor - patches[1].tensors[name]).abs().max() < 1e-5
        )
    assert all(patch.tensors for patch in patches)


@pytest.mark.parametrize("name", ["Llama", "Mixtral"])
def test_facts_are_added_to_an_edited_model_whose_layers_are_away(
    load_pair: Callable[..., Pair], facts: list[Fact], name: str
) -> None:
    at = "3.mlp.down_proj" if name == "Llama" else "3.mlp.experts.1"
    more = at if name == "Llama" else "3.mlp.experts.2"
    made = []
    for model in load_pair(name):
        first = edit(model, facts[:3], at=at, **QUICK).patch
        second = edit(model, facts[3:], onto=first, way="continue", at=more, **QUICK).patch
        with second.applied(model):
            pass
        assert all(not torch.equal(new, model.tensor(n)) for n, new in second.tensors.items())
        made.append(second.tensors)
    assert made[0].keys() == made[1].keys()
    for tensor, new in made[0].items():
        assert torch.allclose(new, made[1][tensor], atol=1e-5)
