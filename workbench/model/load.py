"""Loading: the built-in model, one of the hub, or a local folder, made ready for editing.

Invariants: no token is added and no embedding resized; weights come from safetensors only; a
model's own code runs only when a person asks for it; the network is used only for a hub id.
"""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from huggingface_hub import constants
from safetensors import SafetensorError
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from workbench.errors import MemoryShortage, ModelError
from workbench.model.answer_check import check_answering
from workbench.model.devices import choose_device, choose_dtype
from workbench.model.language_model import LanguageModel
from workbench.model.layers import find_layers
from workbench.model.memory import free_memory, is_out_of_memory, readable_size
from workbench.model.reading import require_causal
from workbench.model.states import check_states
from workbench.paths import builtin_model_dir

__all__ = ["LanguageModel", "load_model", "load_tokenizer", "prepare"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model comes from.

    Args:
        name: what people call it.
        path: what transformers is given.
        is_local: whether it is a folder of this machine.
        offline: whether the hub cannot be reached, so that only its cache is looked into.
        trust_remote_code: whether code that comes with the model may run.
    """

    name: str
    path: str
    is_local: bool
    offline: bool = False
    trust_remote_code: bool = False

    def options(self) -> dict[str, Any]:
        """What every ``from_pretrained`` of this source is called with."""
        return {
            "local_files_only": self.is_local or self.offline,
            "trust_remote_code": self.trust_remote_code,
        }


def load_model(
    name: str = "builtin",
    *,
    device: str | None = None,
    dtype: str | None = None,
    trust_remote_code: bool = False,
) -> LanguageModel:
    """Loads a model for editing, and checks whether its hidden states can be kept.

    Args:
        name: ``builtin``, a hub id such as ``Qwen/Qwen2.5-7B-Instruct``, or a local folder.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``; None takes the best one there is.
        dtype: ``float32``, ``bfloat16`` or ``float16``; None takes the checkpoint's on CUDA and
            float32 elsewhere.
        trust_remote_code: whether code that comes with the model may run on this machine.

    Raises:
        ModelError: no such model, not a decoder, no safetensors, no network and not cached, an
            unknown device or dtype.
        MemoryShortage: the model does not fit.
    """
    transformers_logging.disable_progress_bar()
    source = _find_source(name, trust_remote_code)
    target = choose_device(device)
    config = _load_config(source)
    checkpoint_dtype = getattr(config.get_text_config(), "dtype", None) or config.dtype
    chosen = choose_dtype(dtype, target, checkpoint_dtype)
    _require_memory(source, config, target, chosen)
    network = _load_network(source, target, chosen)
    return prepare(source.name, network, _load_tokenizer(source))


def load_tokenizer(
    name: str = "builtin", *, trust_remote_code: bool = False
) -> tuple[PreTrainedTokenizerBase, int | None]:
    """Loads a model's tokenizer alone, without its weights.

    Args:
        name: see `load_model`.
        trust_remote_code: see `load_model`.

    Returns:
        The tokenizer, and how many tokens the model reads at most, or None when its config does
        not say.

    Raises:
        ModelError: see `load_model`.
    """
    source = _find_source(name, trust_remote_code)
    longest = getattr(_load_config(source).get_text_config(), "max_position_embeddings", None)
    return _load_tokenizer(source), longest if isinstance(longest, int) and longest > 0 else None


def prepare(
    name: str, network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> LanguageModel:
    """Makes a model that is already in memory ready for editing: frozen, in eval mode, checked.

    Args:
        name: what to call it in patches and messages.
        network: a Hugging Face decoder.
        tokenizer: its tokenizer.

    Raises:
        ModelError: it has no list of decoder layers, or reads other things than text so far.
    """
    network.eval()
    network.requires_grad_(False)
    expected = getattr(network.config.get_text_config(), "num_hidden_layers", None)
    model = LanguageModel(name, network, tokenizer, find_layers(network, expected))
    require_causal(model)
    model.returns, model.fallback = check_states(model)
    model.answering = check_answering(model)
    return model


def _find_source(name: str, trust_remote_code: bool) -> Source:
    if name == "builtin":
        return Source(name, str(builtin_model_dir()), is_local=True)
    folder = Path(name).expanduser()
    looks_local = folder.exists() or name.startswith((".", "~", "/")) or "\\" in name
    if not looks_local:
        offline = not _hub_answers()
        return Source(name, name, False, offline, trust_remote_code)
    if not folder.is_dir():
        raise ModelError(f"There is no model folder '{name}'. Check the path.")
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"The folder '{name}' holds no config.json, so it is not a Hugging Face model. "
            "Choose the folder that 'save_pretrained' wrote."
        )
    if not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"The folder '{name}' holds no *.safetensors file. Only safetensors are loaded; "
            "convert the model with save_pretrained first."
        )
    return Source(str(folder), str(folder), True, trust_remote_code=trust_remote_code)


def _hub_answers() -> bool:
    """Whether the hub can be reached; asked once, because the hub's library retries for long."""
    if constants.HF_HUB_OFFLINE:
        return False
    if getproxies():
        return True
    address = urlsplit(constants.ENDPOINT)
    port = address.port or (80 if address.scheme == "http" else 443)
    try:
        with socket.create_connection((address.hostname or "", port), timeout=5):
            return True
    except OSError:
        return False


def _load_config(source: Source) -> Any:
    try:
        config = AutoConfig.from_pretrained(source.path, **source.options())
    except (OSError, ValueError) as error:
        raise _explained(source, error) from error
    names = config.architectures or []
    is_decoder = type(config) in MODEL_FOR_CAUSAL_LM_MAPPING or hasattr(config, "auto_map")
    other_task = names and not any(
        n.endswith(("CausalLM", "LMHeadModel", "ConditionalGeneration")) for n in names
    )
    if not is_decoder or other_task or getattr(config, "is_encoder_decoder", False):
        kind = ", ".join(names) or config.model_type
        raise ModelError(
            f"'{source.name}' is not a causal language model ({kind}). Choose a decoder that "
            "continues text, such as Llama, Qwen, Mistral, Gemma or GPT-2."
        )
    return config


def _explained(source: Source, error: Exception) -> ModelError:
    """The error of transformers or the hub, as one sentence that says what to do."""
    chain, seen = [], error
    while seen is not None and seen not in chain:
        chain.append(seen)
        seen = seen.__cause__ or seen.__context__  # type: ignore[assignment]
    kinds = {type(e).__name__ for e in chain}
    text = " ".join(str(e) for e in chain)
    if "trust_remote_code" in text:
        return ModelError(
            f"'{source.name}' comes with code of its own. Only if you trust its authors, allow it "
            "with trust_remote_code."
        )
    if "GatedRepoError" in kinds or "gated repo" in text:
        return ModelError(
            f"'{source.name}' is gated. Ask for access on its hub page, then log in with "
            "'hf auth login'."
        )
    if kinds & {"RepositoryNotFoundError", "HFValidationError"} or "not a valid model" in text:
        return ModelError(
            f"There is no model '{source.name}' on the hub, nor a folder of that name. Write "
            "'builtin', a hub id such as Qwen/Qwen2.5-0.5B, or the path of a folder."
        )
    if source.is_local:
        return ModelError(f"The model in '{source.name}' cannot be read: {_first_line(error)}")
    if "safetensors" in text:
        return ModelError(
            f"'{source.name}' has no safetensors weights, and nothing else is loaded. Choose a "
            "repository that has them."
        )
    return ModelError(
        f"'{source.name}' is not in this machine's cache and the hub cannot be reached. Connect "
        "to the network once, or choose a local folder or 'builtin'."
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _require_memory(source: Source, config: Any, device: torch.device, dtype: torch.dtype) -> None:
    with torch.device("meta"):
        try:
            empty = AutoModelForCausalLM.from_config(
                config, trust_remote_code=source.trust_remote_code
            )
        except (OSError, ValueError, ImportError) as error:
            raise _explained(source, error) from error
    needed = sum(p.numel() for p in empty.parameters()) * dtype.itemsize
    free = free_memory(device)
    if needed > free:
        raise MemoryShortage(
            f"'{source.name}' needs {readable_size(needed)} in {str(dtype).removeprefix('torch.')},"
            f" but {device} has {readable_size(free)} free. Choose a smaller model, a smaller "
            "dtype, or another device."
        )


def _load_network(source: Source, device: torch.device, dtype: torch.dtype) -> PreTrainedModel:
    try:
        network, report = AutoModelForCausalLM.from_pretrained(
            source.path,
            dtype=dtype,
            use_safetensors=True,
            output_loading_info=True,
            # Straight onto the GPU, so that main memory need not hold the model as well.
            device_map=str(device) if device.type == "cuda" else None,
            **source.options(),
        )
        network.to(device)
    except (OSError, ValueError, SafetensorError) as error:
        raise _explained(source, error) from error
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise MemoryShortage(
                f"'{source.name}' does not fit in the memory of {device}. Choose a smaller "
                "model, a smaller dtype, or another device."
            ) from error
        if "size mismatch" in str(error):
            raise _explained(source, error) from error
        raise
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])
        raise ModelError(
            f"'{source.name}' lacks {len(missing)} of its weights, such as {missing[0]}. Its "
            "files are incomplete; fetch or save them again."
        )
    return cast(PreTrainedModel, network)


def _load_tokenizer(source: Source) -> PreTrainedTokenizerBase:
    try:
        tokenizer = AutoTokenizer.from_pretrained(source.path, **source.options())
    except (OSError, ValueError) as error:
        raise ModelError(
            f"'{source.name}' has no tokenizer that can be read: {_first_line(error)}"
        ) from error
    return cast(PreTrainedTokenizerBase, tokenizer)
