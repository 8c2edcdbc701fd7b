"""From the raw values of one row to a fact, or to what is wrong with them.

Knows one row at a time; what two rows have to do with each other is judged in `check`.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from workbench.facts.columns import Layout
from workbench.facts.fact import Fact, Question
from workbench.facts.problems import Problem, shorten
from workbench.facts.tables import Row

__all__ = ["LIST_SEPARATOR", "read_row", "split_list"]

LIST_SEPARATOR = " | "

# Line ends and tabs are part of real prompts; surrogates alone cannot be encoded for a tokenizer.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

# ZsRE's locality questions carry the mark by which T5 was told its task. The published LocFT
# scripts do not use these prompts; a decoder never saw the mark, so the bare question is kept.
_TASK_MARK = "nq question: "

_ANSWER_KEYS = ("answer", "ground_truth", "target")

_Value = TypeVar("_Value")


class _Wrong(Exception):
    """A value is not what it should be: (what, mend, kind)."""


def read_row(row: Row, layout: Layout, plain_cells: bool) -> tuple[Fact | None, list[Problem]]:
    """Makes a fact of a row.

    Args:
        row: the record.
        layout: which column holds what.
        plain_cells: whether lists are written as text, see `split_list`.

    Returns:
        The fact and no problems, or None and all that is wrong with the row.
    """
    if row.problem is not None:
        return None, [row.problem]
    problems: list[Problem] = []
    values = layout.pick(row.cells)

    def attempt(part: str, read: Callable[[], _Value], otherwise: _Value) -> _Value:
        try:
            return read()
        except _Wrong as wrong:
            what, mend, kind = wrong.args
            problems.append(Problem(row.number, layout.column(part), what, mend, "error", kind))
            return otherwise

    no_texts: tuple[str, ...] = ()
    no_questions: tuple[Question, ...] = ()
    prompt = attempt("prompt", lambda: _needed(values, "prompt", "the prompt"), "")
    target = attempt("target_new", lambda: _needed(values, "target_new", "the new answer"), "")
    subject = attempt("subject", lambda: _text(values.get("subject")), "")
    truth = attempt("ground_truth", lambda: _text(values.get("ground_truth")), "")
    rephrases = attempt(
        "rephrase_prompts", lambda: _texts(values.get("rephrase_prompts"), plain_cells), no_texts
    )
    locality, portability = (
        attempt(f"{kind}_prompts", partial(_questions, values, kind, plain_cells), no_questions)
        for kind in ("locality", "portability")
    )
    if problems:
        return None, problems
    return Fact(prompt, target, subject, truth, rephrases, locality, portability), []


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


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        shown = shorten(json.dumps(value, ensure_ascii=False), 40)
        raise _Wrong(f"This is not a text but {shown}.", "Write it in quotes.", "not text")
    found = _CONTROL.search(value.strip())
    if found:
        raise _Wrong(
            f"The control character U+{ord(found[0]):04X} is in the text.",
            "Delete it, or save the file again as UTF-8.",
            "control character",
        )
    return value.strip()


def _needed(values: Mapping[str, Any], part: str, name: str) -> str:
    text = _text(values.get(part))
    if not text:
        raise _Wrong(
            f"{name.capitalize()} is missing.", "Fill it in, or delete the row.", "missing"
        )
    return text


def _texts(value: Any, plain_cells: bool) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(item) for item in value)
    text = _text(value)
    if plain_cells:
        return tuple(split_list(text))
    return (text,) if text else ()


def _questions(values: Mapping[str, Any], kind: str, plain_cells: bool) -> tuple[Question, ...]:
    """Prompts with their answers, from two columns or from a list of objects in one."""
    asked = values.get(f"{kind}_prompts")
    if isinstance(asked, list) and any(isinstance(item, dict) for item in asked):
        return tuple(_question(item) for item in asked)
    prompts = _texts(asked, plain_cells)
    answers = _texts(values.get(f"{kind}_answers"), plain_cells)
    if not answers:
        answers = ("",) * len(prompts)
    if len(prompts) != len(answers):
        raise _Wrong(
            f"There are {len(prompts)} {kind} prompts, but {len(answers)} answers to them.",
            "Write as many answers as prompts, or no answer at all.",
            "uneven lists",
        )
    return tuple(Question(_bare(p), a) for p, a in zip(prompts, answers, strict=True))


def _question(item: Any) -> Question:
    if not isinstance(item, dict):
        raise _Wrong(
            "The list mixes objects and texts.",
            'Write every entry as {"prompt": "…", "answer": "…"}.',
            "not text",
        )
    answer = next((item[key] for key in _ANSWER_KEYS if key in item), None)
    return Question(_bare(_text(item.get("prompt"))), _text(answer))


def _bare(prompt: str) -> str:
    return prompt.removeprefix(_TASK_MARK)
