"""Texts as a model goes on with them, drawn by a seed: not greedy, nor as it is shipped.

Knows nothing about what they are for.
"""

from collections.abc import Sequence

import torch
from transformers import GenerationConfig

from workbench.errors import ModelError
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.shipped import plain_generation
from workbench.model.tokens import prompt_tokens

__all__ = ["continued"]

AT_ONCE = 32


@torch.no_grad()
def continued(
    model: LanguageModel, prompts: Sequence[str], *, tokens: int, choices: int, seed: int
) -> list[str]:
    """Each prompt with so many more tokens, whether or not the model would end.

    Args:
        model: with whatever weights are swapped in.
        prompts: how the texts begin.
        tokens: how many are added; fewer where the model reads no more.
        choices: each is drawn from so many of the likeliest.
        seed: the same gives the same texts.

    Raises:
        ModelError: a prompt leaves the model no room.
    """
    tokenizer = model.tokenizer
    encoded = prompt_tokens(tokenizer, prompts)
    longest = max(map(len, encoded))
    room = tokens if model.longest is None else min(tokens, model.longest - longest)
    if room < 1:
        raise ModelError(
            f"A prompt of {longest} tokens leaves this model, which reads {model.longest}, no room "
            "to go on. Shorten it."
        )
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    config = GenerationConfig(
        max_new_tokens=room,
        min_new_tokens=room,
        do_sample=True,
        top_k=choices,
        use_cache=model.answering.caches,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=padding,
    )

    def work(rows: Sequence[int]) -> list[str]:
        longest = max(len(encoded[row]) for row in rows)
        ids = torch.full((len(rows), longest), padding)
        mask = torch.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, longest - len(encoded[row]) :] = torch.tensor(encoded[row])
            mask[place, longest - len(encoded[row]) :] = 1
        with torch.random.fork_rng(), plain_generation(model.network):
            torch.manual_seed(seed)
            new = model.network.generate(
                input_ids=ids.to(model.device),
                attention_mask=mask.to(model.device),
                generation_config=config,
            )[:, longest:]
        texts: list[str] = tokenizer.batch_decode(new, skip_special_tokens=True)
        return texts

    found: dict[int, str] = {}
    lengths = [len(ids) for ids in encoded]
    for together in model.answering.groups(range(len(prompts)), lengths):
        for rows, texts in in_batches(together, AT_ONCE, model.device, work):
            found.update(zip(rows, texts, strict=True))
    return [prompt + found[row] for row, prompt in enumerate(prompts)]
