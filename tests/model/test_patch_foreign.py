"""Patches that somebody else made: each is sound as a whole, or touches no model."""

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.conftest import byte_tokenizer, facts_to_learn, tiny_network
from tests.patches import HASH
from workbench.errors import PatchError, WorkbenchError
from workbench.facts.fact import Fact
from workbench.methods.edit import edit
from workbench.model.language_model import LanguageModel
from workbench.model.load import prepare
from workbench.model.patch import PATCH_FILE, Patch
from workbench.model.patch_record import FORMAT

TENSOR = "model.layers.2.mlp.down_proj.weight"
EMBEDDING = "model.embed_tokens.weight"
MUTANTS = 500
DEEP = "[" * 100_000 + "]" * 100_000

Record = dict[str, Any]


@pytest.fixture(scope="module")
def made() -> Patch:
    model = prepare("tiny Llama", tiny_network("Llama"), byte_tokenizer())
    facts = facts_to_learn()
    return edit(model, facts, at="2.mlp.down_proj", learning_rate=1e-2, epochs=1).patch


@pytest.fixture
def patch(made: Patch) -> Patch:
    """A sound patch of the tiny model, to be spoiled."""
    tensors = {name: tensor.clone() for name, tensor in made.tensors.items()}
    return Patch(tensors, copy.deepcopy(made.metadata))


def weights(model: LanguageModel) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.network.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


def written(
    folder: Path, tensors: dict[str, torch.Tensor], record: Any, form: str = FORMAT
) -> Path:
    """A patch's folder, made by hand; a record that is a text is written as it is."""
    folder.mkdir(exist_ok=True)
    text = record if isinstance(record, str) else json.dumps(record)
    save_file(tensors, folder / PATCH_FILE, metadata={"format": form, "patch": text})
    return folder


def use(folder: Path, model: LanguageModel) -> None:
    with Patch.load(folder).applied(model):
        pass


def refusal(folder: Path, model: LanguageModel) -> str:
    """The one line with which a patch is refused; the model keeps its weights, to the bit."""
    before = weights(model)
    with pytest.raises(PatchError) as caught:
        use(folder, model)
    assert same(weights(model), before)
    told = str(caught.value)
    assert told.isprintable() and len(told) < 700, told
    return told


def at(*path: str | int) -> Callable[[Record, Any], None]:
    """What puts a value at a place of a record."""

    def put(record: Record, value: Any) -> None:
        inner: Any = record
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return put


