"""A network's weights: compared with what the network and its config expect, then loaded.

Invariants: no weight is made up; every weight is a finite number in 16 or 32 bits when it gets
here. What was done to make it so is said in a notice.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedModel
from transformers.utils import cached_file
from transformers.utils.hub import get_checkpoint_shard_files

from workbench.errors import MemoryShortage, ModelError
from workbench.model.gguf import load_gguf_network
from workbench.model.loading.config import ModelConfig
from workbench.model.loading.errors import explained
from workbench.model.loading.folder import INDEX, ONE_FILE, weight_files
from workbench.model.loading.network import does_not_fit, misfit
from workbench.model.loading.offload import Where
from workbench.model.loading.quantization import made_from
from workbench.model.loading.source import Source
from workbench.model.loading.tensors import Stored, read_headers
from workbench.model.loading.wrappers import find_wrapping, unwrapped
from workbench.model.memory import is_out_of_memory

__all__ = ["load_network", "local_tensors", "require_finite"]

# How a file calls what a quantized matrix is kept in.
PACKED = re.compile(
    r"\.(qweight|weight_packed|weight_scale|qzeros|absmax|quant_state\b.*|weight_q|codebooks|"
    r"\w+_blocks|\w+_scales)$"
)


def local_tensors(source: Source, config: ModelConfig) -> Stored | None:
    """What the weight files of a folder hold; None for a model of the hub.

    Raises:
        ModelError: there are none, or they are fewer than the config's layers.
    """
    if not source.is_local:
        return None
    if source.gguf is not None:
        return {}  # its header was read, and is compared when the file is
    named = config.written.get("transformers_weights")
    files = weight_files(Path(source.path), named if isinstance(named, str) else None)
    stored = read_headers(files)
    if config.layers is not None and config.layers > len(stored):
        raise ModelError(
            f"The config.json of '{source.name}' names {config.layers} layers, but its weight "
            f"files hold {len(stored)} tensors in all. Fetch or save the model again."
        )
    return stored


def _hub_tensors(source: Source) -> Stored:
    """What the weight files of a model of the hub hold; fetches those that are not here."""
    options: dict[str, Any] = {"local_files_only": source.no_network}
    optional: dict[str, Any] = {**options, "_raise_exceptions_for_missing_entries": False}
    try:
        single = cached_file(source.path, ONE_FILE, **optional)
        if single is not None:
            return read_headers([Path(single)])
        index = cached_file(source.path, INDEX, **optional)
        if index is None:
            raise ModelError(
                f"'{source.name}' has no safetensors weights, and nothing else is loaded. Choose "
                "a repository that has them."
            )
        files, _ = get_checkpoint_shard_files(source.path, index, **options)
        return read_headers(Path(file) for file in files)
    except Exception as error:
        raise explained(source, error) from error


def load_network(
    source: Source,
    config: ModelConfig,
    empty: PreTrainedModel,
    stored: Stored | None,
    device: torch.device,
    dtype: torch.dtype,
    generation: GenerationConfig | None = None,
    where: Where | None = None,
) -> tuple[PreTrainedModel, tuple[str, ...]]:
    """The network with its weights, and what people must know of how they were read.

    Args:
        source: where it comes from.
        config: its config.
        empty: the network without its weights.
        stored: what its files hold; None has them fetched.
        device: where it is to be.
        dtype: its dtype there.
        generation: generation settings in place of the checkpoint's; None takes those.
        where: where it is to be if not all of it is to be on the device.

    Raises:
        ModelError: the files lack weights, hold them quantized, or do not fit the config.
        MemoryShortage: they do not fit in memory.
    """
    stored = _hub_tensors(source) if stored is None else stored
    expected = list(empty.state_dict())
    renames = find_wrapping(stored, expected)
    plain = {unwrapped(name, renames): tensor for name, tensor in stored.items()}
    _require_plain(source, config, plain, {name for name, _ in empty.named_parameters()})
    more = device, dtype, generation, where
    network, report = _read(source, config, renames, empty, plain, *more)
    if report["missing_keys"] and renames:
        # Transformers knows other names of some architectures, and then needs them as they are.
        renames = {}
        network, report = _read(
            source, config, renames, empty, plain, device, dtype, generation, where
        )
    if missing := sorted(report["missing_keys"]):
        raise _lacks(source, config, missing, plain)
    notices = []
    if renames:
        fronts = ", ".join(dict.fromkeys(_front(pattern) for pattern in renames))
        notices.append(f"The names of its weights have {fronts} in them; it was taken off.")
    if unused := sorted(report["unexpected_keys"]):
        notices.append(
            f"Its files hold {len(unused)} tensor{'' if len(unused) == 1 else 's'} that this "
            f"network does not have, such as {unused[0]}; nothing is made of "
            f"{'it' if len(unused) == 1 else 'them'}."
        )
    if config.quantization is not None or renames:
        # Saved as this network names and keeps them, not as they were found.
        network._weight_conversions = None
    return network, tuple(notices)


def _front(pattern: str) -> str:
    return "'" + pattern.replace("\\", "").removeprefix("^") + "'"


def _read(
    source: Source,
    config: ModelConfig,
    renames: dict[str, str],
    empty: PreTrainedModel,
    stored: Stored,
    device: torch.device,
    dtype: torch.dtype,
    generation: GenerationConfig | None = None,
    where: Where | None = None,
) -> tuple[PreTrainedModel, Mapping[str, Any]]:
    try:
        if source.gguf is not None:
            network, report = load_gguf_network(source.gguf, config.config, device, dtype)
        else:
            network, report = AutoModelForCausalLM.from_pretrained(
                source.path,
                config=config.config,
                generation_config=generation,
                dtype=dtype,
                use_safetensors=True,
                output_loading_info=True,
                key_mapping=renames or None,
                **source.options(),
                **(where.options(empty) if where is not None else _straight_onto(device)),
            )
        if where is None:
            network.to(device)
    except Exception as error:
        if is_out_of_memory(error):
            raise MemoryShortage(
                f"'{source.name}' does not fit in the memory of {device}. Choose a smaller "
                "model, a smaller dtype, or another device."
            ) from error
        if "ignore_mismatched_sizes" in str(error) and (wrong := misfit(empty, stored)):
            raise does_not_fit(source, wrong) from error
        raise explained(source, error, config.written) from error
    return network, report


def _straight_onto(device: torch.device) -> dict[str, Any]:
    """What has weights read onto a GPU, so that main memory need not hold the model as well."""
    return {"device_map": str(device) if device.type == "cuda" else None}


def _require_plain(
    source: Source, config: ModelConfig, stored: Stored, parameters: set[str]
) -> None:
    """Refuses weights that are no numbers of 16 or 32 bits, nor can be made such.

    Raises:
        ModelError: there are some; the message names the first.
    """
    for name, tensor in stored.items():
        # Experts may be kept apart in the files and together in the network, under another name.
        if tensor.is_plain or not (name in parameters or name.endswith(".weight")):
            continue
        if config.quantization is None:
            raise ModelError(
                f"'{source.name}' keeps {name} as {tensor.dtype}, which its config.json does not "
                "explain. Editing needs weights in 16 or 32 bits: take the checkpoint that it was "
                f"made from{made_from(source.name, config.written)}."
            )
        module = name.removesuffix("weight")
        scales = {f"{name}_scale_inv", f"{module}scale", f"{module}qscale_weight"}
        if not stored.keys() & scales:
            raise ModelError(
                f"'{source.name}' keeps {name} as {tensor.dtype} without the scale that belongs "
                "to it. Fetch the model again, or take the checkpoint that it was made "
                f"from{made_from(source.name, config.written)}."
            )


def _lacks(source: Source, config: ModelConfig, missing: list[str], stored: Stored) -> ModelError:
    packed = next((name for name in stored if PACKED.search(name)), None)
    if packed is not None and config.quantization is None:
        return ModelError(
            f"'{source.name}' holds quantized weights, such as {packed}. Editing needs weights in "
            "16 or 32 bits: take the checkpoint that it was made "
            f"from{made_from(source.name, config.written)}."
        )
    return ModelError(
        f"'{source.name}' lacks {len(missing)} of its weights, such as {missing[0]}. Its "
        "files are incomplete; fetch or save them again."
    )


@torch.no_grad()
def require_finite(source: Source, network: PreTrainedModel) -> None:
    """Refuses a network with a weight that is no number, or infinite.

    A sum is as fast as memory is read and needs none; it is finite only if everything in it is.

    Raises:
        ModelError: there is such a weight; the message names its tensor.
    """
    for name, weight in network.named_parameters():
        if weight.is_meta:
            continue  # it is looked at when it is read
        if torch.isfinite(weight.sum(dtype=torch.float32)):
            continue
        wrong = int((~torch.isfinite(weight)).sum())
        if wrong:
            advice = "Fetch the model again, or take another checkpoint of it"
            if weight.dtype == torch.float16:
                advice = "Choose bfloat16 or float32, or fetch the model again"
            raise ModelError(
                f"'{source.name}' has {wrong} of {weight.numel()} weights that are infinite or no "
                f"number in {name}. {advice}."
            )
