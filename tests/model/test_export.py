"""Exports: whole, made sure of, with the checkpoint's own settings, for whom the umask allows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GenerationConfig

from tests.conftest import facts_to_learn
from tests.offenders import CHECKPOINT_FLAGS, OFFENDERS, UNUSABLE, shipping, tiny_checkpoint
from tests.umask import UMASKS, permissions, under
from workbench.api import export
from workbench.errors import PatchError
from workbench.methods.edit import edit
from workbench.model import export as exports
from workbench.model.export import CHECKED, exporting, write_model
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.work.events import follow
from workbench.work.stop import Cancelled, Stop

pytestmark = pytest.mark.slow

FACTS = facts_to_learn()
PROMPTS = [fact.prompt for fact in FACTS]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("exported") / "plain")


@pytest.fixture(scope="module")
def patch(checkpoint: Path) -> Patch:
    model = load_model(str(checkpoint), device="cpu")
    return edit(model, FACTS, at="2", learning_rate=1e-2, batch_size=7, epochs=20).patch


@pytest.fixture
def model(checkpoint: Path) -> LanguageModel:
    return load_model(str(checkpoint), device="cpu")


def weights(model: LanguageModel) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.network.named_parameters()}


def test_what_was_written_is_loaded_and_asked_before_it_is_there(
    model: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    done = follow(exporting(model, patch.applied, tmp_path / "full", PROMPTS))
    assert (done.folder, done.checked) == (tmp_path / "full", len(PROMPTS))
    again = load_model(str(done.folder), device="cpu")
    with patch.applied(model):
        assert generate(again, PROMPTS) == generate(model, PROMPTS)
    assert generate(again, PROMPTS) != generate(model, PROMPTS)


def test_without_facts_a_handful_of_other_prompts_is_asked(
    model: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    assert follow(exporting(model, patch.applied, tmp_path / "full")).checked == CHECKED
    many = ["x" * 500, "", *(f"Number {n} is" for n in range(40))]
    assert follow(exporting(model, patch.applied, tmp_path / "other", many)).checked == CHECKED


def spoiled(change: Callable[[Path], None]) -> Callable[[LanguageModel, Path], None]:
    """Writing, by which something goes wrong that nobody sees."""

    def write(model: LanguageModel, folder: Path) -> None:
        write_model(model, folder)
        change(folder)

    return write


def of_the_base(folder: Path) -> None:
    """What was tuned is lost."""
    tensors = load_file(folder / "model.safetensors")
    tensors["model.layers.2.mlp.down_proj.weight"] *= 0
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def of_another_tokenizer(folder: Path) -> None:
    """Two letters change their places."""
    file = folder / "tokenizer.json"
    said = json.loads(file.read_text("utf-8"))
    vocab = said["model"]["vocab"]
    vocab["a"], vocab["e"] = vocab["e"], vocab["a"]
    file.write_text(json.dumps(said), "utf-8")


def without_a_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def cut_short(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (of_the_base, "answers 'The capital of"),
        (of_another_tokenizer, "answers 'The capital of"),
        (without_a_config, "does not load again"),
        (cut_short, "does not load again"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.parametrize("room", ["room for two", "room for one"])
def test_a_folder_that_answers_otherwise_is_not_left_as_done(
    change: Callable[[Path], None],
    words: str,
    room: str,
    model: LanguageModel,
    patch: Patch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exports, "write_model", spoiled(change))
    if room == "room for one":
        monkeypatch.setattr(exports, "free_memory", lambda device: 0)
    before = weights(model)
    with pytest.raises(PatchError, match=words) as told:
        export(model, patch, tmp_path / "full", FACTS)
    assert str(tmp_path / ".full") not in str(told.value)
    assert list(tmp_path.iterdir()) == []
    gave_way = room == "room for one"
    assert model.is_whole != gave_way and ("load it again" in str(told.value)) == gave_way
    if not gave_way:
        assert all(torch.equal(value, before[name]) for name, value in weights(model).items())


def test_a_model_never_takes_over_weights_that_are_not_its_own(
    model: LanguageModel, patch: Patch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_a_hair(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        tensors["model.layers.0.mlp.down_proj.weight"][0, 0] *= 1.0001
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    monkeypatch.setattr(exports, "write_model", spoiled(by_a_hair))
    monkeypatch.setattr(exports, "free_memory", lambda device: 0)
    with pytest.raises(PatchError, match=r"other values of 'model\.layers\.0\.mlp\.down_proj"):
        export(model, patch, tmp_path / "full", FACTS)
    assert not model.is_whole and list(tmp_path.iterdir()) == []


def test_where_memory_holds_one_model_the_first_gives_way_and_is_the_base_again(
    model: LanguageModel, patch: Patch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def spy(*args: Any, **options: Any) -> LanguageModel:
        sizes.append(model.memory_bytes)
        return load_model(*args, **options)

    monkeypatch.setattr(exports, "load_model", spy)
    before, size = weights(model), model.memory_bytes
    export(model, patch, tmp_path / "roomy", FACTS)
    monkeypatch.setattr(exports, "free_memory", lambda device: size)
    export(model, patch, tmp_path / "full", FACTS)
    assert sizes == [size, 0]
    assert all(torch.equal(value, before[name]) for name, value in weights(model).items())
    with patch.applied(model):
        assert generate(model, PROMPTS) == generate(load_model(str(tmp_path / "full")), PROMPTS)


def test_an_export_that_is_stopped_leaves_nothing(
    model: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    stop = Stop()
    stop.ask()
    with pytest.raises(Cancelled):
        follow(exporting(model, patch.applied, tmp_path / "full", PROMPTS, stop=stop))
    assert list(tmp_path.iterdir()) == []


def settings_in(folder: Path) -> tuple[dict[str, Any], str | None]:
    file = folder / "generation_config.json"
    config = json.loads((folder / "config.json").read_text("utf-8"))
    return config, file.read_text("utf-8") if file.exists() else None


@pytest.mark.parametrize("name", [*OFFENDERS, "unusable", "none", "temperature", "nonsense"])
def test_the_generation_settings_are_exported_as_they_were(
    name: str, checkpoint: Path, patch: Patch, tmp_path: Path
) -> None:
    shipped: dict[str, Any] = {
        "unusable": UNUSABLE,
        "none": None,
        "temperature": {"temperature": 0.6, "do_sample": False},
        "nonsense": "{no json",
    }
    own = shipped.get(name, {name: OFFENDERS.get(name)})
    source = shipping(checkpoint, tmp_path / "model", own)
    export(load_model(str(source), device="cpu"), patch, tmp_path / "full", FACTS)
    assert settings_in(tmp_path / "full") == settings_in(source)


@pytest.mark.parametrize("name", [*CHECKPOINT_FLAGS, "all", "older"])
def test_the_flags_of_a_config_are_exported_as_they_were(
    name: str, checkpoint: Path, patch: Patch, tmp_path: Path
) -> None:
    flags = {"all": CHECKPOINT_FLAGS, "older": {"rope_theta": 10000.0, "repetition_penalty": 1.5}}
    source = shipping(
        checkpoint,
        tmp_path / "model",
        {},
        flags.get(name, {name: CHECKPOINT_FLAGS.get(name)}) | {"my_own": [1, {"two": None}]},
    )
    export(load_model(str(source), device="cpu"), patch, tmp_path / "full", FACTS)
    assert settings_in(tmp_path / "full") == settings_in(source)


def test_the_config_of_an_export_names_the_dtype_that_was_written(
    checkpoint: Path, tmp_path: Path
) -> None:
    older = shipping(checkpoint, tmp_path / "older", {}, {"torch_dtype": "float32"})
    said = json.loads((older / "config.json").read_text("utf-8"))
    del said["dtype"]
    (older / "config.json").write_text(json.dumps(said), "utf-8")
    model = load_model(str(older), device="cpu", dtype="bfloat16")
    patch = edit(model, FACTS, at="2.mlp.down_proj", epochs=1).patch
    export(model, patch, tmp_path / "full", FACTS)
    assert settings_in(tmp_path / "full")[0] == said | {"torch_dtype": "bfloat16"}
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "full").dtype == torch.bfloat16


def test_a_model_made_in_memory_is_exported_with_its_own_settings(
    make_model: Callable[..., LanguageModel], tmp_path: Path
) -> None:
    model = make_model()
    model.network.generation_config = GenerationConfig(do_sample=False, temperature=0.6)
    patch = edit(model, FACTS, at="2", epochs=1).patch
    export(model, patch, tmp_path / "full")
    config, generation = settings_in(tmp_path / "full")
    assert config["vocab_size"] == 260 and config["architectures"] == ["LlamaForCausalLM"]
    assert json.loads(generation or "")["temperature"] == 0.6


@pytest.mark.parametrize("umask", UMASKS, ids=oct)
def test_whoever_may_read_new_files_may_read_an_export_and_a_patch(
    umask: int, model: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    with under(umask):
        export(model, patch, tmp_path / "deep" / "full", FACTS)
        patch.save(tmp_path / "deep" / "patch")
    assert permissions(tmp_path / "deep", umask) == {}
    assert (tmp_path / "deep" / "full" / "model.safetensors").is_file()
