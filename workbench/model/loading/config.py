"""A model's config.json: read as it stands, checked, then made transformers' config.

The numbers are looked at before transformers sees them, because a config class may make a list
as long as a number that it is given.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    PreTrainedConfig,
)
from transformers.utils import cached_file

from workbench.errors import ModelError
from workbench.model.gguf import load_gguf_config
from workbench.model.loading.errors import explained, printable, shown
from workbench.model.loading.quantization import Quantization, find_quantization
from workbench.model.loading.source import Source
from workbench.model.shipped import plain_flags

__all__ = ["ModelConfig", "load_config", "read_config"]

# The most and the least that is believed of a number in a config: what models have stays far
# below the most, and transformers makes lists of that length.
LAYERS, EXPERTS, WIDTH = 4096, 65_536, 2**31 - 1
MOST = {
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers"), LAYERS),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts"), EXPERTS),
    **dict.fromkeys(("vocab_size", "hidden_size", "n_embd", "d_model"), WIDTH),
    **dict.fromkeys(("num_attention_heads", "num_key_value_heads", "n_head", "head_dim"), WIDTH),
    **dict.fromkeys(("intermediate_size", "max_position_embeddings"), WIDTH),
}
LEAST = {
    **dict.fromkeys(("num_hidden_layers", "n_layer", "vocab_size", "hidden_size", "n_embd"), 1),
    **dict.fromkeys(("num_attention_heads", "num_key_value_heads", "n_head", "head_dim"), 1),
    "intermediate_size": 0,
}
DEEPEST = 32


class ModelConfig:
    """A config that was checked.

    Args:
        config: transformers' config, with its quantization set to be turned back.
        written: what config.json says.
        quantization: how the checkpoint is quantized; None when it is not.
    """

    def __init__(
        self,
        config: PreTrainedConfig,
        written: Mapping[str, Any],
        quantization: Quantization | None,
    ) -> None:
        self.config = config
        self.written = written
        self.quantization = quantization

    @property
    def text(self) -> Any:
        """The part that is about text."""
        return self.config.get_text_config()

    @property
    def dtype(self) -> torch.dtype | None:
        """The dtype that the checkpoint says it is in, or None."""
        found: torch.dtype | None = getattr(self.text, "dtype", None) or self.config.dtype
        return found

    @property
    def origin(self) -> str:
        """What the weights are made from; empty when they are read as they are kept."""
        return f"{self.quantization.label}, dequantized" if self.quantization else ""

    @property
    def layers(self) -> int | None:
        """How many decoder layers the config names, or None."""
        value = getattr(self.text, "num_hidden_layers", None)
        return value if isinstance(value, int) else None


def load_config(source: Source) -> ModelConfig:
    """The config of a model that can be edited.

    Raises:
        ModelError: there is none, it cannot be read, makes no sense, or is that of a model which
            cannot be edited.
    """
    written: dict[str, Any] = {}
    quantization = None
    if source.gguf is None:
        written = read_config(source)
        folder = Path(source.path) if source.is_local else None
        quantization = find_quantization(source.name, written, folder)
    try:
        if source.gguf is not None:
            config = load_gguf_config(source.gguf)
        else:
            config = AutoConfig.from_pretrained(source.path, **source.options())
    except Exception as error:
        raise explained(source, error, written) from error
    _require_decoder(source, config)
    _require_tokens_inside(source, config)
    plain_flags(config)
    found = ModelConfig(config, written, quantization)
    if quantization is not None:
        for part in (config, found.text):
            if isinstance(kept := getattr(part, "quantization_config", None), dict):
                part.quantization_config = quantization.turned_back(kept)
    return found


def read_config(source: Source) -> dict[str, Any]:
    """What a model's config.json says, its numbers checked.

    Raises:
        ModelError: there is none, or a value in it makes no sense.
    """
    try:
        path = cached_file(source.path, "config.json", local_files_only=source.no_network)
    except Exception as error:
        raise explained(source, error) from error
    if path is None:
        raise explained(source, FileNotFoundError("there is no config.json"))
    where = f"The config.json of '{source.name}'"
    try:
        written = json.loads(Path(path).read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ModelError(f"{where} is nested too deep to be one. Fetch it again.") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{where} cannot be read as JSON ({error}). Fetch it again.") from error
    if not isinstance(written, dict):
        raise ModelError(f"{where} is no table of names and values. Fetch it again.")
    _require_sense(where, written)
    return written


def _require_sense(where: str, written: Mapping[str, Any]) -> None:
    for name, value in _values(where, written):
        key = name.rpartition(".")[2]
        if key in MOST and isinstance(value, int | float | str | bool):
            _require_size(where, name, value)
        if key in ("dtype", "torch_dtype"):
            _require_dtype(where, name, value)
    kind = written.get("model_type", "")
    if not isinstance(kind, str):
        raise ModelError(f"{where} has model_type {shown(kind)}; it must be a name, such as llama.")
    names = written.get("architectures")
    if names is not None and not (
        isinstance(names, list) and all(isinstance(name, str) for name in names)
    ):
        raise ModelError(f"{where} has architectures {shown(names)}; it must be a list of names.")


def _require_size(where: str, name: str, value: int | float | str) -> None:
    key = name.rpartition(".")[2]
    if not isinstance(value, int) or isinstance(value, bool):
        raise ModelError(f"{where} has {name} {shown(value)}; it must be a whole number.")
    if value > MOST[key]:
        raise ModelError(f"{where} has {name} {value}; no model has more than {MOST[key]}.")
    if key in LEAST and value < LEAST[key]:
        raise ModelError(f"{where} has {name} {value}; it must be at least {LEAST[key]}.")


def _require_dtype(where: str, name: str, value: Any) -> None:
    if value is None or value == "auto" or isinstance(value, Mapping):
        return
    dtype = getattr(torch, value.removeprefix("torch."), None) if isinstance(value, str) else None
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise ModelError(
            f"{where} has {name} {shown(value)}; it must be a dtype of torch, such as 'bfloat16'."
        )


def _values(where: str, written: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every value of the config and of the tables in it, by its dotted name.

    Raises:
        ModelError: it is nested too deep.
    """
    waiting: list[tuple[str, Any, int]] = [("", written, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if depth > DEEPEST:
            raise ModelError(f"{where} is nested more than {DEEPEST} deep. Fetch it again.")
        if isinstance(value, Mapping):
            inside = f"{name}." if name else ""
            waiting += [(printable(f"{inside}{k}"), v, depth + 1) for k, v in value.items()]
        elif isinstance(value, list):
            waiting += [(name, item, depth + 1) for item in value if isinstance(item, list | dict)]
        yield name, value


def _require_decoder(source: Source, config: PreTrainedConfig) -> None:
    """Refuses what does not continue text.

    Raises:
        ModelError: it is another kind of model.
    """
    names = config.architectures or []
    is_causal = type(config) in MODEL_FOR_CAUSAL_LM_MAPPING or hasattr(config, "auto_map")
    other_task = names and not any(
        name.endswith(("CausalLM", "LMHeadModel", "ConditionalGeneration")) for name in names
    )
    # Encoders have a class that continues text as well; unless told to, it looks ahead.
    looks_ahead = (
        type(config) in MODEL_FOR_MASKED_LM_MAPPING and getattr(config, "is_decoder", None) is False
    )
    is_pair = getattr(config, "is_encoder_decoder", False)
    if not is_causal or other_task or looks_ahead or is_pair:
        kind = ", ".join(names) or config.model_type
        raise ModelError(
            f"'{source.name}' is not a causal language model ({kind}"
            f"{', an encoder' if looks_ahead else ''}). Choose a decoder that continues text, "
            "such as Llama, Qwen, Mistral, Gemma or GPT-2."
        )


def _require_tokens_inside(source: Source, config: PreTrainedConfig) -> None:
    """Refuses an end or a padding token beyond the vocabulary.

    Raises:
        ModelError: there is one.
    """
    text = config.get_text_config()
    size = getattr(text, "vocab_size", None)
    for part in (text, config):
        for name in ("eos_token_id", "pad_token_id"):
            value = getattr(part, name, None)
            for token in value if isinstance(value, list) else [value]:
                if isinstance(token, int) and isinstance(size, int) and token >= size:
                    raise ModelError(
                        f"The config.json of '{source.name}' has {name} {token}, but its "
                        f"vocabulary ends at {size - 1}. Correct it, or fetch the model again."
                    )
