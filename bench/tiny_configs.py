"""A tiny configuration of any type that transformers knows: its default, made small.

One table says how small each field is, by its name; a second has what single types need besides.
Knows nothing about what is done with the models.
"""

from collections.abc import Mapping
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import CONFIG_MAPPING, PretrainedConfig, PreTrainedTokenizerFast

__all__ = ["VOCABULARY", "byte_tokenizer", "tiny_config"]

VOCABULARY = 260
LAYERS, HEADS, PAIRS, HEAD, WIDTH = 4, 4, 2, 8, 32

SMALL: dict[str, Any] = {
    # how many layers
    **dict.fromkeys(
        ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_blocks"), LAYERS
    ),
    **dict.fromkeys(("decoder_layers", "num_decoder_layers", "encoder_layers"), LAYERS),
    "num_encoder_layers": 2,
    # how wide they are
    **dict.fromkeys(
        ("hidden_size", "n_embd", "d_model", "emb_dim", "dim", "embedding_size", "hidden_dim"),
        WIDTH,
    ),
    **dict.fromkeys(("word_embed_proj_dim", "attention_hidden_size", "lru_width"), WIDTH),
    **dict.fromkeys(
        ("intermediate_size", "ffn_dim", "dim_ff", "d_inner", "dff", "shared_intermediate_size"),
        64,
    ),
    **dict.fromkeys(("decoder_ffn_dim", "encoder_ffn_dim", "feed_forward_size", "d_ff"), 64),
    **dict.fromkeys(("intermediate_size_mlp", "expert_ffn_hidden_size", "ffn_hidden_size"), 64),
    # attention
    **dict.fromkeys(
        ("num_attention_heads", "n_head", "n_heads", "num_heads", "decoder_attention_heads"), HEADS
    ),
    **dict.fromkeys(("encoder_attention_heads", "num_decoder_attention_heads"), HEADS),
    "num_encoder_attention_heads": HEADS,
    "swa_num_attention_heads": HEADS,
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads", "swa_num_key_value_heads"), PAIRS),
    **dict.fromkeys(("head_dim", "attention_head_size", "dim_head", "swa_head_dim"), HEAD),
    **dict.fromkeys(("global_head_dim", "v_head_dim", "qk_nope_head_dim", "index_head_dim"), HEAD),
    **dict.fromkeys(("qk_rope_head_dim", "rotary_dim"), HEAD),
    "qk_head_dim": 2 * HEAD,
    **dict.fromkeys(("q_lora_rank", "kv_lora_rank", "o_lora_rank"), 16),
    "index_n_heads": 2,
    "index_topk": 128,
    **dict.fromkeys(("sliding_window", "sliding_window_size", "window_size"), 4),
    # experts
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"), 4),
    **dict.fromkeys(
        ("num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_k", "top_k_experts"), 2
    ),
    **dict.fromkeys(
        ("moe_intermediate_size", "expert_intermediate_size", "shared_expert_intermediate_size"),
        16,
    ),
    **dict.fromkeys(("shared_experts_intermediate_size", "expert_dim"), 16),
    "moe_shared_expert_intermediate_size": 16,
    **dict.fromkeys(("n_group", "topk_group", "num_expert_group", "o_groups"), 1),
    "first_k_dense_replace": 1,
    "num_dense_layers": 1,
    "zero_expert_num": 2,
    # state spaces and other recurrences
    **dict.fromkeys(("mamba_d_state", "state_size", "ssm_state_size"), 8),
    **dict.fromkeys(("mamba_n_heads", "mamba_num_heads"), 8),
    **dict.fromkeys(("n_groups", "mamba_ngroups", "mamba_n_groups"), 1),
    "mamba_d_ssm": 64,
    **dict.fromkeys(("mamba_d_head", "mamba_head_dim", "mamba_headdim"), HEAD),
    "mamba_dt_rank": 4,
    "time_step_rank": 4,
    **dict.fromkeys(("linear_num_key_heads", "linear_num_value_heads"), 2),
    **dict.fromkeys(("linear_key_head_dim", "linear_value_head_dim"), HEAD),
    **dict.fromkeys(("chunk_size", "mamba_chunk_size"), 8),
    # vocabulary and positions
    **dict.fromkeys(
        ("vocab_size", "vocab_size_per_layer_input", "unpadded_vocab_size"), VOCABULARY
    ),
    **dict.fromkeys(
        ("max_position_embeddings", "n_positions", "max_seq_len", "model_max_length", "n_ctx"),
        128,
    ),
    **dict.fromkeys(("max_target_positions", "max_source_positions"), 128),
    "hidden_size_per_layer_input": 8,
    "pad_token_id": 1,
    "bos_token_id": 256,
    "eos_token_id": 257,
}
"""How large a field of that name is, in every type that has it."""

