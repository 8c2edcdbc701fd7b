"""GGUF files: loaded as ordinary models, dequantized, and refused in words where they cannot be."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, quants
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.conftest import byte_tokenizer, facts_to_learn, tiny_network
from tests.gguf_files import CHAT, write_gguf
from workbench.errors import ModelError
from workbench.methods.edit import edit
from workbench.model.generate import generate
from workbench.model.gguf_header import read_gguf_header
from workbench.model.load import load_model, load_tokenizer
from workbench.model.patch import Patch
from workbench.model.states import run

IDS = torch.tensor([[84, 104, 105, 115, 32, 257]])


def write(path: Path, kind: str = "F32", **more: Any) -> Path:
    return write_gguf(path, tiny_network("Llama"), byte_tokenizer(), kind, **more)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def test_a_file_gives_the_numbers_of_the_model_it_was_made_from(file: Path) -> None:
    model = load_model(str(file), device="cpu")
    expected = tiny_network("Llama")(IDS).logits
    assert torch.equal(run(model, IDS), expected)
    assert model.states_kept
    assert model.origin == "GGUF F32, dequantized"
    assert model.name == str(file)


def test_a_folder_with_one_file_is_that_file(file: Path) -> None:
    model = load_model(str(file.parent), device="cpu")
    assert model.summary().origin == "GGUF F32, dequantized"
    assert model.name == str(file.parent)


def test_its_tokenizer_and_chat_template_come_from_the_file(file: Path) -> None:
    tokenizer, longest = load_tokenizer(str(file))
    plain = byte_tokenizer()
    assert longest == 128
    assert tokenizer("Zürich is")["input_ids"] == plain("Zürich is")["input_ids"]
    assert tokenizer.eos_token_id == plain.eos_token_id
    assert tokenizer.pad_token_id == plain.pad_token_id
    assert tokenizer.chat_template == CHAT


def test_a_tokenizer_beside_the_file_comes_first(tmp_path: Path) -> None:
    file = write(tmp_path / "tiny.gguf")
    beside = byte_tokenizer()
    beside.chat_template = "{{ messages[0]['content'] }}!"
    beside.save_pretrained(tmp_path)
    tokenizer, _ = load_tokenizer(str(file))
    assert tokenizer.chat_template == "{{ messages[0]['content'] }}!"
    assert tokenizer.eos_token_id == beside.eos_token_id


@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q4_1"])
def test_weights_are_what_the_blocks_say(tmp_path: Path, kind: str) -> None:
    model = load_model(str(write(tmp_path / "tiny.gguf", kind)), device="cpu")
    assert model.origin == f"GGUF {kind}, dequantized"
    weight = model.network.get_parameter("model.layers.2.mlp.up_proj.weight")
    stored = tiny_network("Llama").get_parameter("model.layers.2.mlp.up_proj.weight")
    form = GGMLQuantizationType[kind]
    packed = quants.quantize(stored.detach().numpy(), form)
    assert torch.equal(weight, torch.from_numpy(quants.dequantize(packed, form)))
    assert weight.dtype == torch.float32


def test_an_edit_is_recorded_and_exported_as_a_plain_model(tmp_path: Path) -> None:
    model = load_model(str(write(tmp_path / "tiny.gguf", "Q8_0")), device="cpu")
    patch = edit(model, facts_to_learn()[:2], at="3.mlp.down_proj", epochs=3).patch
    patch.save(tmp_path / "patch")
    kept = Patch.load(tmp_path / "patch")
    assert kept.metadata["base"]["origin"] == "GGUF Q8_0, dequantized"
    kept.export(model, tmp_path / "out")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert "quantization_config" not in config
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    with kept.applied(model):
        assert torch.equal(plain(IDS).logits, run(model, IDS))
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template == CHAT


def test_it_answers_through_its_chat_template(file: Path) -> None:
    model = load_model(str(file), device="cpu")
    chat = generate(model, ["Hello"], chat=True, max_new_tokens=4)
    assert chat[0].tokens == generate(model, ["<Hello>"], max_new_tokens=4)[0].tokens


def test_safetensors_in_the_same_folder_come_first(tmp_path: Path) -> None:
    write(tmp_path / "tiny.gguf", "Q4_1")
    tiny_network("Llama").save_pretrained(tmp_path)
    byte_tokenizer().save_pretrained(tmp_path)
    assert load_model(str(tmp_path), device="cpu").origin == ""


def test_a_file_that_is_not_there_is_not_looked_for_on_the_hub() -> None:
    with pytest.raises(ModelError, match=r"no model folder 'gone\.gguf'"):
        load_model("gone.gguf")


def test_several_files_in_a_folder_are_named(tmp_path: Path) -> None:
    write(tmp_path / "a.gguf")
    (tmp_path / "b.gguf").write_bytes(b"GGUF")
    (tmp_path / "mmproj-a.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelError, match=r"holds 2 GGUF files: a\.gguf, b\.gguf\. Choose one"):
        load_model(str(tmp_path))
    assert load_model(str(tmp_path / "a.gguf"), device="cpu").layer_count == 4


def test_a_file_that_is_cut_short_or_damaged_is_refused(tmp_path: Path, file: Path) -> None:
    whole = file.read_bytes()
    short = tmp_path / "short.gguf"
    short.write_bytes(whole[:-400])
    with pytest.raises(ModelError, match=r"is cut short: it has [\d,]+ bytes of [\d,]+\."):
        load_model(str(short))
    for content in (b"", b"not one", whole[:3000], b"GGUF\x01" + whole[5:]):
        short.write_bytes(content)
        with pytest.raises(ModelError, match="is not a GGUF file that can be read"):
            load_model(str(short))


def test_a_part_of_a_model_says_how_to_join_the_parts(tmp_path: Path) -> None:
    part = write(tmp_path / "tiny-00001-of-00003.gguf", values={"split.count": 3})
    with pytest.raises(ModelError, match=r"one of 3 parts.*llama-gguf-split --merge"):
        load_model(str(part))


def test_positions_stretched_as_in_llama_3_are_taken_over(tmp_path: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    scaling = {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
        "rope_theta": 500_000.0,
    }
    plain = tiny_network("Llama")
    settings = plain.config.to_dict() | {"head_dim": 8, "rope_parameters": scaling}
    torch.manual_seed(0)
    stretched = LlamaForCausalLM(LlamaConfig(**settings)).eval()
    own = 500_000.0 ** -(torch.arange(0, 8, 2) / 8)
    factors = (own / stretched.model.rotary_emb.inv_freq).numpy().astype(np.float32)
    assert factors.max() > 7.9
    file = tmp_path / "tiny.gguf"
    write_gguf(file, stretched, byte_tokenizer(), tensors={"rope_freqs.weight": factors})
    model = load_model(str(file), device="cpu")
    assert torch.allclose(run(model, IDS), stretched(IDS).logits, atol=1e-6)
    assert model.network.config.rope_parameters["rope_type"] == "llama3"


def test_positions_stretched_otherwise_are_refused(tmp_path: Path) -> None:
    odd = {"rope_freqs.weight": np.array([1, 2, 3, 5], np.float32)}
    for more in (
        {"tensors": odd},
        {"tensors": {"rope_factors_long.weight": np.ones(4, np.float32)}},
        {"values": {"llama.rope.scaling.type": "yarn"}},
    ):
        file = write(tmp_path / "odd.gguf", **more)
        with pytest.raises(ModelError, match="stretches positions in a way"):
            load_model(str(file))


def test_weights_that_nobody_reads_are_not_dropped_in_silence(tmp_path: Path) -> None:
    more = {"blk.0.attn_sinks.weight": np.ones(12, np.float32)}
    file = write(tmp_path / "tiny.gguf", tensors=more)
    with pytest.raises(ModelError, match="of which 12 are not read"):
        load_model(str(file), device="cpu")


def test_a_family_that_is_not_known_is_refused(tmp_path: Path, file: Path) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(file.read_bytes().replace(b"llama", b"blama"))
    with pytest.raises(ModelError, match="blama is not supported"):
        load_model(str(other))


@given(st.data())
def test_a_damaged_header_never_ends_in_a_traceback(
    file: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    damaged = bytearray(file.read_bytes()[: 12_000 if data.draw(st.booleans()) else None])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 9_000))
        damaged[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    path.write_bytes(bytes(damaged))
    try:
        assert read_gguf_header(path).parameters >= 0
    except ModelError as error:
        assert "damaged.gguf" in str(error)
