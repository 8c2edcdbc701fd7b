"""Quantized checkpoints: which are turned back into 16 or 32 bits, and what to take for the others.

Editing changes single numbers of a matrix, so each weight must be a number of its own. Two kinds
hold all that is needed to make them such, and transformers does it without any other library;
the rest is refused by what the config says, before anything is loaded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import ModelError
from workbench.model.loading.errors import printable, shown

__all__ = ["Quantization", "find_quantization", "made_from"]

KINDS = {
    "aqlm": "AQLM",
    "auto-round": "AutoRound",
    "awq": "AWQ",
    "bitnet": "BitNet",
    "bitsandbytes": "bitsandbytes",
    "compressed-tensors": "compressed-tensors",
    "eetq": "EETQ",
    "fbgemm_fp8": "FBGEMM FP8",
    "fp8": "FP8",
    "gptq": "GPTQ",
    "higgs": "HIGGS",
    "hqq": "HQQ",
    "modelopt": "ModelOpt",
    "mxfp4": "MXFP4",
    "mxfp8": "MXFP8",
    "nvfp4": "NVFP4",
    "quanto": "quanto",
    "quark": "Quark",
    "spqr": "SpQR",
    "torchao": "torchao",
    "vptq": "VPTQ",
}
# Those that transformers turns into plain weights when it is asked to.
TURNED_BACK = ("fp8", "mxfp4", "mxfp8")
# What older tools wrote beside a config.json that does not speak of it.
BESIDE = {
    "quantize_config.json": "gptq",
    "quant_config.json": "awq",
    "hf_quant_config.json": "modelopt",
}
BITS = ("bits", "w_bit", "wbits", "nbits", "num_bits", "nbits_per_codebook")
# Where the name of a quantized checkpoint says how it was made.
MARK = re.compile(
    r"[-_.](unsloth|bnb|bitsandbytes|gptq|awq|hqq|aqlm|eetq|quanto|torchao|ao|fbgemm|bitnet|modelopt|quark|spqr|vptq"
    r"|(nv|mx)?fp[468]|int[2348]|i?q[2348]|[2348]-?bits?[a-z]*|w\d+a\d+|quant(ized)?|compressed)"
    r"(?![a-z]).*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantization:
    """How a checkpoint that can be turned back is quantized.

    Args:
        method: transformers' name of it.
        label: people's.
    """

    method: str
    label: str

    def turned_back(self, written: Mapping[str, Any]) -> dict[str, Any]:
        """The quantization_config with which transformers makes plain weights of it."""
        return {**written, "dequantize": True}


def find_quantization(
    name: str, config: Mapping[str, Any], folder: Path | None
) -> Quantization | None:
    """How a checkpoint is quantized; None when it is not.

    Args:
        name: the hub id or folder, as people call it.
        config: what its config.json says.
        folder: where its files lie, where that is known.

    Raises:
        ModelError: it cannot be edited; the message says which checkpoint can.
    """
    written = _written(config, folder)
    if written is None:
        return None
    if not isinstance(written, Mapping):
        raise ModelError(
            f"The config.json of '{name}' has quantization_config {shown(written)}; it must be a "
            "table. Correct it, or take the checkpoint that it was made "
            f"from{made_from(name, config)}."
        )
    method = str(written.get("quant_method") or _unnamed(written))
    if method in TURNED_BACK:
        return Quantization(method, KINDS[method])
    bits = _bits(written)
    label = KINDS.get(method) or printable(method)[:60]
    label += f", {bits} bits" if bits else ""
    raise ModelError(
        f"'{name}' is quantized ({label}). Editing needs weights in 16 or 32 bits: take the "
        f"checkpoint that it was made from{made_from(name, config)}."
    )


def made_from(name: str, config: Mapping[str, Any]) -> str:
    """How the checkpoint that a quantized one was made from is probably called, as a clause."""
    told = config.get("_name_or_path")
    if isinstance(told, str) and re.fullmatch(r"[\w.-]+/[\w.-]+", told) and told != name:
        plain = MARK.sub("", told)
        return f", named '{plain}'"
    last = Path(name).name
    plain = MARK.sub("", last)
    if plain and plain != last:
        return f", often named '{plain}'"
    return ""


def _written(config: Mapping[str, Any], folder: Path | None) -> Any:
    """What is said of quantization in the config, its text part, or a file beside it."""
    for part in (config, config.get("text_config")):
        for key in ("quantization_config", "compression_config"):
            if isinstance(part, Mapping) and part.get(key) is not None:
                return part[key]
    for file, method in BESIDE.items():
        if folder is not None and (folder / file).is_file():
            return {"quant_method": method}
    return None


def _unnamed(written: Mapping[str, Any]) -> str:
    """The method where the config does not name it, as early ones did not."""
    if written.get("load_in_4bit") or written.get("load_in_8bit"):
        return "bitsandbytes"
    if "config_groups" in written or "quantization_status" in written:
        return "compressed-tensors"
    return "of a kind that its config does not name"


def _bits(written: Mapping[str, Any]) -> int | None:
    if written.get("load_in_4bit") or written.get("load_in_8bit"):
        return 4 if written.get("load_in_4bit") else 8
    for part in _parts(written, 4):
        for key in BITS:
            if isinstance(bits := part.get(key), int) and 0 < bits < 32:
                return bits
    return None


def _parts(written: Mapping[str, Any], depth: int) -> list[Mapping[str, Any]]:
    """A table and those inside it."""
    found = [written]
    for value in written.values() if depth else ():
        if isinstance(value, Mapping):
            found += _parts(value, depth - 1)
    return found
