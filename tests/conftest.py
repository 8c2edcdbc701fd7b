"""What all tests share: one thread each, markers, and tiny random models of many architectures.

The models and their tokenizer are made here: no file is read.
"""

import os

# Two workers on two cores: more threads would only wait for each other. This must stand before
# torch is imported, and processes that tests start inherit it.
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from hypothesis import HealthCheck, settings
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from workbench.facts.fact import Fact, Question
from workbench.model.language_model import LanguageModel
from workbench.model.load import prepare

torch.set_num_threads(1)
# What is fast alone takes long on a machine that has much else to do.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("patient", PATIENT)
settings.register_profile("quick", PATIENT, max_examples=10)  # of `make quick`
settings.load_profile("patient")

VOCABULARY = 260

SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 128,
    "bos_token_id": 256,
    "eos_token_id": 257,
    "pad_token_id": 258,
}
OLD: dict[str, Any] = {
    "n_embd": 32,
    "n_layer": 4,
    "n_head": 4,
    "n_positions": 128,
    "vocab_size": VOCABULARY,
    "bos_token_id": 256,
    "eos_token_id": 257,
    "pad_token_id": 258,
}

ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "Llama": ("Llama", SMALL),
    "Qwen2 with sliding window": (
        "Qwen2",
        SMALL | {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 2},
    ),
    "Qwen3": ("Qwen3", SMALL | {"head_dim": 8}),
    "Mistral": ("Mistral", SMALL | {"sliding_window": 4}),
    "Gemma 2": ("Gemma2", SMALL | {"head_dim": 8, "sliding_window": 4}),
    "Gemma 3": ("Gemma3", SMALL | {"head_dim": 8, "sliding_window": 4}),
    "Phi-3": ("Phi3", SMALL),
    "GPT-2": ("GPT2", OLD),
    "GPT-NeoX": ("GPTNeoX", SMALL),
    "OPT": ("OPT", SMALL | {"ffn_dim": 64, "word_embed_proj_dim": 32}),
    "Mixtral": ("Mixtral", SMALL | {"num_local_experts": 4}),
    "Qwen3-MoE": (
        "Qwen3Moe",
        SMALL
        | {"head_dim": 8, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32},
    ),
    "DBRX": (
        "Dbrx",
        {
            "d_model": 32,
            "n_heads": 4,
            "n_layers": 4,
            "max_seq_len": 128,
            "vocab_size": VOCABULARY,
            "attn_config": {"rope_theta": 1e4, "kv_n_heads": 2, "clip_qkv": 8},
            "ffn_config": {"ffn_hidden_size": 64, "moe_num_experts": 4, "moe_top_k": 2},
        },
    ),
    "DeepSeek-V3": (
        "DeepseekV3",
        SMALL
        | {
            "num_key_value_heads": 4,
            "q_lora_rank": 16,
            "kv_lora_rank": 16,
            "qk_nope_head_dim": 8,
            "qk_rope_head_dim": 8,
            "v_head_dim": 8,
            "n_routed_experts": 4,
            "num_experts_per_tok": 2,
            "n_group": 1,
            "topk_group": 1,
            "moe_intermediate_size": 16,
            "first_k_dense_replace": 1,
        },
    ),
    "GPT-J": ("GPTJ", OLD | {"rotary_dim": 8}),
    "Falcon": ("Falcon", SMALL),
    "Granite": ("Granite", SMALL),
}


def tiny_network(name: str, dtype: torch.dtype = torch.float32) -> Any:
    """A random model of that architecture, the same each time."""
    family, options = ARCHITECTURES[name]
    config_name = "Gemma3TextConfig" if family == "Gemma3" else f"{family}Config"
    config = getattr(transformers, config_name)(**options)
    head = "LMHeadModel" if family == "GPT2" else "ForCausalLM"
    torch.manual_seed(0)
    network = getattr(transformers, f"{family}{head}")(config)
    return network.to(dtype).eval()


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, with BOS, EOS and padding apart from each other."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, "<bos>", "<eos>", "<pad>", "<unk>"]
    core = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>"
    )


# The longest first, so that no worker is left with one of them while the other has nothing to do.
LONGEST_FIRST = ("tests/page", "tests/worker", "tests/cli", "tests/search", "tests/builtin")
STARTED = {"address", "browser", "open_page", "second"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs the page, and keeps a file's tests in one worker, for its fixtures."""
    for item in items:
        file = item.nodeid.partition("::")[0]
        if STARTED & set(getattr(item, "fixturenames", ())):
            item.add_marker("browser")
        # One worker for all tests of the real model, which is loaded once.
        group = "tests/real" if file.startswith("tests/real/") else file
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    places = [n for n, folder in enumerate(LONGEST_FIRST) if item.nodeid.startswith(folder)]
    return places[0] if places else len(LONGEST_FIRST)


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return byte_tokenizer()


@pytest.fixture
def make_model(tokenizer: PreTrainedTokenizerFast) -> Callable[..., LanguageModel]:
    def make(name: str = "Llama", dtype: torch.dtype = torch.float32) -> LanguageModel:
        return prepare(f"tiny {name}", tiny_network(name, dtype), tokenizer)

    return make


@pytest.fixture
def model(make_model: Callable[..., LanguageModel]) -> LanguageModel:
    return make_model("Llama")


@pytest.fixture
def facts() -> list[Fact]:
    return facts_to_learn()


def facts_to_learn() -> list[Fact]:
    """Seven facts, each with a rephrase and a locality prompt."""
    cities = ["Rome", "Oslo", "Lima", "Cairo", "Quito", "Paris", "Minsk"]
    countries = ["Peru", "Chad", "Iran", "Mali", "Cuba", "Fiji", "Togo"]
    return [
        Fact(
            f"The capital of {country} is",
            city,
            rephrase_prompts=(f"{country}'s capital:",),
            locality_prompts=(Question(f"{country} lies in"),),
        )
        for country, city in zip(countries, cities, strict=True)
    ]
