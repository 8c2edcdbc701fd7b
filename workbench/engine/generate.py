"""Greedy answers to prompts, in batches.

Invariant: the model's own generation settings (sampling, penalties) are set aside, so that an
answer depends on the weights and the prompt alone. Knows nothing about patches or metrics.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedTokenizerBase,
)

from workbench.engine.language_model import LanguageModel
from workbench.engine.memory import in_batches
from workbench.engine.tokens import prompt_tokens
from workbench.recipe.errors import ModelError, SettingsError

__all__ = ["Answer", "StopRule", "generate"]

StopRule = Literal["eos", "sentence"]
"""Where an answer ends: at EOS; or, as in arXiv 2509.22072, also at "." or a newline."""

TOKENS_PER_PASS = 8192


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says to a prompt.

    Args:
        text: the answer without what ends it.
        tokens: its token ids, the EOS included if it was reached.
        top: the likeliest next tokens after the prompt, each with its probability.
    """

    text: str
    tokens: tuple[int, ...]
    top: tuple[tuple[str, float], ...]


class _FirstScores(LogitsProcessor):  # type: ignore[misc]
    """Keeps the scores of the first new token, and changes nothing."""

    def __init__(self) -> None:
        self.scores: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if self.scores is None:
            self.scores = scores.float()
        return scores


@lru_cache(maxsize=4)
def _sentence_ends(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """The tokens with a full stop or a newline in them."""
    texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    return {token for token, text in enumerate(texts) if "." in text or "\n" in text}


def generate(
    model: LanguageModel,
    prompts: Sequence[str],
    *,
    chat: bool = False,
    max_new_tokens: int = 32,
    stop: StopRule = "eos",
    top_k: int = 5,
) -> list[Answer]:
    """Greedy answers of the model as it is now.

    Args:
        model: with whatever weights are swapped in.
        prompts: raw texts to continue, or, with `chat`, what a user says.
        chat: whether prompts go through the tokenizer's chat template.
        max_new_tokens: most tokens an answer has.
        stop: where an answer ends.
        top_k: how many next tokens to report.

    Raises:
        ModelError: the tokenizer has no chat template, or a prompt is too long for the model.
        SettingsError: an unknown stop rule, or a number below 1.
    """
    if stop not in ("eos", "sentence"):
        raise SettingsError(f"stop is {stop!r}; choose 'eos' or 'sentence'.")
    if max_new_tokens < 1 or top_k < 1:
        raise SettingsError("max_new_tokens and top_k must be whole numbers, 1 or more.")
    if not prompts:
        return []
    encoded = _chat_tokens(model, prompts) if chat else prompt_tokens(model.tokenizer, prompts)
    longest = max(len(ids) for ids in encoded)
    if model.longest is not None and longest >= model.longest:
        raise ModelError(
            f"A prompt has {longest} tokens; this model reads at most {model.longest}. Shorten it."
        )
    room = max_new_tokens
    if model.longest is not None:
        room = min(room, model.longest - longest)
    ends = _end_tokens(model) | (_sentence_ends(model.tokenizer) if stop == "sentence" else set())

    def work(rows: Sequence[int]) -> list[Answer]:
        return _generate_batch(model, [encoded[row] for row in rows], room, stop, ends, top_k)

    order = sorted(range(len(encoded)), key=lambda row: len(encoded[row]))
    size = max(1, TOKENS_PER_PASS // (longest + room))
    answers: dict[int, Answer] = {}
    for rows, batch in in_batches(order, size, model.device, work):
        answers.update(zip(rows, batch, strict=True))
    return [answers[row] for row in range(len(encoded))]


def _chat_tokens(model: LanguageModel, prompts: Sequence[str]) -> list[tuple[int, ...]]:
    if not getattr(model.tokenizer, "chat_template", None):
        raise ModelError(f"'{model.name}' has no chat template. Ask it with raw prompts instead.")
    texts = [
        model.tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
        )
        for prompt in prompts
    ]
    found = model.tokenizer(texts, add_special_tokens=False)["input_ids"]
    return [tuple(ids) for ids in found]


@torch.no_grad()
def _generate_batch(
    model: LanguageModel,
    texts: list[tuple[int, ...]],
    room: int,
    stop: StopRule,
    ends: set[int],
    top_k: int,
) -> list[Answer]:
    tokenizer, device = model.tokenizer, model.device
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends)
    longest = max(len(ids) for ids in texts)
    input_ids = torch.full((len(texts), longest), padding)
    mask = torch.zeros_like(input_ids)
    for row, ids in enumerate(texts):
        input_ids[row, longest - len(ids) :] = torch.tensor(ids)
        mask[row, longest - len(ids) :] = 1
    first = _FirstScores()
    output = model.network.generate(
        input_ids=input_ids.to(device),
        attention_mask=mask.to(device),
        generation_config=_greedy(room, ends, padding),
        logits_processor=LogitsProcessorList([first]),
    )[:, longest:].tolist()
    assert first.scores is not None
    shares, tokens = first.scores.softmax(dim=-1).topk(min(top_k, first.scores.shape[-1]))
    return [
        _answer(model, _until_end(new, ends), stop, list(zip(ids, probabilities, strict=True)))
        for new, ids, probabilities in zip(output, tokens.tolist(), shares.tolist(), strict=True)
    ]


def _until_end(new: list[int], ends: set[int]) -> tuple[int, ...]:
    """New tokens up to the first that ends the answer; padding stands behind it."""
    length = next((i for i, token in enumerate(new, start=1) if token in ends), len(new))
    return tuple(new[:length])


def _end_tokens(model: LanguageModel) -> set[int]:
    """The tokens that end an answer: the tokenizer's EOS and those the model itself names."""
    named = model.network.generation_config.eos_token_id
    ends = {named} if isinstance(named, int) else set(named or ())
    if model.tokenizer.eos_token_id is not None:
        ends.add(model.tokenizer.eos_token_id)
    return ends


def _greedy(room: int, ends: set[int], padding: int) -> GenerationConfig:
    """Plain greedy decoding; every field that a model's own settings might bend is named."""
    return GenerationConfig(
        max_new_tokens=room,
        do_sample=False,
        num_beams=1,
        temperature=1.0,
        top_k=50,
        top_p=1.0,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        eos_token_id=sorted(ends),
        pad_token_id=padding,
    )


def _answer(
    model: LanguageModel, said: tuple[int, ...], stop: StopRule, top: list[tuple[int, float]]
) -> Answer:
    text = str(model.tokenizer.decode(said, skip_special_tokens=True))
    if stop == "sentence":
        text = text.split("\n")[0].split(".")[0]
    names = model.tokenizer.batch_decode([[token] for token, _ in top])
    shares = tuple((name, share) for name, (_, share) in zip(names, top, strict=True))
    return Answer(text.strip(), said, shares)
