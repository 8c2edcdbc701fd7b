"""An edit in place in a GGUF file: what it names changes, everything else stays byte for byte."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFWriter, quants
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import byte_tokenizer
from tests.gguf_files import write_gguf
from tests.ship.conftest import FACTS
from workbench.api import export
from workbench.errors import ModelError, PatchError, SettingsError
from workbench.methods.edit import edit
from workbench.model.gguf_header import GgufHeader, read_gguf_header
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.ship import gguf_trial
from workbench.ship.export_settings import ExportSettings
from workbench.ship.gguf_export import exporting_gguf
from workbench.ship.gguf_file import Replaced, read_raw, size_with, writing_replaced
from workbench.ship.gguf_places import Place
from workbench.ship.gguf_tensors import EditedTensors
from workbench.ship.gguf_types import LADDER, bits, candidates, rounded, stored
from workbench.ship.holding import Holding
from workbench.ship.result import ExportResult
from workbench.work.events import follow

IDS = torch.tensor([[84, 104, 105, 115, 32, 97]])


@pytest.fixture(autouse=True)
def no_llama(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files here have no words that llama.cpp could read; it is asked in `tests/real`."""
    monkeypatch.setattr(gguf_trial, "is_llama_there", lambda: False)


def original(base: LanguageModel, path: Path, kind: str = "F32", **more: Any) -> Path:
    return write_gguf(path, base.network, byte_tokenizer(), kind, **more)


def tensors(header: GgufHeader) -> dict[str, bytes]:
    return {name: bytes(read_raw(header, name)) for name in header.tensors}


def beginning(header: GgufHeader) -> bytes:
    """What the file says before its table of tensors."""
    return header.path.read_bytes()[: header.table_at]


@pytest.mark.parametrize("of", ["safetensors", "GGUF"])
def test_the_edited_layer_changes_and_all_else_stays_byte_for_byte(
    of: str, base: LanguageModel, layer_patch: Patch, tmp_path: Path
) -> None:
    file = original(base, tmp_path / "old.gguf")
    model = base if of == "safetensors" else load_model(str(file), device="cpu")
    new = export(model, layer_patch, tmp_path / "new.gguf", FACTS, gguf=str(file))
    before, after = read_gguf_header(file), read_gguf_header(new)
    assert beginning(after) == beginning(before)
    old, found = tensors(before), tensors(after)
    assert list(found) == list(old)
    changed = {name for name in old if found[name] != old[name]}
    assert changed == {name for name in old if name.startswith("blk.2.")} and len(changed) == 9
    # Loaded again, rows of attention stand where the model has them.
    again = load_model(str(new), device="cpu")
    with layer_patch.applied(base):
        assert torch.equal(again.network(IDS).logits, base.network(IDS).logits)
    assert not torch.equal(again.network(IDS).logits, base.network(IDS).logits)


def test_a_base_that_was_loaded_from_a_file_names_it_itself(
    base: LanguageModel, tmp_path: Path
) -> None:
    file = original(base, tmp_path / "old.gguf", "Q8_0")
    model = load_model(str(file), device="cpu")
    patch = edit(model, FACTS[:2], at="2.mlp.down_proj", epochs=2).patch
    done = follow(
        exporting_gguf(model, patch, tmp_path / "new.gguf", FACTS[:2], ExportSettings(form="gguf"))
    )
    assert done.told["original"] == str(file) and done.told["type"] == "q8_0"
    assert done.runtime == "" and "pip install" in done.notes[0]
    with pytest.raises(SettingsError, match="--gguf"):
        export(base, patch, tmp_path / "other.gguf", form="gguf")


