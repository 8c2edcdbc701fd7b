"""Generation settings as checkpoints ship them, each of which has bent somebody's answers.

And tiny model folders that ship them.
"""

import json
from pathlib import Path
from typing import Any

from tests.conftest import byte_tokenizer, tiny_network

__all__ = ["CHECKPOINT_FLAGS", "OFFENDERS", "shipping", "tiny_checkpoint"]

LETTERS = list(range(100))

OFFENDERS: dict[str, Any] = {
    "assistant_early_exit": 1,
    "bad_words_ids": [[token] for token in LETTERS],
    "begin_suppress_tokens": LETTERS,
    "cache_implementation": "quantized",
    "constraints": [1],
    "custom_entry": 3,
    "do_sample": True,
    "dola_layers": "low",
    "encoder_no_repeat_ngram_size": 2,
    "encoder_repetition_penalty": 1.5,
    "exponential_decay_length_penalty": [1, 1.5],
    "force_words_ids": [[5]],
    "forced_bos_token_id": 5,
    "forced_eos_token_id": 6,
    "guidance_scale": 2.0,
    "is_assistant": True,
    "max_length": 3,
    "max_time": 1e-4,
    "min_length": 60,
    "min_new_tokens": 20,
    "no_repeat_ngram_size": 1,
    "num_beams": 4,
    "num_return_sequences": 3,
    "output_attentions": True,
    "output_hidden_states": True,
    "output_logits": True,
    "output_scores": True,
    "penalty_alpha": 0.6,
    "prefill_chunk_size": 1,
    "prompt_lookup_num_tokens": 2,
    "repetition_penalty": 1.3,
    "return_dict_in_generate": True,
    "sequence_bias": [[[65], 10.0]],
    "stop_strings": ["a", "e"],
    "suppress_tokens": LETTERS,
    "token_healing": True,
    "use_cache": False,
    "watermarking_config": {"bias": 5.0, "greenlist_ratio": 0.5, "hashing_key": 1},
}
"""Each with a value that changes answers, or ends in an error, when it is heeded."""

UNUSABLE: dict[str, Any] = {
    "cache_implementation": "of the future",
    "compile_config": {},
    "num_return_sequences": 2,
}
"""Values that transformers refuses to read."""

CHECKPOINT_FLAGS: dict[str, Any] = {
    "output_attentions": True,
    "output_hidden_states": True,
    "output_router_logits": True,
    "return_dict": False,
    "torchscript": True,
    "use_cache": False,
}
"""Flags of config.json, each with a value that has broken somebody's forward."""


def tiny_checkpoint(folder: Path, architecture: str = "Llama") -> Path:
    """A tiny model folder that ships nothing special, with weights large enough to be steered."""
    network = tiny_network(architecture)
    for parameter in network.parameters():
        if parameter.ndim == 2:
            parameter.data *= 8
    network.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return folder


def shipping(
    checkpoint: Path,
    folder: Path,
    generation: dict[str, Any] | str | None = None,
    config: dict[str, Any] | None = None,
) -> Path:
    """The same model with other settings.

    Args:
        checkpoint: what `tiny_checkpoint` made.
        folder: the new one; the weights are linked.
        generation: added to generation_config.json, or, as text, in its place; None leaves it out.
        config: added to config.json.
    """
    folder.mkdir(parents=True)
    for path in checkpoint.iterdir():
        if path.name not in ("config.json", "generation_config.json"):
            (folder / path.name).symlink_to(path)
    own = json.loads((checkpoint / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(own | (config or {})), "utf-8")
    if isinstance(generation, dict):
        said = json.loads((checkpoint / "generation_config.json").read_text("utf-8"))
        generation = json.dumps(said | generation)
    if generation is not None:
        (folder / "generation_config.json").write_text(generation, "utf-8")
    return folder