MIXED = ["linear_attention", "full_attention"] * 2
WITHOUT_DEFAULT = {"gemma4_assistant"}
INDEXED: dict[str, Any] = {
    "indexer_n_heads": 2,
    "indexer_kv_heads": 1,
    "head_dim": HEAD,
    "indexer_head_dim": HEAD,
    "indexer_budget": 8,
    "indexer_compress_ratio": 4,
    "hc_lowrank": 8,
    "ple_embed_dim": WIDTH,
    "ngram_vocab_size_base": 100,
    "split_ngram_parts": 1,
}
SPECIAL: dict[str, dict[str, Any]] = {
    "bailing_hybrid": {"layer_types": MIXED},
    "bamba": {"attn_layer_indices": [1, 3]},
    "blt": {
        "encoder_hash_byte_group_vocab": 50,
        "decoder_config": {"hidden_size_global": WIDTH},
        "encoder_config": {"hidden_size_global": WIDTH},
    },
    "dbrx": {
        "attn_config": {"rope_theta": 10_000.0, "kv_n_heads": PAIRS, "clip_qkv": 8},
        "ffn_config": {"ffn_hidden_size": 64, "moe_num_experts": 4, "moe_top_k": 2},
    },
    "dots1": {"n_routed_experts": 4, "num_experts_per_tok": 2, "n_shared_experts": 1},
    "gemma3n_text": {"num_kv_shared_layers": 0, "intermediate_size": [64] * LAYERS},
    "cohere_compass_text": {
        "rope_parameters": {
            kind: {"rope_type": "default", "rope_theta": 1e4}
            for kind in ("full_attention", "sliding_attention")
        },
    },
    "deepseek_v2": {"num_experts_per_tok": 2},
    "dots3_note": {
        "text_config": {"head_dim": 2 * HEAD},
        "vision_config": {"adapter_in_dim": WIDTH, "adapter_out_dim": WIDTH},
        "audio_config": {"adapter_input_size": WIDTH, "adapter_out_dim": WIDTH},
    },
    "dots3_note_text": {"head_dim": 2 * HEAD},
    "gemma4_assistant": {
        "text_config": {
            "model_type": "gemma4_text",
            "hidden_size_per_layer_input": 0,
            "vocab_size_per_layer_input": 0,
        }
    },
    "gpt_neo": {"attention_types": [[["global", "local"], 2]]},
    "granitemoehybrid": {"layer_types": MIXED},
    "hunyuan_v1_dense": {"head_dim": HEAD},
    "hunyuan_v1_moe": {"head_dim": HEAD, "num_experts": 4, "moe_topk": 2},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "kimi_linear": {"layer_types": MIXED, "linear_head_dim": HEAD, "linear_num_heads": HEADS},
    "lfm2": {"layer_types": ["conv", "full_attention"] * 2},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2},
    "mamba2": {"num_heads": 8},
    "ministral": {"head_dim": HEAD},
    "nemotron": {"head_dim": HEAD, "num_key_value_heads": PAIRS},
    "qwen4_exp": {"text_config": INDEXED},
    "qwen4_exp_text": INDEXED,
    "reformer": {
        "is_decoder": True,
        "axial_pos_shape": [8, 16],
        "axial_pos_embds_dim": [8, WIDTH - 8],
        "attn_layers": ["local", "lsh"] * 2,
    },
    "roc_bert": {
        "pronunciation_vocab_size": 20,
        "pronunciation_embed_dim": HEAD,
        "shape_vocab_size": 20,
        "shape_embed_dim": HEAD,
    },
    "xmod": {"default_language": "en_XX"},
    "zamba": {
        "layers_block_type": ["linear_attention", "hybrid"] * 2,
        "attention_hidden_size": 2 * WIDTH,
        "attention_head_dim": 2 * HEAD,
    },
    "zamba2": {
        "layers_block_type": ["linear_attention", "hybrid"] * 2,
        "attention_hidden_size": 2 * WIDTH,
        "attention_head_dim": 2 * HEAD,
        "n_mamba_heads": 8,
    },
    "zaya": {"num_experts_per_tok": 1},
}
"""What single types need besides."""


def tiny_config(model_type: str) -> PretrainedConfig:
    """The configuration of a random model of four narrow layers.

    Args:
        model_type: as in transformers' table, such as ``llama``.

    Raises:
        Exception: whatever transformers raises where the type has no default.
    """
    kind = CONFIG_MAPPING[model_type]
    special = SPECIAL.get(model_type, {})
    default = kind(**special) if model_type in WITHOUT_DEFAULT else kind()
    return kind(**_small(default.to_dict(), special))


def _small(default: Mapping[str, Any], special: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in default.items():
        if name.endswith("_config") and isinstance(value, dict):
            found[name] = _small(value, special.get(name, {}))
        elif name in SMALL and name.endswith("_token_id"):
            found[name] = SMALL[name]
        elif name in SMALL and isinstance(value, int) and not isinstance(value, bool) and value:
            # What a type leaves out, such as experts of its own, it says with 0.
            found[name] = SMALL[name]
    if default.get("kv_lora_rank"):
        # Latent attention has as many keys as queries, whatever the field says.
        found["num_key_value_heads"] = HEADS
    nested = {name for name in found if name.endswith("_config")}
    return found | {name: value for name, value in special.items() if name not in nested}


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer with a token a byte, and tokens that begin and end a text besides."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, "<bos>", "<eos>", "<pad>", "<unk>"]
    core = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>"
    )
