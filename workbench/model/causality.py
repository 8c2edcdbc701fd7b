"""Whether a network continues text: what stands before must not depend on what comes after.

Told by what it does, not by what it is called, so that an encoder in a decoder's clothes is found.
"""

import torch

from workbench.errors import MemoryShortage, ModelError
from workbench.model.language_model import LanguageModel
from workbench.model.loading.errors import essential_line
from workbench.model.memory import is_out_of_memory
from workbench.model.states import run

__all__ = ["require_causal"]

LENGTH = 12


@torch.no_grad()
def require_causal(model: LanguageModel) -> None:
    """Refuses a model whose logits at a token change when a later token does.

    Raises:
        ModelError: they do, or the model cannot be run at all.
        MemoryShortage: a few tokens are too much for its device.
    """
    vocabulary = model.network.get_input_embeddings().num_embeddings
    if vocabulary < 2:
        return
    ids = (torch.arange(LENGTH, device=model.device) * 7 + 3).remainder(vocabulary).view(1, LENGTH)
    other = ids.clone()
    other[0, -1] = (other[0, -1] + 1) % vocabulary
    try:
        first, second = run(model, ids)[0].float(), run(model, other)[0].float()
    except Exception as error:
        if is_out_of_memory(error):
            raise MemoryShortage(
                f"'{model.name}' fits in the memory of {model.device}, but nothing else does. "
                "Choose a smaller model, a smaller dtype, or another device."
            ) from error
        raise ModelError(
            f"'{model.name}' cannot be run: {essential_line(error)} Its config.json may not be "
            "that of this model; fetch or save it again."
        ) from error
    before = (first[:-1] - second[:-1]).abs().max()
    # Experts are given other tokens together, so their rounding may differ. In 16 bits it may
    # even choose another expert; there only a plain glance ahead is told from it.
    allowed = 1e-4 if model.dtype == torch.float32 else 0.1
    if before > allowed * first.abs().max():
        raise ModelError(
            f"'{model.name}' looks at the text that comes after, as an encoder does, so it does "
            "not continue text. Choose a decoder, such as Llama, Qwen, Mistral, Gemma or GPT-2."
        )