MALFORMED: dict[str, tuple[tuple[str | int, ...], Any, str]] = {
    "a base that is a text": (("base",), "llama", "base: "),
    "a base that is nothing": (("base",), None, "base: "),
    "a base without a name": (("base", "name"), " ", "does not name its base"),
    "a name that is a number": (("base", "name"), 3, "base.name"),
    "a name of a million letters": (("base", "name"), "x" * 10**6, "1,000,000 characters"),
    "a name with a line break": (("base", "hashes"), {"a\nb": "x"}, r"for the base's 'a\nb'"),
    "no hash": (("base", "hashes"), {}, "would fit any"),
    "a list of hashes": (("base", "hashes"), [], "base.hashes"),
    "a hash that is none": (("base", "hashes", TENSOR), "abc", "no SHA-256"),
    "a hash that is a number": (("base", "hashes", TENSOR), 7, "base.hashes"),
    "the hash of other values": (("base", "hashes", TENSOR), HASH, "holds other values"),
    "another number of layers": (("base", "layers"), 5, "its layers is 4"),
    "less than no layers": (("base", "layers"), -1, "layers is -1"),
    "layers as a text": (("base", "layers"), "4", "base.layers"),
    "half a layer": (("base", "layers"), 4.5, "base.layers"),
    "true layers": (("base", "layers"), True, "base.layers"),
    "another width": (("base", "hidden_size"), 33, "its hidden_size is 32"),
    "another vocabulary": (("base", "vocab_size"), 7, "its vocab_size is 260"),
    "another type of model": (("base", "model_type"), "gpt2", "its model_type is llama"),
    "no place": (("at",), [], "no place"),
    "a place that is a text": (("at",), "2.mlp.down_proj", "at: "),
    "a place that is a number": (("at",), [2], "at.0"),
    "a malformed place": (("at",), ["../../etc"], "is not a location"),
    "a place twice": (("at",), ["2.mlp", "2.mlp.down_proj"], "overlap"),
    "a place beyond the model": (("at",), ["7.mlp.down_proj"], "4 layers"),
    "a module that is none": (("at",), ["2.mlp.gone"], "has no module"),
    "another place": (("at",), ["1.mlp.down_proj"], "not in the places"),
    "facts below zero": (("facts",), -3, "-3 facts"),
    "facts as a text": (("facts",), "seven", "facts: "),
    "facts beyond counting": (("facts",), 10**30, "beyond 64 bits"),
    "a digest that is none": (("facts_digest",), "", "facts_digest"),
    "settings that are a list": (("settings",), [], "settings: "),
    "a setting that is infinite": (("settings", "learning_rate"), float("inf"), "inf at settings"),
    "a setting that is no number": (("settings", "learning_rate"), float("nan"), "nan at settings"),
    "nested junk": (("settings", "more"), [[[[[[[[1]]]]]]]], "nested too deeply at settings.more"),
    "half a character": (("settings", "more"), "\ud800", "no Unicode"),
    "metrics that are a number": (("metrics",), 1, "metrics: "),
    "versions that are numbers": (("versions", "torch"), 2, "versions.torch"),
    "versions that are a list": (("versions",), ["2"], "versions: "),
    "a moment that is none": (("created",), "yesterday", "made at 'yesterday'"),
    "a moment that is a number": (("created",), 0, "created: "),
    "a method that is a list": (("method",), ["locft-bf"], "method: "),
    "a dtype that is nothing": (("dtype",), None, "dtype: "),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_record_is_refused_in_one_line(
    model: LanguageModel, patch: Patch, tmp_path: Path, kind: str
) -> None:
    path, value, told = MALFORMED[kind]
    record = copy.deepcopy(patch.metadata)
    at(*path)(record, value)
    assert told in refusal(written(tmp_path / "p", patch.tensors, record), model)
    # The same made in Python, without a file.
    before = weights(model)
    with pytest.raises(PatchError), Patch(patch.tensors, record).applied(model):
        pass
    assert same(weights(model), before)


@pytest.mark.parametrize(
    "name",
    ["base", "at", "facts", "facts_digest", "settings", "metrics", "versions", "created"],
)
def test_a_record_that_lacks_a_field_is_refused_by_its_name(
    model: LanguageModel, patch: Patch, tmp_path: Path, name: str
) -> None:
    record = {key: value for key, value in patch.metadata.items() if key != name}
    assert f"{name}: field required" in refusal(
        written(tmp_path / "p", patch.tensors, record), model
    )


@pytest.mark.parametrize("name", ["name", "model_type", "layers", "hidden_size", "hashes"])
def test_a_base_that_lacks_a_field_is_refused_by_its_name(
    model: LanguageModel, patch: Patch, tmp_path: Path, name: str
) -> None:
    record = copy.deepcopy(patch.metadata)
    del record["base"][name]
    told = refusal(written(tmp_path / "p", patch.tensors, record), model)
    assert f"base.{name}: field required" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
        (DEEP, "nested too deeply"),
        ('{"at": [], "at": ["2.mlp"]}', "stands in it twice"),
    ],
    ids=["empty", "cut", "list", "null", "deep", "twice"],
)
def test_a_record_that_is_no_object_is_refused(
    model: LanguageModel, patch: Patch, tmp_path: Path, text: str, told: str
) -> None:
    assert told in refusal(written(tmp_path / "p", patch.tensors, text), model)


