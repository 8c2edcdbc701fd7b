"""One answer that is being made: its prompt, what was picked so far, and whom it is told to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from transformers import PreTrainedTokenizerBase

from workbench.model.language_model import LanguageModel
from workbench.serving.body import Sampling
from workbench.serving.picking import Picked, Picker
from workbench.serving.writing import Text
from workbench.work.stop import Stop

__all__ = ["Piece", "Reason", "Row", "TokenSaid"]

Reason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class TokenSaid:
    """A token as clients are told of it.

    Args:
        picked: it, with its log-probability.
        offset: where it begins in the text.
    """

    picked: Picked
    offset: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What is new in an answer.

    Args:
        row: the answer's place among those of its request.
        text: what is added to it.
        tokens: what was written for that; those of the prompt, too, where it is echoed.
        reason: why it ended; None while it goes on.
        error: what went wrong instead; None for nothing.
    """

    row: int
    text: str = ""
    tokens: tuple[TokenSaid, ...] = ()
    reason: Reason | None = None
    error: Exception | None = None


@dataclass
class Row:
    """One answer.

    Args:
        place: among those of its request.
        prompt: its tokens.
        room: most tokens that are added.
        sampling: how.
        tokenizer: the model's.
        tell: called with each piece, in the engine's thread.
        stop: the wish that it ends, because nobody waits for it any more.
        draw: its place among the answers to one prompt.
        echo: the prompt as text, where it is part of the answer; None where it is not.
        added: what the edit puts into the prompt, see `stand_in`.
        at: from which of its tokens on.
        said: the tokens that were written.
    """

    place: int
    prompt: tuple[int, ...]
    room: int
    sampling: Sampling
    tokenizer: PreTrainedTokenizerBase
    tell: Callable[[Piece], None]
    stop: Stop
    draw: int = 0
    echo: str | None = None
    added: tuple[int, ...] = ()
    at: int = 0
    said: list[int] = field(default_factory=list)
    reason: Reason | None = None
    picker: Picker = field(init=False)
    text: Text = field(init=False)

    def __post_init__(self) -> None:
        self.picker = Picker(self.sampling, self.draw)
        self.text = Text(self.tokenizer, self.prompt, self.sampling.stop)

    @property
    def written(self) -> int:
        """How many tokens were written."""
        return len(self.said)

    @property
    def read(self) -> tuple[int, ...]:
        """All that the model reads before the next token."""
        return (*self.prompt[: self.at], *self.added, *self.prompt[self.at :], *self.said)

    @property
    def scores_prompt(self) -> bool:
        """Whether the log-probabilities of the prompt's tokens are wanted."""
        return self.echo is not None and self.sampling.top is not None

    @property
    def is_over(self) -> bool:
        """Whether nothing is written any more."""
        return self.reason is not None or self.stop.asked

    def stand_in(self, model: LanguageModel) -> None:
        """Lets what the model puts before its prompts just now be read; nobody is told of it."""
        if model.context is None:
            return
        self.at, self.added = model.context.before(model, self.prompt)
        if model.longest is not None:
            self.room = min(self.room, model.longest - len(self.read))

    def begin(self, scored: Sequence[Picked] = ()) -> None:
        """Tells the prompt, where it is part of the answer.

        Args:
            scored: its tokens with their log-probabilities.
        """
        if self.echo is None:
            return
        tokens, prefix = [], Text(self.tokenizer, ())
        for picked in scored:
            tokens.append(TokenSaid(picked, prefix.length))
            prefix.add(picked.token)
        self.tell(Piece(self.place, self.echo, tuple(tokens)))

    def take(self, picked: Picked, ends: frozenset[int]) -> None:
        """One more token."""
        offset = self.text.length + len(self.echo or "")
        self.said.append(picked.token)
        is_end = picked.token in ends
        shown = "" if is_end else self.text.add(picked.token)
        if is_end or self.text.is_stopped:
            self.reason = "stop"
        elif self.written >= self.room:
            self.reason = "length"
        if self.reason is not None:
            shown += self.text.end()
            if self.text.is_stopped:  # what was held back may have been the last of a stop
                self.reason = "stop"
        self.tell(Piece(self.place, shown, (TokenSaid(picked, offset),), self.reason))

    def end_empty(self) -> None:
        """Ends an answer for which nothing was to be written."""
        self.reason = "length"
        self.tell(Piece(self.place, reason="length"))

    def fail(self, error: Exception) -> None:
        """Ends an answer that cannot be made."""
        if self.reason is None:
            self.reason = "stop"
            self.tell(Piece(self.place, error=error))
