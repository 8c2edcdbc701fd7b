"""How a model can be made to answer: with its cache or without, prompts side by side or not.

Layers with a memory of their own kind, such as state spaces, need a cache that their code manages,
and may read the padding in front of a shorter prompt as if it were text. So it is tried on a few
tokens when the model is loaded, against plain passes over the same texts, and what does not give
the same logits is not used. Knows nothing about prompts or patches.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import GenerationConfig

from workbench.model.answering import Answering
from workbench.model.language_model import LanguageModel
from workbench.model.states import run

__all__ = ["check_answering"]

LENGTHS = (19, 6)
NEW_TOKENS = 3
SHOWN = 100  # characters of an error of the model's own code


def check_answering(model: LanguageModel) -> Answering:
    """Finds the fastest way to answer that gives the logits of plain passes.

    Args:
        model: the base, as it was loaded.
    """
    reasons = []
    for pads, caches in ((True, True), (False, True), (True, False), (False, False)):
        try:
            off = _difference(model, pads, caches)
        except Exception as error:
            line = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            reasons.append(line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…")
            continue
        allowed = 1e-4 if model.dtype == torch.float32 else 0.03
        if off <= allowed:
            return Answering(pads, caches, _words(pads, caches, reasons[0] if reasons else ""))
        reasons.append(f"logits off by {off:.1%} of the largest")
    return Answering(False, False, f"answers cannot be relied on ({reasons[-1]})", works=False)


def _words(pads: bool, caches: bool, why: str) -> str:
    if pads and caches:
        return ""
    how = "without a cache" if not caches else "only prompts of one length at a time"
    return f"answers come more slowly, {how} ({why})"


@torch.no_grad()
def _difference(model: LanguageModel, pads: bool, caches: bool) -> float:
    """The largest difference of a logit from a plain pass's, relative to the largest logit."""
    vocabulary = model.network.get_input_embeddings().num_embeddings
    texts = [torch.arange(n, device=model.device).mul(5).add(9 + n) % vocabulary for n in LENGTHS]
    worst = 0.0
    for batch in [texts] if pads else [[text] for text in texts]:
        said, steps = _answers(model, batch, caches)
        longest = max(map(len, batch))
        for row, text in enumerate(batch):
            whole = torch.cat([text, said[row, longest:]])
            plain = run(model, whole[:-1].unsqueeze(0))[0, len(text) - 1 :].float()
            seen = torch.stack([step[row] for step in steps])
            worst = max(worst, float((seen - plain).abs().max() / plain.abs().max()))
    return worst


def _answers(
    model: LanguageModel, texts: list[torch.Tensor], caches: bool
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """A few new tokens behind each text, and the logits at each of them: (texts, vocabulary)."""
    longest = max(map(len, texts))
    ids = torch.stack([torch.nn.functional.pad(t, (longest - len(t), 0)) for t in texts])
    mask = torch.stack([torch.arange(longest) >= longest - len(text) for text in texts])
    steps: list[torch.Tensor] = []
    hook = model.network.register_forward_hook(
        lambda module, args, output: steps.append(output.logits[:, -1].float())
    )
    try:
        with _plain_settings(model):
            said = model.network.generate(
                input_ids=ids,
                attention_mask=mask.long().to(ids.device),
                generation_config=GenerationConfig(
                    max_new_tokens=NEW_TOKENS,
                    do_sample=False,
                    use_cache=caches,
                    pad_token_id=0,
                ),
            )
    finally:
        hook.remove()
    return said, steps


@contextmanager
def _plain_settings(model: LanguageModel) -> Iterator[None]:
    """A block in which the checkpoint's own generation settings do not count."""
    own = model.network.generation_config
    model.network.generation_config = GenerationConfig()
    try:
        yield
    finally:
        model.network.generation_config = own
