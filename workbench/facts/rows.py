"""From the raw values of one row to facts, or to what is wrong with them.

Knows one row at a time; what two rows have to do with each other is judged in `check`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from workbench.facts.fact import Fact, Question
from workbench.facts.layout import Layout, Parts
from workbench.facts.mend import mended
from workbench.facts.problems import Problem, Severity
from workbench.facts.tables import Row
from workbench.facts.tables.printed import taken_apart
from workbench.facts.values import answers, questions, text, texts, word, words
from workbench.facts.wrong import Wrong

__all__ = ["Reading", "read_row"]

_Value = TypeVar("_Value")
_NEEDED = frozenset({"prompt", "target_new"})
_ASKED = frozenset({"locality_prompts", "portability_prompts", "keep_prompts"})


class Reading(NamedTuple):
    """What a row, or a part of one, gave.

    Args:
        fact: the fact, or None when it is left out.
        problems: why it is left out, or what was mended in it.
        old_answers: further answers that were right before, beside `Fact.ground_truth`.
    """

    fact: Fact | None
    problems: tuple[Problem, ...] = ()
    old_answers: tuple[str, ...] = ()


def read_row(row: Row, layout: Layout, plain_cells: bool) -> list[Reading]:
    """Makes facts of a row: one in most formats.

    Args:
        row: the record.
        layout: which column holds what.
        plain_cells: whether lists are written as text, see `split_list`.
    """
    if row.problem is not None:
        return [Reading(None, (row.problem,))]
    try:
        # Where columns are a format's own, one of them may be a whole object that was printed.
        found = layout.pick(taken_apart(row.cells) if layout.split else row.cells)
    except Wrong as wrong:
        return [Reading(None, (_problem(row, layout, wrong.part, wrong),))]
    return [_reading(row, layout, parts, plain_cells) for parts in found]


def _reading(row: Row, layout: Layout, parts: Parts, plain_cells: bool) -> Reading:
    problems: list[Problem] = []
    words_about: list[Problem] = [
        _problem(row, layout, wrong.part, wrong, "warning") for wrong in parts.get("notes", ())
    ]

    def attempt(part: str, read: Callable[..., _Value], otherwise: _Value, *more: Any) -> _Value:
        needed, value = part in _NEEDED, parts.get(part)
        # Most fields of most tables are empty. Answers without prompts are told, though.
        if not needed and (value is None or value == "") and not (part in _ASKED and more[0]):
            return otherwise
        try:
            value, notes = mended(value, needed)
            if notes:
                words_about.extend(_problem(row, layout, part, note, "warning") for note in notes)
            return read(value, *more) if needed or value is not None else otherwise
        except Wrong as wrong:
            problems.append(_problem(row, layout, part, wrong))
            return otherwise

    none: tuple[str, ...] = ()
    unasked: tuple[Question, ...] = ()
    prompt = attempt("prompt", _needed, "")
    target = attempt("target_new", _needed_answers, none)
    subject = attempt("subject", word, "")
    truth = attempt("ground_truth", answers, none)
    aliases = attempt("aliases", words, none, plain_cells)
    old = attempt("old_answers", words, none, plain_cells)
    rephrases = attempt("rephrase_prompts", texts, none, plain_cells)
    wordings = attempt("wordings", texts, none, plain_cells)
    locality, portability, keep = (
        attempt(
            f"{kind}_prompts",
            questions,
            unasked,
            attempt(f"{kind}_answers", _as_it_is, None),
            plain_cells,
            kind,
        )
        for kind in ("locality", "portability", "keep")
    )
    if problems:
        return Reading(None, tuple(problems))
    fact = Fact(
        prompt=prompt,
        target_new=target[0],
        subject=subject,
        ground_truth=truth[0] if truth else "",
        rephrase_prompts=rephrases,
        locality_prompts=locality,
        portability_prompts=portability,
        aliases=target[1:] + aliases,
        wordings=wordings,
        keep_prompts=keep,
    )
    return Reading(fact, tuple(words_about), truth[1:] + old)


def _as_it_is(value: Any) -> Any:
    return value


def _needed(value: Any) -> str:
    found = text(value)
    if not found:
        raise _missing("the prompt")
    return found


def _needed_answers(value: Any) -> tuple[str, ...]:
    found = answers(value)
    if not found:
        raise _missing("the new answer")
    return found


def _missing(name: str) -> Wrong:
    what = f"{name.capitalize()} is missing."
    return Wrong(what, "Fill it in, or delete the row.", "missing")


def _problem(
    row: Row, layout: Layout, part: str, wrong: Wrong, severity: Severity = "error"
) -> Problem:
    column = layout.column(part) if part else ""
    return Problem(row.number, column, wrong.what, wrong.mend, severity, wrong.kind)
