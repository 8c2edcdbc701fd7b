"""A model's tokenizer: read, and compared with the embeddings that its tokens are looked up in.

Knows nothing about the rest of the network.
"""

from typing import Any, cast

import torch
from torch import nn
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from workbench.errors import ModelError
from workbench.model.gguf import load_gguf_tokenizer
from workbench.model.loading.config import ModelConfig
from workbench.model.loading.errors import essential_line, explained
from workbench.model.loading.source import Source

__all__ = ["guard_embeddings", "read_tokenizer", "require_embeddings"]

# How the tokenizers library says that a file is of a format that it does not know.
NEWER = (
    "did not match any variant",
    "Unknown tokenizer version",
    "unknown variant",
    "missing field",
)


def read_tokenizer(source: Source, config: ModelConfig) -> PreTrainedTokenizerBase:
    """The tokenizer of a model.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    try:
        if source.gguf is not None:
            return load_gguf_tokenizer(source.gguf, config.config)
        tokenizer = AutoTokenizer.from_pretrained(source.path, **source.options())
    except BaseException as error:
        # What goes wrong inside the library's own language is no `Exception` in Python.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        text = str(error)
        if any(words in text for words in NEWER):
            raise ModelError(
                f"The tokenizer.json of '{source.name}' is of a format that is not known here "
                f"({essential_line(error).rstrip('.')}). Update the libraries that read it (pip "
                "install -U tokenizers transformers), or fetch the file again."
            ) from error
        if "trust_remote_code" in text or ("backend tokenizer" not in text and not source.is_local):
            raise explained(source, error) from error
        why = essential_line(error)
        if "backend tokenizer" in text:
            why = "there is neither a tokenizer.json nor another file of one."
        raise ModelError(
            f"'{source.name}' has no tokenizer that can be read: {why} Fetch or save the "
            "tokenizer's files again, into the model's folder."
        ) from error
    return cast(PreTrainedTokenizerBase, tokenizer)


def require_embeddings(
    source: Source, tokenizer: PreTrainedTokenizerBase, rows: int
) -> tuple[str, ...]:
    """Refuses a tokenizer that writes tokens for which the network has no embedding.

    Special tokens that only stand in a text when somebody writes them there, such as the place of
    an image, are left: models of a family share them. A notice says so.

    Args:
        source: where the model comes from.
        tokenizer: its tokenizer.
        rows: how many embeddings it has.

    Returns:
        What people must know of the tokenizer.

    Raises:
        ModelError: an ordinary token, or one that ends, begins or pads a text, is beyond them.
    """
    beyond = {token: i for token, i in tokenizer.get_vocab().items() if i >= rows}
    if not beyond:
        return ()
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    # Around every text: the end, what pads, and whatever else the tokenizer puts there.
    used = {tokenizer.eos_token_id, tokenizer.pad_token_id, *tokenizer("").input_ids}
    wrong = sorted((i, t) for t, i in beyond.items() if i not in special or i in used)
    if wrong:
        number, token = wrong[0]
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise ModelError(
            f"The tokenizer of '{source.name}' has more tokens than the model has embeddings: "
            f"{token!r} is number {number}{more}, and the last embedding is number {rows - 1}. "
            "Take the tokenizer that belongs to the model."
        )
    first = min(beyond, key=lambda token: beyond[token])
    return (
        f"Its tokenizer has {len(beyond)} special token{'' if len(beyond) == 1 else 's'} without "
        f"an embedding, such as {first}; a text with one cannot be read.",
    )


def guard_embeddings(network: PreTrainedModel) -> None:
    """Has a network refuse tokens without an embedding in words; a GPU would end the process."""
    embeddings = network.get_input_embeddings()
    rows = embeddings.num_embeddings

    def refuse(module: nn.Module, given: tuple[Any, ...]) -> None:
        if given and isinstance(given[0], torch.Tensor) and given[0].numel():
            highest = int(given[0].max())
            if highest >= rows:
                raise ModelError(
                    f"A text has a token without an embedding, number {highest}; the last one is "
                    f"number {rows - 1}. Take the special token out of the text."
                )

    embeddings.register_forward_pre_hook(refuse)
