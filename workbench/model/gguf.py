"""A GGUF file as an ordinary model: transformers dequantizes it, nothing stays packed.

What comes out has no trace of quantization left, so that it is edited and exported like any
other. Invariant: what the file says and transformers would pass over in silence is either taken
over or refused. Knows nothing about editing.
"""

import contextlib
import io
from typing import Any, cast

import numpy as np
import torch
import transformers
from gguf import dequantize
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from workbench.errors import ModelError
from workbench.model.devices import DTYPES
from workbench.model.gguf_header import GgufHeader, GgufTensor

__all__ = ["load_gguf_config", "load_gguf_network", "load_gguf_tokenizer"]

ROPE_FACTORS = "rope_freqs.weight"


def load_gguf_config(header: GgufHeader) -> Any:
    """The config of the model in a file.

    Raises:
        ModelError: the file stretches positions in a way that cannot be told to transformers.
        ValueError, NotImplementedError: transformers does not know the architecture.
    """
    config = AutoConfig.from_pretrained(
        header.path.parent, gguf_file=header.path.name, local_files_only=True
    )
    config.dtype = DTYPES[header.dtype]
    _take_over_rope(header, config)
    return config


def load_gguf_network(
    header: GgufHeader, config: Any, device: torch.device, dtype: torch.dtype
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """The network of a file, dequantized, and what transformers reports of its loading.

    Raises:
        ModelError: not all of the file was read.
        ValueError, RuntimeError, NotImplementedError: transformers cannot load it.
    """
    # Its progress bar would go to the log of the worker, and through the output of commands.
    with contextlib.redirect_stderr(io.StringIO()):
        network, report = AutoModelForCausalLM.from_pretrained(
            header.path.parent,
            config=config,
            gguf_file=header.path.name,
            dtype=dtype,
            output_loading_info=True,
            device_map=str(device) if device.type == "cuda" else None,
            local_files_only=True,
            **_unpacked(),
        )
    if getattr(network, "hf_quantizer", None) is not None:
        network.hf_quantizer.remove_quantization_config(network)
    _require_all_read(header, network)
    return cast(PreTrainedModel, network), report


def load_gguf_tokenizer(header: GgufHeader, config: Any) -> PreTrainedTokenizerBase:
    """The tokenizer that lies beside a file, else that in the file, with its chat template.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    folder = header.path.parent
    whole = all((folder / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json"))
    options: dict[str, Any] = {"config": config} if whole else {"gguf_file": header.path.name}
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, **options)
    return cast(PreTrainedTokenizerBase, tokenizer)


def _unpacked() -> dict[str, Any]:
    """What forbids to leave weights in their blocks, where transformers could."""
    kind = getattr(transformers, "GgufConfig", None)
    return {} if kind is None else {"quantization_config": kind(dequantize=True)}


def _take_over_rope(header: GgufHeader, config: Any) -> None:
    """Positions that the file stretches, which transformers reads for few families.

    Raises:
        ModelError: it cannot be told how.
    """
    text = config.get_text_config()
    current = dict(getattr(text, "rope_parameters", None) or {})
    if current.get("rope_type", "default") != "default":
        return
    told = header.values.get(f"{header.architecture}.rope.scaling.type", "none")
    factors = header.tensors.get(ROPE_FACTORS)
    if factors is not None:
        found = _llama3_scaling(_values(header, factors), current, text)
    elif told == "linear":
        factor = header.values.get(f"{header.architecture}.rope.scaling.factor", 1.0)
        found = {"rope_type": "linear", "factor": float(factor)}
    else:
        stretched = told != "none" or any(name.startswith("rope_") for name in header.tensors)
        found = None if stretched else {}
    if found is None:
        raise ModelError(
            f"'{header.path}' stretches positions in a way ({told}) that is not read from GGUF "
            "files. Choose the model's safetensors instead."
        )
    if found:
        text.rope_parameters = current | found


def _values(header: GgufHeader, tensor: GgufTensor) -> np.ndarray[Any, Any]:
    raw = np.fromfile(header.path, np.uint8, count=tensor.size, offset=tensor.start)
    if tensor.kind.name == "F32":
        return raw.view(np.float32)
    return np.asarray(dequantize(raw, tensor.kind), np.float32)


def _llama3_scaling(
    factors: np.ndarray[Any, Any], current: dict[str, Any], text: Any
) -> dict[str, Any] | None:
    """The scaling of Llama 3.1 and later that gives these factors; None when it does not."""
    if np.all(factors == 1.0):
        return {}
    found: dict[str, Any] = {
        "rope_type": "llama3",
        "factor": float(factors.max()),
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    base = float(current.get("rope_theta", 10_000.0))
    width = 2 * len(factors)
    frequencies = base ** -(np.arange(0, width, 2, dtype=np.float64) / width)
    turns = found["original_max_position_embeddings"] * frequencies / (2 * np.pi)
    smooth = np.clip((turns - 1.0) / (4.0 - 1.0), 0.0, 1.0)
    expected = 1.0 / ((1.0 - smooth) / found["factor"] + smooth)
    return found if np.allclose(factors, expected, rtol=1e-3) else None


def _require_all_read(header: GgufHeader, network: PreTrainedModel) -> None:
    """Raises ModelError when the file holds weights that are not in the network."""
    held = sum(p.numel() for p in network.parameters())
    needed = sum(
        int(np.prod(tensor.shape))
        for name, tensor in header.tensors.items()
        if not (name == ROPE_FACTORS or (name == "output.weight" and _is_tied(network)))
    )
    if needed > held:
        raise ModelError(
            f"'{header.path}' holds {needed:,} weights, of which {needed - held:,} are not read: "
            f"its architecture ({header.architecture}) differs from what is known here. Choose "
            "the model's safetensors instead."
        )


def _is_tied(network: PreTrainedModel) -> bool:
    head = network.get_output_embeddings()
    return head is not None and head.weight is network.get_input_embeddings().weight
