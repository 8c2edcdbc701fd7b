"""From raw values to answers, lists of texts, and questions with their answers.

What a program printed into a cell is taken apart once: a text inside a list or an object is
final. Knows nothing about rows or columns.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workbench.facts.fact import Question
from workbench.facts.mend import is_nothing
from workbench.facts.single import plain_text, plain_word, text, unwrapped, word
from workbench.facts.tables.printed import unprinted
from workbench.facts.tables.table import shown
from workbench.facts.wrong import Wrong

__all__ = ["LIST_SEPARATOR", "Wrong", "answers", "questions", "split_list", "text", "texts", "word",
           "words"]  # fmt: skip

LIST_SEPARATOR = " | "

# ZsRE's locality questions carry the mark by which T5 was told its task. The published LocFT
# scripts do not use these prompts; a decoder never saw the mark, so the bare question is kept.
_TASK_MARK = "nq question: "

_PROMPT_KEYS = ("prompt", "question", "loc", "query", "phrase")
_ANSWER_KEYS = ("answer", "ground_truth", "answers", "target", "loc_ans", "target_new")
_NESTED = 4


def answers(value: Any) -> tuple[str, ...]:
    """An answer and what counts as the same, from a word, a list or an object, nested or not.

    Raises:
        Wrong: something in it is no word.
    """
    return _right(unprinted(value) if isinstance(value, str) else value)


def _right(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):  # as nearly always
        found = plain_word(value)
        return (found,) if found else ()
    return tuple(dict.fromkeys(filter(None, map(plain_word, _flat(value, _NESTED)))))


def _flat(value: Any, depth: int) -> Iterator[Any]:
    if isinstance(value, Mapping) and depth:
        inner = unwrapped(value)
        if inner is value:
            yield from (value,) if value else ()
            return
        yield from _flat(inner, depth - 1)
        yield from _flat(value.get("aliases"), depth - 1)
    elif isinstance(value, list) and depth:
        for item in value:
            yield from _flat(item, depth - 1)
    else:
        yield value


def texts(value: Any, plain_cells: bool) -> tuple[str, ...]:
    """Several texts, from a list or from one cell.

    Args:
        value: the raw value.
        plain_cells: whether a list is written as text, see `split_list`.

    Raises:
        Wrong: something in it is no text.
    """
    return _several(value, plain_cells, plain_text)


def words(value: Any, plain_cells: bool) -> tuple[str, ...]:
    """Several texts or numbers and the like; see `texts`."""
    return _several(value, plain_cells, plain_word)


def _several(value: Any, plain_cells: bool, read: Callable[[Any], str]) -> tuple[str, ...]:
    return tuple(
        map(read, (item for cell in _items(value, plain_cells) for item in _flat(cell, 3)))
    )


def _items(value: Any, plain_cells: bool) -> list[Any]:
    """The items of a list, however it is written; one item for what is no list."""
    if isinstance(value, str):
        value = unprinted(value)
    if isinstance(value, list):
        return value
    if isinstance(value, str) and plain_cells:
        return list(split_list(value))
    return [] if is_nothing(value) or value in ("", {}) else [value]


def split_list(cell: str) -> list[str]:
    """The texts in one cell: a JSON list of texts, or texts separated by `` | ``."""
    cell = cell.strip()
    if not cell:
        return []
    if cell[0] == "[" and cell[-1] == "]":
        try:
            value = json.loads(cell)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return [item.strip() for item in value]
    return [item.strip() for item in cell.split(LIST_SEPARATOR)]


def questions(asked: Any, answered: Any, plain_cells: bool, kind: str) -> tuple[Question, ...]:
    """Prompts with their answers, from two columns or from objects in one, in groups or not.

    Args:
        asked: the prompts, or objects with a prompt and an answer.
        answered: the answers, or nothing.
        plain_cells: whether a list is written as text, see `split_list`.
        kind: what sort of prompts they are, for messages.

    Raises:
        Wrong: something is no text, or there are not as many answers as prompts.
    """
    value = unprinted(asked) if isinstance(asked, str) else asked
    if isinstance(value, Mapping) or (isinstance(value, list) and any(map(_is_nested, value))):
        return tuple(_asked(value, kind, _NESTED))
    prompts = _items(asked, plain_cells)
    replies = list(map(_right, _items(answered, plain_cells)))
    if not any(replies):
        replies = [()] * len(prompts)
    if len(prompts) != len(replies):
        raise Wrong(
            f"There are {len(prompts)} {kind} prompts, but {len(replies)} answers to them.",
            "Write as many answers as prompts, or no answer at all.",
            "uneven lists",
        )
    return tuple(map(_question, prompts, replies))


def _is_nested(item: Any) -> bool:
    return isinstance(item, (Mapping, list))


def _asked(value: Any, kind: str, depth: int) -> Iterator[Question]:
    """The questions in an object, or in the groups and lists that hold such objects."""
    if isinstance(value, Mapping):
        key = next((key for key in _PROMPT_KEYS if key in value), "")
        if key:
            yield from _pairs(value, value[key])
            return
        inside = list(value.values())
    else:
        inside = [item for item in value if not is_nothing(item)]
    if inside and depth and all(map(_is_nested, inside)):
        for item in inside:
            yield from _asked(item, kind, depth - 1)
    elif isinstance(value, list) and not any(map(_is_nested, inside)):
        for item in inside:
            yield _question(item, ())
    elif isinstance(value, list) and depth:
        raise Wrong(
            "The list mixes objects and texts.",
            'Write every entry as {"prompt": "…", "answer": "…"}.',
            "not text",
        )
    elif value:
        raise Wrong(
            f"No {kind} prompt is in {shown(value)}.",
            'Write every entry as {"prompt": "…", "answer": "…"}.',
            "structure",
        )


def _pairs(entry: Mapping[str, Any], prompt: Any) -> Iterator[Question]:
    """The questions of one object, whose prompt and answer may be lists of one length."""
    answer = next((entry[key] for key in _ANSWER_KEYS if key in entry), None)
    aliases = _right(entry.get("aliases"))
    if not isinstance(prompt, list):
        yield _question(prompt, _right(answer) + aliases)
        return
    if not isinstance(answer, list) or len(answer) != len(prompt):
        answer = [answer] * len(prompt)
    for one, right in zip(prompt, answer, strict=True):
        yield _question(one, _right(right) + aliases)


def _question(prompt: Any, right: tuple[str, ...]) -> Question:
    bare = plain_text(prompt).removeprefix(_TASK_MARK)
    return Question(bare, right[0], right[1:]) if right else Question(bare)
