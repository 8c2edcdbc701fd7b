"""Whether a model reads text as editing needs it to: text alone, and never ahead.

A config may call a model a decoder that is none. So it is tried when the model is loaded: a few
tokens are read, then the same with other tokens at the end, which must not change what was said
before them. Where it does, targets would be seen before they are predicted.
"""

import torch

from workbench.errors import ModelError
from workbench.model.language_model import LanguageModel
from workbench.model.memory import is_out_of_memory
from workbench.model.states import run

__all__ = ["CAUSAL_PASSES", "require_causal"]

TOKENS, KEPT = 12, 8
CAUSAL_PASSES = 2  # that the check takes


@torch.no_grad()
def require_causal(model: LanguageModel) -> None:
    """Makes sure that a model's logits depend on the tokens so far alone.

    Args:
        model: the base, as it was loaded.

    Raises:
        ModelError: they do not, or the model cannot read text alone.
    """
    vocabulary = model.network.get_input_embeddings().num_embeddings
    ids = (torch.arange(TOKENS, device=model.device) * 7 + 3).remainder(vocabulary)
    other = ids.clone()
    other[KEPT:] = (other[KEPT:] + 5).remainder(vocabulary)
    try:
        one, two = (run(model, row.unsqueeze(0))[0].float() for row in (ids, other))
    except Exception as error:
        if is_out_of_memory(error) or isinstance(error, ModelError):
            raise  # a layer that is read as it is needed may turn out to be spoiled
        why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"'{model.name}' cannot read text alone ({why}). Choose a decoder that continues "
            "text, such as Llama, Qwen, Mistral, Gemma or GPT-2."
        ) from error
    if one.shape[:1] != ids.shape:
        raise ModelError(
            f"'{model.name}' gives {one.shape[0]} predictions for {TOKENS} tokens, so what is said "
            "of a token cannot be told. Choose a decoder that continues text token by token."
        )
    if not (one.isfinite().all() and two.isfinite().all()):
        raise ModelError(
            f"'{model.name}' gives predictions that are no numbers in "
            f"{str(model.dtype).removeprefix('torch.')}. Load it in float32 or bfloat16."
        )
    off = (one[:KEPT] - two[:KEPT]).abs().max()
    allowed = 1e-5 if model.dtype == torch.float32 else 0.02
    if not off <= allowed * one.abs().max():
        raise ModelError(
            f"'{model.name}' reads ahead: later tokens change what it says of earlier ones, as in "
            "an encoder. Choose a decoder that continues text, such as Llama, Qwen, Mistral, "
            "Gemma or GPT-2."
        )