def test_a_patch_of_another_version_is_refused(
    model: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    folder = written(tmp_path / "p", patch.tensors, patch.metadata, "locft-patch-2")
    assert "locft-patch-2" in refusal(folder, model)
    save_file(patch.tensors, folder / PATCH_FILE, metadata={"format": FORMAT})
    assert "carries no record" in refusal(folder, model)


def test_a_tensor_that_the_record_does_not_name_is_never_applied(
    model: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    embedding = torch.zeros_like(model.network.get_parameter(EMBEDDING))
    more = {**patch.tensors, EMBEDDING: embedding}
    told = refusal(written(tmp_path / "p", more, patch.metadata), model)
    assert f"holds a tensor '{EMBEDDING}' that its record does not name" in told
    # With its hash in the record it is still not where the patch says that it changes something.
    record = copy.deepcopy(patch.metadata)
    record["base"]["hashes"][EMBEDDING] = model.base_hash(EMBEDDING)
    told = refusal(written(tmp_path / "p", more, record), model)
    assert f"changes '{EMBEDDING}', which is not in the places" in told
    assert "that it does not hold" in refusal(written(tmp_path / "p", patch.tensors, record), model)


def spoiled(tensor: torch.Tensor, value: float) -> torch.Tensor:
    changed = tensor.clone()
    changed[3, 5] = value
    return changed


TENSORS: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], str]] = {
    "another shape": (lambda t: t[:, :-1].contiguous(), "is (32, 64) there, (32, 63) here"),
    "turned round": (lambda t: t.T.contiguous(), "is (32, 64) there, (64, 32) here"),
    "flat": (lambda t: t.flatten(), "is (32, 64) there"),
    "empty": (lambda t: t[:0], "(0, 64) here"),
    "a scalar": (lambda t: t.sum(), "() here"),
    "no number": (lambda t: spoiled(t, float("nan")), "1 values that are infinite or no number"),
    "infinite": (lambda t: spoiled(t, float("-inf")), "1 values that are infinite or no number"),
    "whole numbers": (lambda t: t.to(torch.int32), "holds int32"),
    "truths": (lambda t: t > 0, "holds bool"),
    "eight bits": (lambda t: t.to(torch.float8_e4m3fn), "holds float8_e4m3fn"),
    "complex": (lambda t: t.to(torch.complex64), "holds complex64"),
}


@pytest.mark.parametrize("kind", TENSORS)
def test_a_tensor_that_cannot_be_a_weight_here_is_refused(
    model: LanguageModel, patch: Patch, tmp_path: Path, kind: str
) -> None:
    change, told = TENSORS[kind]
    folder = written(tmp_path / "p", {TENSOR: change(patch.tensors[TENSOR])}, patch.metadata)
    assert told in refusal(folder, model)
    with pytest.raises(PatchError):
        Patch.load(folder).export(model, tmp_path / "full")
    assert not (tmp_path / "full").exists()


def test_a_value_that_a_narrower_model_cannot_hold_is_refused(
    make_model: Callable[..., LanguageModel], facts: list[Fact]
) -> None:
    wide, narrow = make_model(dtype=torch.float16), make_model(dtype=torch.float16)
    wide.network.float()
    patch = edit(wide, facts, at="2.mlp.down_proj", learning_rate=1e-2, epochs=1).patch
    with patch.applied(narrow):
        pass
    patch.tensors[TENSOR][0, 0] = 1e30
    with patch.applied(wide):
        pass
    with pytest.raises(PatchError, match=r"rounded to torch\.float16"), patch.applied(narrow):
        pass


def test_a_patch_that_is_spoiled_between_two_uses_is_noticed(
    model: LanguageModel, patch: Patch
) -> None:
    with patch.applied(model):
        pass
    patch.tensors[TENSOR][0, 0] = float("nan")
    with pytest.raises(PatchError, match="no number"), patch.applied(model):
        pass