@given(
    order=st.permutations(["a", "b.weight", "c"]),
    chosen=st.dictionaries(
        st.sampled_from(["a", "b.weight", "c"]), st.sampled_from(["F32", "F16", "Q8_0", "Q4_0"])
    ),
    alignment=st.sampled_from([32, 64]),
)
def test_a_file_is_copied_but_for_what_is_replaced(
    tmp_path_factory: pytest.TempPathFactory,
    order: list[str],
    chosen: dict[str, str],
    alignment: int,
) -> None:
    folder = tmp_path_factory.mktemp("copy")
    writer = GGUFWriter(folder / "old.gguf", "llama")
    writer.add_custom_alignment(alignment)
    writer.add_array("some.words", ["ä", "", "long " * 20])
    values = {
        name: np.arange(64 * rows, dtype=np.float32).reshape(rows, 64) / 7 - rows
        for rows, name in enumerate(order, start=1)
    }
    for name in order:
        writer.add_tensor(name, values[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    header = read_gguf_header(folder / "old.gguf")
    replaced = {
        name: Replaced(
            GGMLQuantizationType[kind], stored(-values[name], GGMLQuantizationType[kind])
        )
        for name, kind in chosen.items()
    }
    follow(writing_replaced(header, replaced, folder / "new.gguf"))
    again = read_gguf_header(folder / "new.gguf")
    assert (folder / "new.gguf").stat().st_size == size_with(header, replaced)
    assert beginning(again) == beginning(header)
    expected = tensors(header) | {name: one.data for name, one in replaced.items()}
    assert tensors(again) == expected
    assert all(tensor.start % alignment == 0 for tensor in again.tensors.values())
    if not replaced:
        assert (folder / "new.gguf").read_bytes() == (folder / "old.gguf").read_bytes()


def asked(
    model: LanguageModel, patch: Patch, file: Path, out: Path, **settings: Any
) -> ExportResult:
    chosen = ExportSettings(gguf=str(file), **settings)
    return follow(exporting_gguf(model, patch, out, FACTS, chosen))


def test_the_type_is_the_first_in_which_the_facts_survive(
    base: LanguageModel, matrix_patch: Patch, tmp_path: Path
) -> None:
    file = original(base, tmp_path / "old.gguf", "Q4_0")
    exam = Holding(base, FACTS, "raw", 2)
    with matrix_patch.applied(base):
        held = sum(exam.now())
    assert held >= 5
    (name, new), kept = next(iter(matrix_patch.tensors.items())), {}
    for kind in LADDER:
        values = torch.from_numpy(rounded(new.numpy(), kind))
        with base.with_weights({name: values}):
            kept[kind.name.lower()] = sum(exam.now())
    for retain in (0.3, 1.0):
        enough = [
            kind
            for kind, count in kept.items()
            if count >= ExportSettings(retain=retain).needed(held)
        ]
        done = asked(base, matrix_patch, file, tmp_path / f"{retain}.gguf", retain=retain)
        assert done.told["type"] == enough[0]
    named = asked(base, matrix_patch, file, tmp_path / "named.gguf", tensor_type="q5_1")
    header = read_gguf_header(named.path)
    assert header.tensors["blk.2.ffn_down.weight"].kind.name == "Q5_1"
    expected = quants.quantize(new.numpy(), GGMLQuantizationType.Q5_1).tobytes()
    assert bytes(read_raw(header, "blk.2.ffn_down.weight")) == expected


def test_types_that_cannot_be_written_give_way_to_better_ones() -> None:
    kinds = [kind.name for kind in candidates(GGMLQuantizationType.Q4_K, None, (8, 256))]
    assert kinds == ["Q4_1", "Q5_0", "Q5_1", "Q8_0", "F16", "F32"]
    assert [k.name for k in candidates(GGMLQuantizationType.Q8_0, None, (8, 40))] == ["F16", "F32"]
    assert [k.name for k in candidates(GGMLQuantizationType.F32, "q4_0", (8,))] == ["F32"]
    assert sorted(LADDER, key=bits) == list(LADDER)
    with pytest.raises(PatchError, match="blocks of 32"):
        candidates(GGMLQuantizationType.F16, "q4_0", (8, 40))


def test_a_file_of_another_model_is_refused_in_words(
    base: LanguageModel, matrix_patch: Patch, tmp_path: Path
) -> None:
    other = original(base, tmp_path / "layers.gguf", values={"llama.block_count": 7})
    with pytest.raises(PatchError, match="block_count is 7, not 4"):
        asked(base, matrix_patch, other, tmp_path / "new.gguf")
    strange = original(base, tmp_path / "strange.gguf")
    strange.write_bytes(strange.read_bytes().replace(b"llama", b"lemma"))
    with pytest.raises(PatchError, match="architecture 'lemma'"):
        asked(base, matrix_patch, strange, tmp_path / "new.gguf")
    name = "model.layers.2.mlp.down_proj.weight"
    with base.with_weights({name: base.tensor(name).roll(1, 0)}):
        tuned = original(base, tmp_path / "tuned.gguf", "Q4_1")
    with pytest.raises(PatchError, match=r"another model.*ffn_down"):
        asked(base, matrix_patch, tuned, tmp_path / "new.gguf")
    with pytest.raises(SettingsError, match="no such GGUF file"):
        asked(base, matrix_patch, tmp_path / "gone.gguf", tmp_path / "new.gguf")
    assert not (tmp_path / "new.gguf").exists()


@pytest.mark.parametrize("problem", ["no room", "full", "there"])
def test_what_cannot_be_written_leaves_nothing(
    problem: str,
    base: LanguageModel,
    matrix_patch: Patch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file, out = original(base, tmp_path / "old.gguf"), tmp_path / "out" / "new.gguf"
    if problem == "no room":
        usage = shutil.disk_usage(tmp_path)._replace(free=1000)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    elif problem == "full":

        def fails(*_: Any) -> Any:
            yield 1
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(gguf_trial, "writing_replaced", fails)
    else:
        out.parent.mkdir()
        out.write_text("mine")
    words = {"no room": "1.0 kB are free", "full": "No space left", "there": "exists already"}
    with pytest.raises(PatchError, match=words[problem]):
        asked(base, matrix_patch, file, out)
    assert [path.name for path in out.parent.iterdir()] == (
        ["new.gguf"] if problem == "there" else []
    )


def test_without_facts_the_type_is_one_that_loses_none(
    base: LanguageModel, matrix_patch: Patch, tmp_path: Path
) -> None:
    file = original(base, tmp_path / "old.gguf", "Q4_1")
    settings = ExportSettings(gguf=str(file))
    remarks: list[str] = []
    done = follow(
        exporting_gguf(base, matrix_patch, tmp_path / "new.gguf", [], settings),
        lambda event: remarks.append(told.remark) if (told := event.told()) else None,
    )
    assert done.told["type"] == "q8_0" and done.facts is None
    assert any("--facts" in remark for remark in remarks)


def test_a_file_that_llama_cpp_cannot_load_is_taken_away(
    base: LanguageModel, matrix_patch: Patch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xllamacpp")
    monkeypatch.setattr(gguf_trial, "is_llama_there", lambda: True)
    file = original(base, tmp_path / "old.gguf")
    with pytest.raises(ModelError, match=r"llama\.cpp cannot load"):
        asked(base, matrix_patch, file, tmp_path / "new.gguf")
    assert [path.name for path in tmp_path.iterdir()] == ["old.gguf"]


def test_one_of_stacked_experts_changes_and_the_others_keep_their_bytes(
    base: LanguageModel, tmp_path: Path
) -> None:
    values = np.random.default_rng(0).standard_normal((4, 8, 64)).astype(np.float32)
    file = original(base, tmp_path / "old.gguf", tensors={"blk.1.ffn_down_exps.weight": values})
    header = read_gguf_header(file)
    place = Place(
        "blk.1.ffn_down_exps.weight",
        GGMLQuantizationType.F32,
        (4, 8, 64),
        lambda v: v,
        lambda v: v,
        expert=2,
    )
    new = torch.ones(8, 64)
    for wanted, exact in ((None, True), ("q8_0", False)):
        made = EditedTensors(header, {"one[2]": place}, Patch({"one[2]": new}, {}), wanted)
        (found,) = made.replaced(0).values()
        after = np.asarray(quants.dequantize(np.frombuffer(found.data, np.uint8), found.kind))
        after = (
            after.reshape(4, 8, 64)
            if wanted
            else np.frombuffer(found.data, np.float32).reshape(4, 8, 64)
        )
        expected = values.copy()
        expected[2] = 1.0
        assert np.array_equal(after, expected) == exact
        assert np.allclose(after, expected, atol=0.03)
