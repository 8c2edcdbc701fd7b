"""Loading: the built-in model, one of the hub, or a local folder, made ready for editing.

Invariants: no token is added and no embedding resized; weights come from safetensors only; a
model's own code runs only when a person asks for it; the network is used only for a hub id.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from workbench.model.answer_check import check_answering
from workbench.model.devices import choose_device, choose_dtype
from workbench.model.language_model import LanguageModel
from workbench.model.layers import find_layers
from workbench.model.loading.config import load_config
from workbench.model.loading.network import empty_network, placed
from workbench.model.loading.offload import Where, streamed
from workbench.model.loading.source import find_source
from workbench.model.loading.tokenizer import guard_embeddings, read_tokenizer, require_embeddings
from workbench.model.loading.weights import load_network, local_tensors, require_finite
from workbench.model.outline import Outline
from workbench.model.reading import CAUSAL_PASSES, require_causal
from workbench.model.shipped import Shipped, plain_flags, read_shipped
from workbench.model.states import check_states
from workbench.work.sizes import parse_memory

__all__ = ["LanguageModel", "load_model", "load_outline", "load_tokenizer", "prepare"]


def load_model(
    name: str = "builtin",
    *,
    device: str | None = None,
    dtype: str | None = None,
    trust_remote_code: bool = False,
    memory: int | str | None = None,
) -> LanguageModel:
    """Loads a model for editing, and checks whether its hidden states can be kept.

    Everything that can be told from its small files and the heads of the large ones is checked
    before a weight is read.

    Args:
        name: ``builtin``, ``smollm2-135m``, a hub id such as ``Qwen/Qwen2.5-7B-Instruct``, a
            local folder, or a GGUF file.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``; None takes the best one there is.
        dtype: ``float32``, ``bfloat16`` or ``float16``; None takes the checkpoint's on CUDA and
            float32 elsewhere.
        trust_remote_code: whether code that comes with the model may run on this machine.
        memory: bytes that the device may hold, or a size such as ``12GB``; on a CPU what weights
            may take. Layers that do not fit are read as they are needed. None takes what is free.

    Raises:
        SettingsError: the memory is no size.
        ModelError: no such model, not a decoder, no safetensors, quantized, files that do not fit
            each other, no network and not cached, an unknown device or dtype.
        MemoryShortage: the model does not fit.
    """
    with _quiet():
        source = find_source(name, trust_remote_code)
        target = choose_device(device)
        config = load_config(source)
        chosen = choose_dtype(dtype, target, config.dtype)
        stored = local_tensors(source, config)
        empty = empty_network(source, config)
        tokenizer = read_tokenizer(source, config)
        of_tokenizer = require_embeddings(
            source, tokenizer, empty.get_input_embeddings().num_embeddings
        )
        budget = parse_memory(memory) if isinstance(memory, str) else memory
        apart = placed(source, config, empty, stored, target, chosen, budget)
        where = Where.of(*apart) if apart is not None else None
        shipped = Shipped()
        if source.gguf is None:
            shipped = read_shipped(source.path, local_files_only=source.no_network)
        network, of_weights = load_network(
            source, config, empty, stored, target, chosen, shipped.generation_override(), where
        )
        require_finite(source, network)
    if of_tokenizer:
        guard_embeddings(network)
    model = prepare(source.name, network, tokenizer, shipped, where)
    model.origin = source.origin or config.origin
    model.notices = (*of_weights, *of_tokenizer)
    return model


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
    with _quiet():
        source = find_source(name, trust_remote_code)
        config = load_config(source)
        longest = getattr(config.text, "max_position_embeddings", None)
        tokenizer = read_tokenizer(source, config)
    return tokenizer, longest if isinstance(longest, int) and longest > 0 else None


def load_outline(
    name: str = "builtin",
    *,
    device: torch.device,
    dtype: str | None = None,
    trust_remote_code: bool = False,
) -> Outline:
    """A model's network without its weights, by its config alone.

    The hub is asked only for a config that is not in this machine's cache.

    Args:
        name: see `load_model`.
        device: where the model would be; it decides the dtype, and nothing is put there.
        dtype: see `load_model`.
        trust_remote_code: see `load_model`.

    Raises:
        ModelError: see `load_model`.
    """
    with _quiet():
        source = find_source(name, trust_remote_code, config_only=True)
        config = load_config(source)
        network = empty_network(source, config).to(choose_dtype(dtype, device, config.dtype))
        return Outline(source.name, network, find_layers(network, config.layers))


@contextmanager
def _quiet() -> Iterator[None]:
    """A block in which transformers prints nothing: what matters of it is raised or noticed."""
    level = transformers_logging.get_verbosity()
    of_accelerate = logging.getLogger("accelerate.big_modeling")
    its_level = of_accelerate.level
    of_accelerate.setLevel(logging.ERROR)
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity(transformers_logging.CRITICAL)
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        of_accelerate.setLevel(its_level)


def prepare(
    name: str,
    network: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    shipped: Shipped | None = None,
    where: Where | None = None,
) -> LanguageModel:
    """Makes a model that is already in memory ready for editing: frozen, in eval mode, checked.

    What its config says of the form of a forward's result is set aside.

    Args:
        name: what to call it in patches and messages.
        network: a Hugging Face decoder.
        tokenizer: its tokenizer.
        shipped: the settings that came with it; None takes them from the network.
        where: what of it was left on disk; None for nothing.

    Raises:
        ModelError: it has no list of decoder layers, or reads other things than text so far.
    """
    shipped = Shipped.of(network) if shipped is None else shipped
    plain_flags(network.config)
    network.eval()
    network.requires_grad_(False)
    expected = getattr(network.config.get_text_config(), "num_hidden_layers", None)
    if where is None:
        layers, stream = find_layers(network, expected), None
    else:
        layers, stream = streamed(network, where)
    model = LanguageModel(name, network, layers, tokenizer, shipped, stream=stream)
    began = time.monotonic()
    require_causal(model)
    if stream is not None:
        model.pass_seconds = (time.monotonic() - began) / CAUSAL_PASSES
    model.returns, model.fallback = check_states(model)
    model.answering = check_answering(model)
    return model
