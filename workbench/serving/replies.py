"""Answers in the shape in which OpenAI's clients read them: whole, or as they grow."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from transformers import PreTrainedTokenizerBase

from workbench.serving.picking import Picked
from workbench.serving.row import Piece, TokenSaid

__all__ = ["Choice", "Replies"]


@dataclass
class Choice:
    """One answer, as far as it has come."""

    text: str = ""
    tokens: list[TokenSaid] = field(default_factory=list)
    reason: str | None = None

    def add(self, piece: Piece) -> None:
        """Takes what is new."""
        self.text += piece.text
        self.tokens += piece.tokens
        self.reason = piece.reason


class Replies:
    """The replies to one request.

    Args:
        chat: whether it was a chat.
        model: the name that was asked for.
        tokenizer: names tokens.
        tells_logprobs: whether tokens are told with their log-probabilities.
    """

    def __init__(
        self, chat: bool, model: str, tokenizer: PreTrainedTokenizerBase, tells_logprobs: bool
    ) -> None:
        self._chat, self._model, self._tokenizer = chat, model, tokenizer
        self._tells = tells_logprobs
        self._id = f"{'chatcmpl' if chat else 'cmpl'}-{secrets.token_hex(12)}"
        self._created = int(time.time())

    def whole(self, choices: Sequence[Choice], usage: dict[str, int]) -> dict[str, Any]:
        """The reply with all answers."""
        told = []
        for place, choice in enumerate(choices):
            said: dict[str, Any] = {"index": place, "finish_reason": choice.reason}
            if self._chat:
                said["message"] = {
                    "role": "assistant",
                    "content": choice.text,
                    "refusal": None,
                }
            else:
                said["text"] = choice.text
            told.append(said | {"logprobs": self._logprobs(choice.tokens)})
        return self._around("", told) | {"usage": usage}

    def first(self, row: int) -> dict[str, Any]:
        """What a chat's stream begins an answer with."""
        delta = {"role": "assistant", "content": ""}
        choice = {"index": row, "delta": delta, "logprobs": None, "finish_reason": None}
        return self._around(".chunk", [choice])

    def part(self, piece: Piece) -> dict[str, Any]:
        """One piece of an answer in a stream."""
        said: dict[str, Any] = {"index": piece.row, "finish_reason": piece.reason}
        if self._chat:
            said["delta"] = {"content": piece.text} if piece.text else {}
        else:
            said["text"] = piece.text
        return self._around(".chunk", [said | {"logprobs": self._logprobs(piece.tokens)}])

    def last(self, usage: dict[str, int]) -> dict[str, Any]:
        """How many tokens there were, at the end of a stream."""
        return self._around(".chunk", []) | {"usage": usage}

    def _around(self, chunk: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        kind = f"chat.completion{chunk}" if self._chat else "text_completion"
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self._model,
            "choices": choices,
        }

    def _logprobs(self, tokens: Sequence[TokenSaid]) -> dict[str, Any] | None:
        if not self._tells:
            return None
        if self._chat:
            return {"content": [self._entry(one.picked) for one in tokens], "refusal": None}
        return {
            "tokens": [self._name(one.picked.token) for one in tokens],
            "token_logprobs": [one.picked.logprob for one in tokens],
            "top_logprobs": [
                None if one.picked.logprob is None else self._top(one.picked) for one in tokens
            ],
            "text_offset": [one.offset for one in tokens],
        }

    def _top(self, picked: Picked) -> dict[str, float]:
        """The likeliest; of two tokens that read alike the likelier one."""
        found: dict[str, float] = {}
        for token, logprob in picked.top:
            found.setdefault(self._name(token), logprob)
        return found

    def _entry(self, picked: Picked) -> dict[str, Any]:
        top = [self._named(token, logprob) for token, logprob in picked.top]
        return self._named(picked.token, picked.logprob or 0.0) | {"top_logprobs": top}

    def _named(self, token: int, logprob: float) -> dict[str, Any]:
        name = self._name(token)
        return {"token": name, "logprob": logprob, "bytes": list(name.encode())}

    def _name(self, token: int) -> str:
        return str(self._tokenizer.decode([token], clean_up_tokenization_spaces=False))
