"""What a quantization makes of a model: a GGUF file beside the original, or values in memory.

A GGUF file is quantized as a file, and asked in llama.cpp. Anything else is asked in memory with
each matrix rounded as the file would hold it; llama.cpp also rounds what flows between matrices,
which is not done here.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from gguf import MODEL_ARCH_NAMES, GGMLQuantizationType, get_tensor_name_map, quants

from workbench.errors import ModelError
from workbench.model.gguf_header import GgufHeader
from workbench.model.language_model import LanguageModel
from workbench.ship.ggml import Array, quantized
from workbench.ship.gguf_file import Replaced, read_values, writing_replaced
from workbench.ship.quantization import Mixture
from workbench.ship.verify_settings import Quantization
from workbench.work.events import Progress, Work, sparing
from workbench.work.stop import Stop

__all__ = ["quantizing_file", "quantizing_model"]

# Families whose tensors go by another's names in llama.cpp.
_ALIASES = {"mistral": "llama", "mixtral": "llama", "gemma3text": "gemma3", "smollm": "llama"}


def quantizing_file(
    header: GgufHeader, name: Quantization, out: Path, stop: Stop | None = None
) -> Work[int]:
    """Writes a GGUF file anew in a quantization; returns how many bytes it takes.

    Args:
        header: of the original.
        name: of the quantization.
        out: the new file.
        stop: the wish to end it.

    Raises:
        Cancelled: somebody wanted it to end.
        ModelError: a type cannot be made, or the original not be read, here.
    """
    mixture = _mixture_of_file(header, name)
    replaced: dict[str, Replaced] = {}
    for place, (tensor, found) in enumerate(header.tensors.items()):
        if stop is not None:
            stop.check()
        yield Progress(place, len(header.tensors) + 1, f"Quantizing to {name}")
        kind = mixture.kind(tensor, found.shape, found.kind)
        if kind is not found.kind:
            data = quantized(read_values(header, tensor), kind)
            replaced[tensor] = Replaced(kind, data.tobytes())
    try:
        writing = writing_replaced(header, replaced, out, stop)
        yield from sparing(writing, lambda _: Progress(1, 1, "Writing the quantized file"))
    except OSError as error:
        raise ModelError(f"The quantized file cannot be written: {error}.") from error
    return out.stat().st_size


def _mixture_of_file(header: GgufHeader, name: Quantization) -> Mixture:
    def told(key: str, otherwise: int) -> int:
        value = header.values.get(f"{header.architecture}.{key}", otherwise)
        return value if isinstance(value, int) else otherwise

    heads = told("attention.head_count", 1)
    return Mixture(
        name,
        header.architecture,
        told("block_count", 0),
        "output.weight" in header.tensors,
        told("expert_count", 0),
        max(1, heads // max(1, told("attention.head_count_kv", heads))),
    )


@torch.no_grad()
def quantizing_model(
    model: LanguageModel, name: Quantization, stop: Stop | None = None
) -> Work[int]:
    """Rounds the weights of a model in memory for good; returns how many bytes they would take.

    Args:
        model: as it is, with a patch or an adapter in it; nobody needs it afterwards as it was.
        name: of the quantization.
        stop: the wish to end it.

    Raises:
        Cancelled: somebody wanted it to end.
        ModelError: a type cannot be made here, or layers of the model are not in memory.
    """
    if model.stream is not None:
        raise ModelError(
            f"'{model.name}' is larger than its device, and a quantization is tried in memory. "
            "Name its GGUF file instead."
        )
    tensors = list(_tensors(model))
    mixture = _mixture_of_model(model, name, {there for there, _, _ in tensors})
    size = 0
    for place, (there, weight, is_turned) in enumerate(tensors):
        if stop is not None:
            stop.check()
        yield Progress(place, len(tensors), f"Rounding to {name}")
        values = (weight.T if is_turned else weight).float().cpu().numpy()
        plain = GGMLQuantizationType.F32
        kind = mixture.kind(there, values.shape, plain)
        data = quantized(values, kind)
        size += data.nbytes
        if kind is not plain:
            again = torch.from_numpy(np.ascontiguousarray(_read(data, kind).reshape(values.shape)))
            weight.copy_(again.T if is_turned else again)
    return size


def _read(data: Array, kind: GGMLQuantizationType) -> Array:
    if kind is GGMLQuantizationType.F16:
        return data.view(np.float16).astype(np.float32)
    return np.asarray(quants.dequantize(data, kind), np.float32)


def _tensors(model: LanguageModel) -> Iterator[tuple[str, torch.Tensor, bool]]:
    """Every weight under its name in a GGUF file, and whether it stands turned in memory."""
    called = {_plain(text): kind for kind, text in MODEL_ARCH_NAMES.items()}
    family = _plain(str(getattr(model.text_config, "model_type", "")))
    kind = called.get(_ALIASES.get(family, family), called["llama"])
    names = get_tensor_name_map(kind, model.layer_count)
    turned = {
        id(module.weight) for module in model.network.modules() if type(module).__name__ == "Conv1D"
    }
    for name, parameter in model.network.named_parameters():
        if "lora_" in name:  # an adapter stays as it is
            continue
        own = name.removeprefix("base_model.model.").replace(".base_layer", "")
        there = names.get_name(own, try_suffixes=(".weight", ".bias")) or own
        yield there, parameter.data, id(parameter) in turned


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _mixture_of_model(model: LanguageModel, name: Quantization, there: set[str]) -> Mixture:
    config = model.text_config
    heads = getattr(config, "num_attention_heads", None) or 1
    keys = getattr(config, "num_key_value_heads", None) or heads
    experts = (
        getattr(config, "num_local_experts", None) or getattr(config, "num_experts", None) or 0
    )
    family = str(getattr(config, "model_type", ""))
    return Mixture(
        name, family, model.layer_count, "output.weight" in there, experts, max(1, heads // keys)
    )
