"""What a quantization will cost: the types that llama.cpp would choose, and the facts after it."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, dequantize
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import run_command
from tests.conftest import byte_tokenizer
from tests.endpoint import endpoint
from tests.gguf_files import write_gguf
from tests.ship.conftest import FACTS
from workbench.api import verify
from workbench.errors import ModelError, SettingsError
from workbench.model.gguf_header import read_gguf_header
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.ship import ggml
from workbench.ship.ggml import BY_LLAMA, quantized
from workbench.ship.gguf_file import read_raw
from workbench.ship.quantization import Mixture
from workbench.ship.quantized import quantizing_file, quantizing_model
from workbench.ship.verify_settings import QUANTIZATIONS, Quantization, VerifySettings
from workbench.work.events import follow

F32 = GGMLQuantizationType.F32
MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


def kinds(name: Quantization, heads_per_key: int, width: int = 4096) -> dict[str, int]:
    """How many matrices of a Llama of 32 layers get each type."""
    mixture = Mixture(name, "llama", 32, True, 0, heads_per_key)
    names = [f"blk.{layer}.{part}.weight" for layer in range(32) for part in MATRICES]
    names += ["token_embd.weight", "output.weight"]
    assert mixture.kind("blk.0.attn_norm.weight", (4096,), F32) is F32
    found = Counter(mixture.kind(name, (4096, width), F32).name for name in names)
    return dict(found)


def test_the_types_are_those_of_published_files() -> None:
    """As llama.cpp counts them when it loads Llama 2 7B, and Llama 3 8B with 4 heads a key."""
    assert kinds("q4_k_m", 1) == {"Q4_K": 193, "Q6_K": 33}
    assert kinds("q5_k_m", 1) == {"Q5_K": 193, "Q6_K": 33}
    assert kinds("q4_k_s", 1) == {"Q4_K": 217, "Q5_K": 8, "Q6_K": 1}
    assert kinds("q3_k_m", 1) == {"Q3_K": 129, "Q4_K": 92, "Q5_K": 4, "Q6_K": 1}
    assert kinds("q2_k", 4) == {"Q2_K": 129, "Q3_K": 64, "Q4_K": 32, "Q6_K": 1}
    assert kinds("q4_0", 1) == {"Q4_0": 225, "Q6_K": 1} and kinds("q8_0", 1) == {"Q8_0": 226}
    # Rows that hold no whole blocks of 256 get a type of smaller blocks, or none.
    assert kinds("q4_k_m", 1, width=576) == {"Q5_0": 193, "Q8_0": 33}
    assert kinds("q4_0", 1, width=100) == {"F16": 226}


@given(st.sampled_from(sorted(BY_LLAMA)), st.integers(1, 3), st.integers(1, 2), st.integers(0, 99))
def test_what_llama_cpp_makes_is_read_as_nearly_the_same(
    kind: GGMLQuantizationType, rows: int, blocks: int, seed: int
) -> None:
    values = np.random.default_rng(seed).normal(size=(rows, 256 * blocks)).astype(np.float32)
    again = dequantize(quantized(values, kind), kind).reshape(values.shape)
    far = float(np.sqrt(np.square(again - values).mean()))
    assert far < {"Q2_K": 0.4, "Q3_K": 0.2}.get(kind.name, 0.1)


def test_many_rows_are_made_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(7, 512)).astype(np.float32)
    kind = GGMLQuantizationType.Q4_K
    alone = np.concatenate([quantized(row[None], kind) for row in values])
    monkeypatch.setattr(ggml, "ROWS_AT_ONCE", 2)
    assert (quantized(values, kind) == alone).all()


@pytest.mark.parametrize("name", ["q4_k_m", "q5_1", "f16"])
def test_in_memory_and_in_a_file_the_same_is_left(
    name: Quantization, checkpoint: Path, tmp_path: Path
) -> None:
    model = load_model(str(checkpoint), device="cpu")
    header = read_gguf_header(
        write_gguf(tmp_path / "plain.gguf", model.network, byte_tokenizer(), "F32")
    )
    out = tmp_path / "quantized.gguf"
    assert follow(quantizing_file(header, name, out)) == out.stat().st_size
    new = read_gguf_header(out)
    changed = {n for n, tensor in new.tensors.items() if tensor.kind is not F32}
    assert changed and not any(n.endswith("norm.weight") for n in changed)
    for same in new.tensors.keys() - changed:
        assert bytes(read_raw(new, same)) == bytes(read_raw(header, same))
    follow(quantizing_model(model, name))
    ids = torch.tensor([[84, 104, 105, 115, 32, 97]])
    file = load_model(str(out), device="cpu")
    torch.testing.assert_close(file.network(ids).logits, model.network(ids).logits)


def test_facts_are_asked_before_and_after(
    base: LanguageModel, matrix_patch: Patch, tmp_path: Path
) -> None:
    matrix_patch.save(tmp_path / "patch")
    fine = verify(
        tmp_path / "patch", FACTS, forms=("raw",), device="cpu", after_quantization="q8_0"
    )
    held = fine.forms[0].strict
    assert held >= 5 and fine.after[0].strict >= held - 1 and fine.quantization == "q8_0"
    coarse = verify(
        tmp_path / "patch", FACTS, forms=("raw",), device="cpu", after_quantization="q2_k"
    )
    assert coarse.forms == fine.forms and coarse.bytes < fine.bytes
    assert len(coarse.lost) >= held - coarse.after[0].strict
    told = coarse.as_dict()["after_quantization"]
    assert told["held"]["raw"]["strict"] == coarse.after[0].strict and told["name"] == "q2_k"


def test_what_cannot_be_made_is_refused_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="choose one of bf16, f16"):
        VerifySettings(after_quantization="iq4_xs")  # type: ignore[arg-type]
    reply = {"choices": [{"text": "x", "finish_reason": "stop"}]}
    with endpoint(reply) as server, pytest.raises(ModelError, match="are elsewhere"):
        verify(server.url, FACTS[:1], model_name="x", forms=("raw",), after_quantization="q8_0")
    assert server.asked == []
    facts = tmp_path / "facts.csv"
    facts.write_text("prompt,target_new\nThe capital of Mali is,Rome\n")
    asked = ("verify", "builtin", "--facts", facts, "--forms", "raw", "--after-quantization")
    told = run_command(*asked, "q4_0", "--device", "cpu")
    assert told.code == 0 and "strict in q4_0" in told.out and "As q4_0 it would take" in told.out
    monkeypatch.setattr(ggml, "is_llama_there", lambda: False)
    ggml._quantizer.cache_clear()
    told = run_command(*asked, "q4_k_m", "--device", "cpu")
    ggml._quantizer.cache_clear()
    assert told.code == 2 and "made by llama.cpp" in told.err and len(QUANTIZATIONS) > 10
