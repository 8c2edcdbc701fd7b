"""A config.json that makes no sense: one line that names the value, and nothing is taken for it."""

import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import byte_tokenizer
from tests.model.loading.conftest import MISSING, Copies
from workbench.errors import ModelError
from workbench.model.load import load_model, load_tokenizer
from workbench.model.loading.config import load_config
from workbench.model.loading.network import empty_network
from workbench.model.loading.source import find_source

BILLION = 10**9

WRONG: list[tuple[str, Any, str]] = [
    ("vocab_size", BILLION, "embed_tokens.weight is 260 x 32 there and 1000000000 x 32"),
    ("vocab_size", 10**12, "vocab_size 1000000000000; no model has more"),
    ("vocab_size", 300, "embed_tokens.weight is 260 x 32 there and 300 x 32 by the config"),
    ("vocab_size", 0, "vocab_size 0; it must be at least 1"),
    ("vocab_size", "260", 'vocab_size "260"; it must be a whole number'),
    ("vocab_size", None, "vocab_size null; it must be a whole number"),
    ("hidden_size", BILLION, "embed_tokens.weight is 260 x 32 there and 260 x 1000000000"),
    ("hidden_size", 64, "is 260 x 32 there and 260 x 64 by the config"),
    ("hidden_size", 30, "makes no sense: The hidden size (30) is not a multiple"),
    ("hidden_size", -32, "hidden_size -32; it must be at least 1"),
    ("hidden_size", 32.0, "hidden_size 32.0; it must be a whole number"),
    ("hidden_size", True, "hidden_size true; it must be a whole number"),
    ("hidden_size", "thirty-two", 'hidden_size "thirty-two"; it must be a whole number'),
    ("num_hidden_layers", BILLION, "num_hidden_layers 1000000000; no model has more than 4096"),
    ("num_hidden_layers", 4000, "names 4000 layers, but its weight files hold 39 tensors"),
    ("num_hidden_layers", 9, "lacks 45 of its weights, such as model.layers.4."),
    ("num_hidden_layers", 0, "num_hidden_layers 0; it must be at least 1"),
    ("num_hidden_layers", None, "num_hidden_layers null; it must be a whole number"),
    ("num_attention_heads", 0, "num_attention_heads 0; it must be at least 1"),
    ("num_attention_heads", BILLION, "makes no sense: The hidden size (32)"),
    ("num_key_value_heads", BILLION, "k_proj.weight is 16 x 32 there and 8000000000 x 32"),
    ("num_key_value_heads", 3, "k_proj.weight is 16 x 32 there and 24 x 32"),
    ("head_dim", "eight", 'head_dim "eight"; it must be a whole number'),
    ("intermediate_size", BILLION, "gate_proj.weight is 64 x 32 there and 1000000000 x 32"),
    ("max_position_embeddings", "long", 'max_position_embeddings "long"; it must be a whole'),
    ("rms_norm_eps", "small", 'rms_norm_eps "small"; it must be a number'),
    ("rope_parameters", {"rope_type": "spiral", "rope_theta": 1e4}, 'rope_type "spiral", which'),
    ("rope_scaling", {"type": "spiral", "factor": 2.0}, 'type "spiral", which transformers does'),
    ("rope_parameters", "spiral", 'rope_parameters "spiral"; it must be a table or null'),
    ("hidden_act", "wiggle", 'hidden_act "wiggle", which transformers does not know. Update'),
    ("dtype", "float7", "dtype \"float7\"; it must be a dtype of torch, such as 'bfloat16'"),
    ("dtype", "int8", 'dtype "int8"; it must be a dtype'),
    ("dtype", "nn", 'dtype "nn"; it must be a dtype'),
    ("torch_dtype", 16, "torch_dtype 16; it must be a dtype"),
    ("eos_token_id", 260, "eos_token_id 260, but its vocabulary ends at 259"),
    ("eos_token_id", [257, 9999], "eos_token_id 9999, but its vocabulary ends at 259"),
    ("eos_token_id", "</s>", 'eos_token_id "</s>"; it must be a whole number or a list or null'),
    ("pad_token_id", 5000, "pad_token_id 5000, but its vocabulary ends at 259"),
    ("model_type", "of_tomorrow", 'model_type "of_tomorrow", which transformers does not know'),
    ("model_type", None, "model_type null; it must be a name"),
    ("model_type", 7, "model_type 7; it must be a name"),
    ("model_type", MISSING, "Should have a `model_type` key in its config.json"),
    ("model_type", "t5", "not a causal language model"),
    ("architectures", "LlamaForCausalLM", 'architectures "LlamaForCausalLM"; it must be a list'),
    ("architectures", [1], "architectures [1]; it must be a list of names"),
    ("architectures", ["LlamaForSequenceClassification"], "not a causal language model (Llama"),
]
IDS = [f"{n} {'left out' if v is MISSING else v}"[:60] for n, v, _ in WRONG]


