"""Records of patches as the workbench writes them, for tests that spoil them."""

from typing import Any

HASH = "0123456789abcdef" * 4


def sound_record(*tensors: str) -> dict[str, Any]:
    """The record of a patch of these tensors."""
    return {
        "base": {
            "name": "some/model",
            "model_type": "llama",
            "layers": 2,
            "hidden_size": 8,
            "vocab_size": 16,
            "hashes": dict.fromkeys(tensors, HASH),
        },
        "method": "locft-bf",
        "at": ["1.mlp.down_proj"],
        "facts": 3,
        "facts_digest": HASH,
        "settings": {"at": ["1.mlp.down_proj"], "learning_rate": 0.001, "micro_batch_size": None},
        "metrics": {"reliability_strict": 1.0},
        "dtype": "float32",
        "versions": {"torch": "2.0"},
        "created": "2026-01-01T00:00:00+00:00",
    }
