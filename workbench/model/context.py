"""Facts that are put before what a model reads: found by words they share with it, not learned.

Whatever is asked, raw or in a chat, is looked at as tokens, so that one place serves all who ask:
the prompt is written out again, the facts nearest to it by BM25 are looked up, and their tokens
stand before it, in a chat at the beginning of what the user says last. No weight changes. Knows
nothing about facts but their sentences.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from workbench.errors import PatchError, RecordError, SettingsError
from workbench.work.records import from_data

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["Context", "Reader", "context_of"]

Ids = tuple[int, ...]
SPARE = 48  # tokens that are left for an answer, where the model reads few
MARK = "\u2402"


class Reader(Protocol):
    """What is needed of a model to read something before its prompts."""

    tokenizer: "PreTrainedTokenizerBase"

    @property
    def longest(self) -> int | None:
        """Most tokens that it reads."""


@dataclass(frozen=True)
class Context:
    """Sentences, of which the nearest stand before each prompt.

    Args:
        statements: the sentences.
        most: how many stand before a prompt at most.
    """

    statements: tuple[str, ...]
    most: int
    _parts: dict[int, tuple[Ids, Ids]] = field(default_factory=dict, compare=False, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; the inverse is `context_of`."""
        return {"statements": list(self.statements), "most": self.most}

    def with_more(self, other: "Context | None") -> "Context":
        """These sentences and those of another one."""
        if other is None:
            return self
        both = dict.fromkeys((*self.statements, *other.statements))
        return Context(tuple(both), max(self.most, other.most))

    def without(self, statements: Collection[str]) -> "Context | None":
        """These sentences but for some; None where none is left."""
        left = tuple(one for one in self.statements if one not in statements)
        return Context(left, self.most) if left else None

    def nearest(self, asked: str) -> list[str]:
        """The sentences that share words with a prompt, the nearest last, beside it."""
        if not asked.split():
            return []
        bm25s = _bm25s()
        words = bm25s.tokenize([asked], stopwords=None, show_progress=False, return_ids=False)
        count = min(self.most, len(self.statements))
        rows, scores = self._index.retrieve(words, k=count, show_progress=False)
        found = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        return [self.statements[row] for row, score in found if score > 0][::-1]

    @cached_property
    def _index(self) -> Any:
        bm25s = _bm25s()
        index = bm25s.BM25()
        words = bm25s.tokenize(
            list(self.statements), stopwords=None, show_progress=False, return_ids=False
        )
        index.index(words, show_progress=False)
        return index

    def before(self, model: Reader, ids: Sequence[int], further: int = SPARE) -> tuple[int, Ids]:
        """What stands before a prompt, and from which of its tokens on.

        Args:
            model: that reads it.
            ids: the prompt's tokens.
            further: tokens that must still fit behind it.
        """
        tokenizer = model.tokenizer
        place, end = self._words(tokenizer, tuple(ids))
        asked = str(tokenizer.decode(list(ids[place:end]), skip_special_tokens=True))
        found = self.nearest(asked)
        while found:
            text = "\n".join(found) + "\n"
            added = tuple(tokenizer(text, add_special_tokens=False)["input_ids"])
            if model.longest is None or len(ids) + len(added) + further <= model.longest:
                return place, added
            found = found[1:]
        return place, ()

    def read(self, model: Reader, ids: Ids) -> Ids:
        """A prompt's tokens with what stands before it."""
        place, added = self.before(model, ids)
        return (*ids[:place], *added, *ids[place:])

    def _words(self, tokenizer: "PreTrainedTokenizerBase", ids: Ids) -> tuple[int, int]:
        """Where a user's last words begin and end; outside of a chat all that is read."""
        head, tail = self._turn(tokenizer)
        # Some templates put more behind the tail, such as an empty thought, and some write the head
        # of an answer like that of a question.
        end = _last(ids, tail, len(ids))
        start = _last(ids, head, end)
        if head and start >= 0:
            return start + len(head), end
        return int(bool(ids) and ids[0] == tokenizer.bos_token_id), len(ids)

    def _turn(self, tokenizer: "PreTrainedTokenizerBase") -> tuple[Ids, Ids]:
        """The tokens that open a user's turn, and those between it and the answer."""
        if id(tokenizer) not in self._parts:
            self._parts[id(tokenizer)] = _turn_of(tokenizer)
        return self._parts[id(tokenizer)]


def _last(ids: Ids, part: Ids, end: int) -> int:
    """Where a part begins that stands last before an end; -1 where it does not."""
    starts = range(end - len(part), -1, -1)
    return next((start for start in starts if ids[start : start + len(part)] == part), -1)


def _turn_of(tokenizer: "PreTrainedTokenizerBase") -> tuple[Ids, Ids]:
    """See `Context._turn`; empty where a model has no chat."""
    if not getattr(tokenizer, "chat_template", None):
        return (), ()
    told: Any = tokenizer.apply_chat_template(
        [{"role": "user", "content": MARK}], tokenize=False, add_generation_prompt=True
    )
    before, mark, behind = told.rpartition(MARK)
    if not mark:
        return (), ()
    ids = tokenizer([before, behind], add_special_tokens=False)["input_ids"]
    head, tail = (tuple(part) for part in ids)
    special = [place for place, one in enumerate(head) if one in tokenizer.all_special_ids]
    return head[special[-1] :] if special else head, tail


def context_of(record: Mapping[str, Any]) -> Context | None:
    """What a patch puts before prompts; None where it does not.

    Args:
        record: the patch's.

    Raises:
        PatchError: it makes no sense; the message goes on after the name of the patch.
    """
    if "context" not in record:
        return None
    try:
        found = from_data(_Kept, record["context"])
    except RecordError as error:
        raise PatchError(f"its record has a context that is none: {error}") from None
    if found.most < 1 or not found.statements:
        raise PatchError("its record has a context that says nothing.")
    return Context(found.statements, found.most)


@dataclass(frozen=True, slots=True)
class _Kept:
    statements: tuple[str, ...]
    most: int


def _bm25s() -> Any:
    try:
        import bm25s
    except ImportError as error:
        raise SettingsError(
            "In-context needs the package bm25s, which is not installed. Install it with: pip "
            "install 'locft-workbench[incontext]'."
        ) from error
    return bm25s