@pytest.mark.parametrize(("name", "value", "says"), WRONG, ids=IDS)
def test_a_value_that_makes_no_sense_is_named_and_takes_no_memory(
    name: str, value: Any, says: str, copies: Copies
) -> None:
    folder = copies(**{name: value})
    taken, began = psutil.Process().memory_info().rss, time.monotonic()
    with pytest.raises(ModelError) as refused:
        load_model(str(folder), device="cpu")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert time.monotonic() - began < 5
    assert psutil.Process().memory_info().rss - taken < 200_000_000


@pytest.mark.parametrize("name", ["architectures", "rope_parameters", "head_dim", "bos_token_id"])
def test_null_is_no_mistake_where_it_means_the_usual(name: str, copies: Copies) -> None:
    changes: dict[str, Any] = {name: None}
    assert load_model(str(copies(**changes)), device="cpu").layer_count == 4


DEEP = "[" * 400 + "]" * 400
TEXTS = {
    "nothing": (b"", "cannot be read as JSON"),
    "half of one": (b'{"model_type": "llama", ', "cannot be read as JSON"),
    "no text": (b"\xff\xfe\x00", "cannot be read as JSON"),
    "a list": (b"[1, 2]", "is no table of names and values"),
    "a number": (b"1", "is no table of names and values"),
    "deep": (b'{"x": ' + DEEP.encode() + b"}", "nested more than 32 deep"),
    "too deep to be read": (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
}


@pytest.mark.parametrize("what", TEXTS)
def test_a_config_that_is_none_is_said_to_be_none(what: str, copies: Copies) -> None:
    text, says = TEXTS[what]
    folder = copies()
    (folder / "config.json").write_bytes(text)
    for load in (load_model, load_tokenizer):
        with pytest.raises(ModelError, match=says) as refused:
            load(str(folder))
        assert "\n" not in str(refused.value)


ENCODERS: list[tuple[str, str, dict[str, Any]]] = [
    ("Bert", "BertLMHeadModel", {}),
    ("Camembert", "CamembertForCausalLM", {}),
    ("BigBird", "BigBirdForCausalLM", {"attention_type": "original_full"}),
    ("Roberta", "RobertaForCausalLM", {}),
]


def encoder(kind: str, head: str, **more: Any) -> Any:
    """A random encoder, with the head of a decoder."""
    config = getattr(transformers, f"{kind}Config")(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        vocab_size=260,
        max_position_embeddings=128,
        pad_token_id=1,
        eos_token_id=2,
        **more,
    )
    return getattr(transformers, head)(config)


@pytest.mark.parametrize(("kind", "head", "more"), ENCODERS, ids=[kind for kind, _, _ in ENCODERS])
def test_an_encoder_is_refused_and_the_same_as_a_decoder_is_not(
    kind: str, head: str, more: dict[str, Any], tmp_path: Path
) -> None:
    for is_decoder in (False, True):
        folder = tmp_path / str(is_decoder)
        encoder(kind, head, is_decoder=is_decoder, **more).save_pretrained(folder)
        byte_tokenizer().save_pretrained(folder)
    with pytest.raises(ModelError, match=r"not a causal language model .*an encoder"):
        load_model(str(tmp_path / "False"), device="cpu")
    assert load_model(str(tmp_path / "True"), device="cpu").layer_count == 2


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([BILLION, 2**40, 10**30, 1.5, float("inf"), "", "many", "8", "llama"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=2),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def plain(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Copies(original, tmp_path_factory.mktemp("plain"))()


@pytest.fixture(scope="module")
def fields(plain: Path) -> list[str]:
    return sorted({**transformers.LlamaConfig().to_dict(), "layer_types": None})


@given(data=st.data())
def test_whatever_stands_in_a_config_is_read_or_refused_in_one_line(
    data: st.DataObject, plain: Path, fields: list[str]
) -> None:
    changes = data.draw(st.dictionaries(st.sampled_from(fields), values, min_size=1, max_size=2))
    kept = (plain / "config.json").read_bytes()
    try:
        Copies.change(plain / "config.json", **changes)
        source = find_source(str(plain), False)
        empty_network(source, load_config(source))
    except ModelError as refused:
        assert len(str(refused).splitlines()) == 1
    finally:
        (plain / "config.json").write_bytes(kept)
