"""Greedy answers to prompts, in batches.

Invariant: the model's own generation settings (sampling, penalties) are set aside, so that an
answer depends on the weights and the prompt alone. Knows nothing about patches or metrics.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
)

from workbench.errors import ModelError, SettingsError
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.stop_rule import StopRule, require_stop_rule
from workbench.model.stoppable import stoppable
from workbench.model.tokens import prompt_tokens
from workbench.work.stop import Stop

__all__ = ["Answer", "OnText", "generate"]

OnText = Callable[[dict[int, str]], None]
"""Told after each new token what some prompts, by their place, are answered so far."""

TOKENS_PER_PASS = 8192


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says to a prompt.

    Args:
        text: the answer without what ends it.
        tokens: its token ids, the EOS included if it was reached.
        top: the likeliest next tokens after the prompt, each with its probability.
        ended: whether it came to its end by itself, rather than for want of room.
    """

    text: str
    tokens: tuple[int, ...]
    top: tuple[tuple[str, float], ...]
    ended: bool = True


class _FirstScores(LogitsProcessor):  # type: ignore[misc]
    """Keeps the scores of the first new token, and changes nothing."""

    def __init__(self) -> None:
        self.scores: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if self.scores is None:
            self.scores = scores.float()
        return scores


class _Watcher(StoppingCriteria):  # type: ignore[misc]
    """Shows the answers as they grow, and stops nothing."""

    def __init__(self, show: Callable[[list[list[int]]], None], longest: int) -> None:
        self._show, self._longest = show, longest

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        self._show(input_ids[:, self._longest :].tolist())
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


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
    on_text: OnText | None = None,
    cancel: Stop | None = None,
) -> list[Answer]:
    """Greedy answers of the model as it is now.

    Args:
        model: with whatever weights are swapped in.
        prompts: raw texts to continue, or, with `chat`, what a user says.
        chat: whether prompts go through the tokenizer's chat template.
        max_new_tokens: most tokens an answer has.
        stop: where an answer ends.
        top_k: how many next tokens to report.
        on_text: told how the answers grow; what it raises ends the work and is passed on.
        cancel: the wish to end the work, asked before every token.

    Raises:
        Cancelled: somebody wanted it to end.
        ModelError: the tokenizer has no chat template, or a prompt is too long for the model.
        SettingsError: an unknown stop rule, or a number below 1.
    """
    require_stop_rule(stop)
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

    decoding = _Decoding(model, room, stop, frozenset(ends), top_k, on_text)

    def work(rows: Sequence[int]) -> list[Answer]:
        with stoppable(model, cancel):
            return decoding.run(rows, [encoded[row] for row in rows])

    order = sorted(range(len(encoded)), key=lambda row: len(encoded[row]))
    size = max(1, TOKENS_PER_PASS // (longest + room))
    answers: dict[int, Answer] = {}
    for together in model.answering.groups(order, [len(ids) for ids in encoded]):
        for rows, batch in in_batches(together, size, model.device, work):
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


@dataclass(frozen=True)
class _Decoding:
    """How the prompts of one call are answered."""

    model: LanguageModel
    room: int
    stop: StopRule
    ends: frozenset[int]
    top_k: int
    on_text: OnText | None

    @torch.no_grad()
    def run(self, rows: Sequence[int], texts: list[tuple[int, ...]]) -> list[Answer]:
        """Answers one batch; `rows` are the prompts' places, `texts` their tokens."""
        tokenizer, device = self.model.tokenizer, self.model.device
        padding = tokenizer.pad_token_id
        padding = padding if padding is not None else min(self.ends)
        longest = max(len(ids) for ids in texts)
        input_ids = torch.full((len(texts), longest), padding)
        mask = torch.zeros_like(input_ids)
        for row, ids in enumerate(texts):
            input_ids[row, longest - len(ids) :] = torch.tensor(ids)
            mask[row, longest - len(ids) :] = 1
        first = _FirstScores()
        output = self.model.network.generate(
            input_ids=input_ids.to(device),
            attention_mask=mask.to(device),
            generation_config=_greedy(self.room, self.ends, padding, self.model.answering.caches),
            logits_processor=LogitsProcessorList([first]),
            stopping_criteria=self._watching(rows, longest),
        )[:, longest:].tolist()
        assert first.scores is not None
        shares, tokens = first.scores.softmax(dim=-1).topk(min(self.top_k, first.scores.shape[-1]))
        return [
            self._answer(new, list(zip(ids, probabilities, strict=True)))
            for new, ids, probabilities in zip(
                output, tokens.tolist(), shares.tolist(), strict=True
            )
        ]

    def _watching(self, rows: Sequence[int], longest: int) -> StoppingCriteriaList | None:
        on_text = self.on_text
        if on_text is None:
            return None

        def show(new: list[list[int]]) -> None:
            on_text(
                {
                    row: self._text(_until_end(ids, self.ends))
                    for row, ids in zip(rows, new, strict=True)
                }
            )

        return StoppingCriteriaList([_Watcher(show, longest)])

    def _text(self, said: tuple[int, ...]) -> str:
        text = str(self.model.tokenizer.decode(said, skip_special_tokens=True))
        if self.stop == "sentence":
            text = text.split("\n")[0].split(".")[0]
        return text.strip()

    def _answer(self, new: list[int], top: list[tuple[int, float]]) -> Answer:
        said = _until_end(new, self.ends)
        names = self.model.tokenizer.batch_decode([[token] for token, _ in top])
        shares = tuple((name, share) for name, (_, share) in zip(names, top, strict=True))
        return Answer(self._text(said), said, shares, bool(said) and said[-1] in self.ends)


def _until_end(new: list[int], ends: frozenset[int]) -> tuple[int, ...]:
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


def _greedy(room: int, ends: frozenset[int], padding: int, caches: bool) -> GenerationConfig:
    """Plain greedy decoding; every field that a model's own settings might bend is named."""
    return GenerationConfig(
        max_new_tokens=room,
        use_cache=caches,
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
