"""Answers to prompts: greedy ones in batches, or, when asked for, as the model is shipped.

Invariant: nobody gets the model's own generation settings (sampling, penalties) unless they ask
for them. Knows nothing about patches or metrics.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
)

from workbench.errors import ModelError, SettingsError
from workbench.model.decoding import (
    end_tokens,
    greedy_tokens,
    shipped_tokens,
    shipped_words,
)
from workbench.model.forms import begun
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.stop_rule import StopRule, require_stop_rule
from workbench.model.stoppable import stoppable
from workbench.model.tokens import prompt_tokens
from workbench.work.stop import Stop

__all__ = ["Answer", "OnText", "chat_tokens", "generate"]

OnText = Callable[[dict[int, str]], None]
"""Told after each new token what some prompts, by their place, are answered so far."""

TOKENS_PER_PASS = 8192
TOKENS_PER_READING = 4 * TOKENS_PER_PASS  # where every token of an answer has layers read for it


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says to a prompt.

    Args:
        text: the answer without what ends it.
        tokens: its token ids, the EOS included if it was reached.
        top: the likeliest next tokens after the prompt, each with its probability.
        ended: whether it came to its end by itself, rather than for want of room.
        how: the checkpoint's own settings, when they made it; empty for a greedy answer.
    """

    text: str
    tokens: tuple[int, ...]
    top: tuple[tuple[str, float], ...]
    ended: bool = True
    how: str = ""


class _FirstScores(LogitsProcessor):  # type: ignore[misc]
    """Keeps the scores of the first new token, and changes nothing."""

    def __init__(self) -> None:
        self.scores: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if self.scores is None:
            self.scores = scores.clone().float()
        return scores


