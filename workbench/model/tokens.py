"""Facts as tokens: a prompt, a target, and batches of both.

The target is ``target_new`` with a leading space if it has none, then the tokenizer's EOS
(arXiv 2509.22072). No token is ever added to a tokenizer.

Batches are padded on the right. A decoder looks only backwards, so that what stands behind a
text cannot change it: positions count from the text's own start, and no mask is needed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional
from transformers import PreTrainedTokenizerBase

from workbench.errors import FactsError, ModelError
from workbench.facts.fact import Fact

__all__ = [
    "TokenBatch",
    "TokenTable",
    "TokenizedText",
    "padded_to",
    "prompt_tokens",
    "tokenize",
    "tokenize_facts",
]


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """A prompt and the target that should follow it, as token ids; the target ends with EOS."""

    prompt: tuple[int, ...]
    target: tuple[int, ...]

    @property
    def inputs(self) -> tuple[int, ...]:
        """What the model reads: all but the last token, which nothing follows."""
        return (self.prompt + self.target)[:-1]

    @property
    def length(self) -> int:
        """How many tokens the model reads."""
        return len(self.prompt) + len(self.target) - 1


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Texts side by side, padded on the right.

    Args:
        input_ids: (texts, longest) token ids.
        is_target: (texts, longest) True where the model predicts a target token.
        targets: (targets,) the token to be predicted at each such place, text by text.
        text_of_target: (targets,) which text of the batch each target belongs to.
    """

    input_ids: torch.Tensor
    is_target: torch.Tensor
    targets: torch.Tensor
    text_of_target: torch.Tensor

    def __len__(self) -> int:
        return self.input_ids.shape[0]

    def sum_by_text(self, values: torch.Tensor) -> torch.Tensor:
        """Sums of values over each text's targets: (targets,) to (texts,)."""
        zeros = torch.zeros(len(self), dtype=values.dtype, device=values.device)
        return zeros.index_add(0, self.text_of_target, values)

    def above(self, other: "TokenBatch") -> "TokenBatch":
        """These texts and then those of another batch, padded to the longest of both."""
        longest = max(self.input_ids.shape[1], other.input_ids.shape[1])
        return TokenBatch(
            torch.cat([padded_to(longest, one.input_ids) for one in (self, other)]),
            torch.cat([padded_to(longest, one.is_target) for one in (self, other)]),
            torch.cat([self.targets, other.targets]),
            torch.cat([self.text_of_target, other.text_of_target + len(self)]),
        )


def padded_to(length: int, texts: torch.Tensor) -> torch.Tensor:
    """Texts side by side, (texts, longest, ...), with nothing behind them up to a length."""
    missing = length - texts.shape[1]
    return functional.pad(texts, (*[0] * (2 * texts.ndim - 4), 0, missing)) if missing else texts


class TokenTable:
    """Tokenized texts as flat tensors on a device, from which batches are gathered.

    Args:
        texts: prompts with their targets.
        device: where batches are wanted.
    """

    def __init__(self, texts: Sequence[TokenizedText], device: torch.device) -> None:
        self.texts = tuple(texts)
        self.device = device
        lengths = torch.tensor([text.length for text in texts])
        self._lengths = lengths.to(device)
        self._first_target = torch.tensor([len(t.prompt) - 1 for t in texts], device=device)
        self._starts = (lengths.cumsum(0) - lengths).to(device)
        self._inputs = torch.tensor([i for text in texts for i in text.inputs], device=device)
        self._next = torch.tensor(
            [i for text in texts for i in (text.prompt + text.target)[1:]], device=device
        )

    def __len__(self) -> int:
        return len(self.texts)

    def length(self, row: int) -> int:
        """How many tokens the model reads of a text."""
        return self.texts[row].length

    def batch(self, rows: Sequence[int]) -> TokenBatch:
        """Some of the texts, in the order of `rows`, as one padded batch."""
        longest = max(self.texts[row].length for row in rows)
        chosen = torch.tensor(rows, device=self.device)
        column = torch.arange(longest, device=self.device)
        places = self._starts[chosen].unsqueeze(1) + column
        places = places.clamp_(max=len(self._inputs) - 1)
        is_target = (column >= self._first_target[chosen].unsqueeze(1)) & (
            column < self._lengths[chosen].unsqueeze(1)
        )
        return TokenBatch(
            self._inputs[places],
            is_target,
            self._next[places][is_target],
            is_target.nonzero()[:, 0],
        )


def tokenize(
    tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], targets: Sequence[str]
) -> list[TokenizedText]:
    """Prompts and their targets as tokens.

    The two are tokenized together where the prompt's tokens then stay what they are alone (the
    usual case), so that the target's tokens are those the model itself would write.

    Raises:
        ModelError: the tokenizer has no EOS token, or makes nothing of a prompt.
    """
    eos = tokenizer.eos_token_id
    if eos is None:
        raise ModelError(
            "This model's tokenizer has no end-of-sequence token, which every target needs. "
            "Set eos_token in its tokenizer_config.json."
        )
    spaced = [target if target[:1].isspace() else " " + target for target in targets]
    alone = prompt_tokens(tokenizer, prompts)
    together = prompt_tokens(tokenizer, [p + t for p, t in zip(prompts, spaced, strict=True)])
    texts = []
    for prompt, whole, target in zip(alone, together, spaced, strict=True):
        if whole[: len(prompt)] == prompt and len(whole) > len(prompt):
            following = whole[len(prompt) :]
        else:
            following = tuple(tokenizer(target, add_special_tokens=False)["input_ids"])
        texts.append(TokenizedText(prompt, (*following, eos)))
    return texts


def prompt_tokens(
    tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str]
) -> list[tuple[int, ...]]:
    """Raw prompts' tokens with the model's own beginning (BOS), and no EOS at the end.

    Raises:
        ModelError: the tokenizer makes nothing of a prompt.
    """
    if not prompts:
        return []
    found = []
    for ids in tokenizer(list(prompts))["input_ids"]:
        if not ids:
            raise ModelError("A prompt is empty. Write the text that the model should continue.")
        ends = len(ids) > 1 and ids[-1] == tokenizer.eos_token_id
        found.append(tuple(ids[:-1] if ends else ids))
    return found


def tokenize_facts(
    tokenizer: PreTrainedTokenizerBase, facts: Iterable[Fact], longest: int | None
) -> list[TokenizedText]:
    """Every fact's prompt and target_new as tokens.

    Args:
        tokenizer: the model's.
        facts: what is to be learned.
        longest: most tokens that the model reads, or None when it does not say.

    Raises:
        FactsError: there are no facts, or one is too long for the model.
        ModelError: see `tokenize`.
    """
    facts = list(facts)
    if not facts:
        raise FactsError("There are no facts to edit. Add one, or tick one on.")
    prompts, targets = [f.prompt for f in facts], [f.target_new for f in facts]
    texts = tokenize(tokenizer, prompts, targets)
    for number, text in enumerate(texts, start=1):
        if longest is not None and text.length > longest:
            raise FactsError(
                f"Fact {number} has {text.length} tokens; this model reads at most {longest}. "
                "Shorten its prompt."
            )
    return texts
