"""From raw values to texts, lists of texts, and questions with their answers.

Every text that leaves here can be given to a tokenizer: no control characters, no lone
surrogates, and not endlessly long. Knows nothing about rows or columns.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from workbench.facts.fact import Question
from workbench.facts.tables.table import MAX_CELL, shown

__all__ = ["LIST_SEPARATOR", "Wrong", "answers", "entries", "questions", "split_list", "text",
           "texts"]  # fmt: skip

LIST_SEPARATOR = " | "

# Line ends and tabs are part of real prompts; surrogates alone cannot be encoded for a tokenizer.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

# ZsRE's locality questions carry the mark by which T5 was told its task. The published LocFT
# scripts do not use these prompts; a decoder never saw the mark, so the bare question is kept.
_TASK_MARK = "nq question: "

_ANSWER_KEYS = ("answer", "ground_truth", "answers", "target")
_NESTED = 4


class Wrong(Exception):
    """A value is not what it should be.

    Args:
        what: what is wrong, as a sentence.
        mend: what to do, as a sentence.
        kind: see `Problem`.
        part: the part of the fact that is concerned, where the reader does not know it anyway.
    """

    def __init__(self, what: str, mend: str, kind: str, part: str = "") -> None:
        super().__init__(what)
        self.what, self.mend, self.kind, self.part = what, mend, kind, part


def text(value: Any) -> str:
    """A text, without surrounding blanks; empty for None.

    Raises:
        Wrong: it is no text, or one that no model should be given.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Wrong(f"This is not a text but {shown(value)}.", "Write it in quotes.", "not text")
    if len(value) > MAX_CELL:
        raise Wrong(
            f"The text has {len(value):,} characters; at most {MAX_CELL:,} are read.",
            "Shorten it, or look for a quote that was never closed.",
            "too long",
        )
    found = _CONTROL.search(value.strip())
    if found:
        raise Wrong(
            f"The control character U+{ord(found[0]):04X} is in the text.",
            "Delete it, or save the file again as UTF-8.",
            "control character",
        )
    return value.strip()


def answers(value: Any) -> tuple[str, ...]:
    """An answer and what counts as the same, from a text or from a list, nested or not.

    Raises:
        Wrong: something in it is no text.
    """
    if isinstance(value, str) or value is None:
        found = text(value)
        return (found,) if found else ()
    return tuple(dict.fromkeys(filter(None, map(text, _flat(value, _NESTED)))))


def _flat(value: Any, depth: int) -> list[Any]:
    if not isinstance(value, list) or not depth:
        return [value]
    return [item for inner in value for item in _flat(inner, depth - 1)]


def texts(value: Any, plain_cells: bool) -> tuple[str, ...]:
    """Several texts, from a list or from one cell.

    Args:
        value: the raw value.
        plain_cells: whether a list is written as text, see `split_list`.

    Raises:
        Wrong: something in it is no text.
    """
    if isinstance(value, list):
        return tuple(text(item) for item in value)
    found = text(value)
    if plain_cells:
        return tuple(split_list(found))
    return (found,) if found else ()


def split_list(cell: str) -> list[str]:
    """The texts in one cell: a JSON list of texts, or texts separated by `` | ``."""
    cell = cell.strip()
    if not cell:
        return []
    if cell[0] == "[" and cell[-1] == "]":
        value = _json_list(cell)
        if value is not None and all(isinstance(item, str) for item in value):
            return [item.strip() for item in value]
    return [item.strip() for item in cell.split(LIST_SEPARATOR)]


def _json_list(cell: str) -> list[Any] | None:
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def entries(value: Any, plain_cells: bool) -> list[Any] | None:
    """The objects in a list of objects, also where a cell holds it as JSON; None for others."""
    if plain_cells and isinstance(value, str) and value.lstrip().startswith("[{"):
        value = _json_list(value.strip())
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return value
    return None


def questions(asked: Any, answered: Any, plain_cells: bool, kind: str) -> tuple[Question, ...]:
    """Prompts with their answers, from two columns or from a list of objects in one.

    Args:
        asked: the prompts, or objects with a prompt and an answer.
        answered: the answers, or nothing.
        plain_cells: whether a list is written as text, see `split_list`.
        kind: what sort of prompts they are, for messages.

    Raises:
        Wrong: something is no text, or there are not as many answers as prompts.
    """
    objects = entries(asked, plain_cells)
    if objects is not None:
        return tuple(_question(item) for item in objects)
    prompts, replies = texts(asked, plain_cells), texts(answered, plain_cells)
    if not replies:
        replies = ("",) * len(prompts)
    if len(prompts) != len(replies):
        raise Wrong(
            f"There are {len(prompts)} {kind} prompts, but {len(replies)} answers to them.",
            "Write as many answers as prompts, or no answer at all.",
            "uneven lists",
        )
    return tuple(Question(_bare(p), a) for p, a in zip(prompts, replies, strict=True))


def _question(item: Any) -> Question:
    if not isinstance(item, Mapping):
        raise Wrong(
            "The list mixes objects and texts.",
            'Write every entry as {"prompt": "…", "answer": "…"}.',
            "not text",
        )
    right = answers(next((item[key] for key in _ANSWER_KEYS if key in item), None))
    right += answers(item.get("aliases"))
    prompt = _bare(text(item.get("prompt")))
    return Question(prompt, right[0], right[1:]) if right else Question(prompt)


def _bare(prompt: str) -> str:
    return prompt.removeprefix(_TASK_MARK)
