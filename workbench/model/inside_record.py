"""What is seen inside a model at a prompt, as plain data that is kept and drawn."""

from dataclasses import dataclass

__all__ = ["Curve", "Inside", "ShownText", "ShownToken", "Word"]


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token as people can read it.

    Args:
        text: what it stands for; a blank at its beginning is there.
        id: its number in the vocabulary.
        in_loss: whether a run is trained to say it.
        special: whether it is one of the tokenizer's marks, such as an end.
    """

    text: str
    id: int
    in_loss: bool = False
    special: bool = False


@dataclass(frozen=True, slots=True)
class ShownText:
    """A fact as tokens in one form.

    Args:
        form: which, such as ``chat``.
        tokens: prompt and answer.
        notes: how it begins, how the answer follows, how it ends; in sentences.
        doubts: what is likely wrong about that; in sentences.
        system: the system prompt; empty for none.
        fact: which fact of a batch, from 0.
    """

    form: str
    tokens: tuple[ShownToken, ...]
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    system: str = ""
    fact: int = 0


@dataclass(frozen=True, slots=True)
class Curve:
    """How likely an answer is after each layer, read by the model's own norm and head.

    Args:
        answer: the text.
        label: what it is, such as ``new answer``.
        before: the probability of its tokens, their geometric mean: before the first layer, then
            after each.
        after: the same with the run; empty without one.
    """

    answer: str
    label: str
    before: tuple[float, ...]
    after: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """How much a token of the prompt speaks for the answer, by gradient times input.

    Args:
        text: the token.
        before: its part, the largest of all being 1 or -1; below 0 it speaks against it.
        after: the same with the run; None without one.
    """

    text: str
    before: float
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Inside:
    """Everything that is shown of one prompt.

    Args:
        prompt: as it was asked.
        form: in which form.
        run: that is meant by after; None for none.
        at: the locations that the run tuned.
        curves: of the new answer, and of the old one where it is known.
        words: of the prompt, for the first of the answers; empty where no gradient can be had.
        texts: the fact in every form.
        note: what is missing and why; empty for nothing.
    """

    prompt: str
    form: str
    run: int | None
    at: tuple[str, ...]
    curves: tuple[Curve, ...]
    words: tuple[Word, ...]
    texts: tuple[ShownText, ...]
    note: str = ""