class _Watcher(StoppingCriteria):  # type: ignore[misc]
    """Shows the answers as they grow, and stops nothing."""

    def __init__(self, show: Callable[[list[list[int]]], None], longest: int) -> None:
        self._show, self._longest = show, longest

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        try:
            self._show(input_ids[:, self._longest :].tolist())
        except Exception as error:
            error.is_watchers = True  # type: ignore[attr-defined]
            raise
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
    as_shipped: bool = False,
    on_text: OnText | None = None,
    cancel: Stop | None = None,
    system: str = "",
    history: Sequence[tuple[str, str]] = (),
) -> list[Answer]:
    """Answers of the model as it is now: greedy, unless its own settings are asked for.

    Args:
        model: with whatever weights are swapped in.
        prompts: raw texts to continue, or, with `chat`, what a user says.
        chat: whether prompts go through the tokenizer's chat template.
        max_new_tokens: most tokens an answer has.
        stop: where an answer ends.
        top_k: how many next tokens to report.
        as_shipped: answer by the generation settings that the checkpoint came with, one prompt at
            a time; what they draw has a fixed seed. `max_new_tokens` and `stop` stay as they are.
        on_text: told how the answers grow; what it raises ends the work and is passed on.
        cancel: the wish to end the work, asked before every token.
        system: the system prompt of a chat; empty for none.
        history: what was said and answered before, in a chat as its turns, else as text.

    Raises:
        Cancelled: somebody wanted it to end.
        ModelError: the tokenizer has no chat template, a prompt is too long for the model, or
            the model's own settings cannot be used here.
        SettingsError: an unknown stop rule, or a number below 1.
    """
    require_stop_rule(stop)
    if max_new_tokens < 1 or top_k < 1:
        raise SettingsError("max_new_tokens and top_k must be whole numbers, 1 or more.")
    if not prompts:
        return []
    encoded = _encoded(model, prompts, chat, system, history)
    longest = max(len(ids) for ids in encoded)
    room = min(max_new_tokens, _room(model, longest))
    ends = end_tokens(model) | (_sentence_ends(model.tokenizer) if stop == "sentence" else set())
    how = shipped_words(model) if as_shipped else ""
    decoding = _Decoding(model, room, stop, frozenset(ends), top_k, how, on_text)

    def work(rows: Sequence[int]) -> list[Answer]:
        with stoppable(model, cancel):
            return decoding.run(rows, [encoded[row] for row in rows])

    order = sorted(range(len(encoded)), key=lambda row: len(encoded[row]))
    together = TOKENS_PER_PASS if model.stream is None else TOKENS_PER_READING
    size = 1 if as_shipped else max(1, together // (longest + room))
    answers: dict[int, Answer] = {}
    for group in model.answering.groups(order, [len(ids) for ids in encoded]):
        for rows, batch in in_batches(group, size, model.device, work):
            answers.update(zip(rows, batch, strict=True))
    return [answers[row] for row in range(len(encoded))]


def _encoded(
    model: LanguageModel,
    prompts: Sequence[str],
    chat: bool,
    system: str,
    history: Sequence[tuple[str, str]],
) -> list[tuple[int, ...]]:
    """All that the model reads before each answer, with what stands before prompts."""
    asked = chat_tokens if chat else _continued
    encoded = asked(model, prompts, system, history)
    if model.context is None:
        return encoded
    return [model.context.read(model, ids) for ids in encoded]


def _continued(
    model: LanguageModel, prompts: Sequence[str], system: str, history: Sequence[tuple[str, str]]
) -> list[tuple[int, ...]]:
    """Raw prompts as tokens behind what was said and answered before; there is no system."""
    before = "".join(f"{said} {answer}\n" for said, answer in history)
    return prompt_tokens(model.tokenizer, [before + prompt for prompt in prompts])


def _room(model: LanguageModel, longest: int) -> int:
    """How many tokens the model can add to a prompt of so many."""
    if model.longest is None:
        return sys.maxsize
    if longest >= model.longest:
        raise ModelError(
            f"A prompt has {longest} tokens; this model reads at most {model.longest}. Shorten it."
        )
    return model.longest - longest


def chat_tokens(
    model: LanguageModel,
    prompts: Sequence[str],
    system: str = "",
    history: Sequence[tuple[str, str]] = (),
) -> list[tuple[int, ...]]:
    """What a user says as tokens, through the chat template, up to where the answer begins.

    Args:
        model: whose template it is.
        prompts: what is said.
        system: the system prompt before it; empty for none.
        history: what was said and answered between the two.

    Raises:
        ModelError: the tokenizer has no chat template.
    """
    if not getattr(model.tokenizer, "chat_template", None):
        raise ModelError(f"'{model.name}' has no chat template. Ask it with raw prompts instead.")
    texts = [
        model.tokenizer.apply_chat_template(
            begun(prompt, system, history), tokenize=False, add_generation_prompt=True
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
    how: str
    on_text: OnText | None

    @torch.no_grad()
    def run(self, rows: Sequence[int], texts: list[tuple[int, ...]]) -> list[Answer]:
        """Answers one batch; `rows` are the prompts' places, `texts` their tokens."""
        tokenizer, device = self.model.tokenizer, self.model.device
        padding = tokenizer.pad_token_id
        padding = padding if padding is not None else min(self.ends, default=0)
        longest = max(len(ids) for ids in texts)
        input_ids = torch.full((len(texts), longest), padding)
        mask = torch.zeros_like(input_ids)
        for row, ids in enumerate(texts):
            input_ids[row, longest - len(ids) :] = torch.tensor(ids)
            mask[row, longest - len(ids) :] = 1
        first = _FirstScores()
        write = shipped_tokens if self.how else greedy_tokens
        output = write(
            self.model,
            {"input_ids": input_ids.to(device), "attention_mask": mask.to(device)},
            self.room,
            self.ends,
            padding,
            LogitsProcessorList([first]),
            self._watching(rows, longest),
        )[:, longest:].tolist()
        tops = self._likeliest(first.scores, len(texts))
        return [self._answer(new, top) for new, top in zip(output, tops, strict=True)]

    def _likeliest(self, scores: torch.Tensor | None, texts: int) -> list[list[tuple[int, float]]]:
        """The likeliest first tokens of each text, where something was chosen by scores."""
        if scores is None:
            return [[]] * texts
        # Beams stand beside each other, each text's own together.
        scores = scores[:: len(scores) // texts]
        shares, tokens = scores.softmax(dim=-1).topk(min(self.top_k, scores.shape[-1]))
        return [
            list(zip(ids, probabilities, strict=True))
            for ids, probabilities in zip(tokens.tolist(), shares.tolist(), strict=True)
        ]

    def _watching(self, rows: Sequence[int], longest: int) -> StoppingCriteriaList | None:
        on_text = self.on_text
        if on_text is None:
            return None

        def show(new: list[list[int]]) -> None:
            on_text(
                {
                    row: self._text(_until_end(ids, self.ends))
                    for row, ids in zip(rows, new[:: len(new) // len(rows)], strict=True)
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
        ended = bool(said) and said[-1] in self.ends
        return Answer(self._text(said), said, shares, ended, self.how)


def _until_end(new: list[int], ends: frozenset[int]) -> tuple[int, ...]:
    """New tokens up to the first that ends the answer; padding stands behind it."""
    length = next((i for i, token in enumerate(new, start=1) if token in ends), len(new))
    return tuple(new[:length])
