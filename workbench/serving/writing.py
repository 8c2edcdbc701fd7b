"""A text that grows by tokens: what of it may be shown already, and where it must end.

A character that is not whole yet is held back, and so is what may become a text before which the
answer ends. Invariant: the parts put together are the text.
"""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

__all__ = ["Text", "text_of"]

TAIL = 6  # tokens of the prompt by which the first new ones are read
TORN = "\ufffd"


def text_of(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int]) -> str:
    """Tokens as the text that was written, without those that only begin and end it."""
    return str(
        tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    )


class Text:
    """An answer's text.

    Args:
        tokenizer: reads its tokens.
        prompt: the tokens before it.
        stops: texts before which it ends.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, prompt: Sequence[int], stops: Sequence[str] = ()
    ) -> None:
        self._tokenizer, self._stops = tokenizer, tuple(stops)
        self._tokens = list(prompt[-TAIL:])
        self._start, self._read = 0, len(self._tokens)
        self._held = ""
        self.length = 0  # characters so far, those held back included
        self.is_stopped = False

    def add(self, token: int) -> str:
        """One more token.

        Returns:
            What may be shown now.
        """
        if self.is_stopped:
            return ""
        self._tokens.append(token)
        return self._show(self._new(whole=True))

    def end(self) -> str:
        """What was held back, now that nothing follows."""
        if self.is_stopped:
            return ""
        shown = self._show(self._new(whole=False))
        held, self._held = self._held, ""
        return shown if self.is_stopped else shown + held

    def _new(self, whole: bool) -> str:
        """What the tokens add that were not read yet."""
        before = text_of(self._tokenizer, self._tokens[self._start : self._read])
        now = text_of(self._tokenizer, self._tokens[self._start :])
        if whole and now.endswith(TORN):
            return ""
        self._start, self._read = self._read, len(self._tokens)
        new = now[len(before) :]
        self.length += len(new)
        return new

    def _show(self, new: str) -> str:
        text = self._held + new
        found = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        if found:
            self.is_stopped, self._held = True, ""
            self.length -= len(text) - min(found)
            return text[: min(found)]
        keep = max((_begun(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def _begun(text: str, stop: str) -> int:
    """How many of a text's last characters are the first ones of another."""
    most = min(len(text), len(stop) - 1)
    return next((n for n in range(most, 0, -1) if text.endswith(stop[:n])), 0)