def test_a_file_cut_anywhere_is_refused(model: LanguageModel, patch: Patch, tmp_path: Path) -> None:
    folder = written(tmp_path / "p", patch.tensors, patch.metadata)
    whole = (folder / PATCH_FILE).read_bytes()
    for length in (0, 1, 7, 8, 9, 100, 1000, len(whole) // 2, len(whole) - 1):
        (folder / PATCH_FILE).write_bytes(whole[:length])
        assert "damaged" in refusal(folder, model)


@pytest.mark.slow
def test_a_file_with_other_bytes_in_its_head_never_ends_in_a_traceback(
    model: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    folder = written(tmp_path / "p", patch.tensors, patch.metadata)
    whole = (folder / PATCH_FILE).read_bytes()
    head = 8 + int.from_bytes(whole[:8], "little")
    dice, before, refused = random.Random(1), weights(model), 0
    for _ in range(200):
        changed = bytearray(whole)
        for _ in range(dice.randint(1, 3)):
            changed[dice.randrange(head)] = dice.randrange(256)
        (folder / PATCH_FILE).write_bytes(changed)
        try:
            use(folder, model)
        except PatchError as error:
            refused += 1
            assert str(error).isprintable()
        assert same(weights(model), before)
    assert refused > 100


JUNK: tuple[Any, ...] = (
    None, True, -1, 0, 3, 10**25, 0.5, float("nan"), float("-inf"), "", "x", "\x00", "\n\x1b[31m",
    "<script>", "../..", "9" * 5000, "é" * 3000, [], [None], [[]], [1, "x"], {}, {"": {}}, {"x": 1},
    [[[[[[[[[]]]]]]]]], HASH,
)  # fmt: skip


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place of a record."""
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    found = [path] if path else []
    return found + [place for key, entry in inner for place in places(entry, (*path, key))]


def mutated(record: Record, dice: random.Random) -> Record:
    """A record with one or two things wrong with it: a value, a name that is gone or another."""
    found = copy.deepcopy(record)
    for _ in range(dice.choice((1, 1, 2))):
        path = dice.choice(places(found))
        inner: Any = found
        for step in path[:-1]:
            inner = inner[step]
        what = dice.randrange(4)
        if what == 0 and isinstance(inner, dict):
            del inner[path[-1]]
        elif what == 1 and isinstance(inner, dict):
            inner[f"{path[-1]}s"] = inner.pop(path[-1])
        else:
            inner[path[-1]] = copy.deepcopy(dice.choice(JUNK))
    return found


def means(record: Record) -> Any:
    """What of a record decides where a patch belongs, and what kind each other value is."""
    base = record["base"]
    shape = [base[name] for name in ("model_type", "layers", "hidden_size", "vocab_size", "hashes")]
    told = (base["name"], record["facts_digest"], record["created"])
    counted = type(record["facts"]) is int and record["facts"] >= 0
    inside = all(isinstance(record[name], dict) for name in ("settings", "metrics", "versions"))
    texts = all(type(text) is str and text.strip() and len(text) <= 2000 for text in told)
    return shape, record["at"], counted, inside, texts


@pytest.mark.slow
def test_of_500_mutated_records_each_that_matters_is_refused_in_one_line(
    model: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    dice, before = random.Random(13), weights(model)
    refused = 0
    for number in range(MUTANTS):
        record = mutated(patch.metadata, dice)
        folder = written(tmp_path / "p", patch.tensors, record)
        try:
            use(folder, model)
        except WorkbenchError as error:
            refused += 1
            assert str(error).isprintable() and len(str(error)) < 700, (number, record)
        else:
            assert means(record) == means(patch.metadata), (number, record)
        assert same(weights(model), before)
    assert refused > MUTANTS / 2


def test_a_sound_patch_written_by_hand_is_taken(
    model: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    record = copy.deepcopy(patch.metadata)
    del record["method"], record["dtype"]  # as the first version wrote them
    record["of a later version"] = {"note": 1}
    use(written(tmp_path / "p", patch.tensors, record), model)
