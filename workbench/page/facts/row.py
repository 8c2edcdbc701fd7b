"""How one fact looks: its row in the table, and all there is about it when it is unfolded.

Pure functions from data to HTML.
"""

from collections.abc import Iterable

from workbench.facts import Problem, Question
from workbench.page.kit.html import button, text
from workbench.store.facts import FactRow
from workbench.store.runs import FactOutcome
from workbench.work.words import count

__all__ = ["ARROW", "COLUMNS", "details", "fact_row"]

ARROW = "=>"  # stands between a prompt and its answer on one line
COLUMNS = 6

NAMES = {
    "prompt": "prompt",
    "target_new": "new answer",
    "ground_truth": "old answer",
}
# The fields of an unfolded row: name, label, what it says below, lines (1 is a plain field).
_FIELDS = (
    ("subject", "Subject", "", 1),
    ("ground_truth", "Old answer", "What the model says without the edit.", 1),
    ("rephrase_prompts", "Other ways to ask, one a line", "Never trained on.", 3),
    ("aliases", "Other right answers, one a line", "Count as right, never trained on.", 3),
    ("locality_prompts", "What must stay, one a line", f"prompt {ARROW} answer", 3),
    ("portability_prompts", "What follows from it, one a line", f"prompt {ARROW} answer", 3),
)


def fact_row(row: FactRow, unfolded: bool) -> str:
    """The row of a fact.

    Args:
        row: the fact.
        unfolded: whether its details stand below.
    """
    fact = row.fact
    ticked = " checked" if row.enabled else ""
    extras = len(fact.rephrase_prompts) + len(fact.locality_prompts) + len(fact.portability_prompts)
    more = (
        f' <span class="quiet" title="{count(extras, "further prompt")}">+{extras}</span>'
        if extras
        else ""
    )
    return (
        f'<tr class="{"" if row.enabled else "off"}"><td class="tick"><input type="checkbox" '
        f'data-do="tick" data-id="{row.id}"{ticked} aria-label="Use this fact"></td>'
        f"<td>{_editable(row.id, 'prompt', fact.prompt)}{more}{_doubts(row)}</td>"
        f"<td>{_editable(row.id, 'target_new', fact.target_new)}</td>"
        f'<td class="wide">{_editable(row.id, "ground_truth", fact.ground_truth)}</td>'
        f"<td>{_learned(row.learned)}</td>"
        f'<td class="row-tools">{_unfold(row, unfolded)}'
        f'<button type="button" class="btn bare" data-do="delete" data-id="{row.id}" '
        'title="Delete this fact">×</button></td></tr>'
    )


def _editable(row: int, field: str, value: str) -> str:
    return (
        f'<span contenteditable="plaintext-only" role="textbox" aria-label="{NAMES[field]}" '
        f'data-do="change" data-id="{row}" data-field="{field}" kept="{text(value)}">'
        f"{text(value)}</span>"
    )


def _unfold(row: FactRow, unfolded: bool) -> str:
    return (
        f'<button type="button" class="btn bare unfold" data-do="open" data-id="{row.id}" '
        f'aria-expanded="{"true" if unfolded else "false"}" aria-controls="details-of-{row.id}" '
        f'aria-label="Details of: {text(row.fact.prompt)}" title="Details"></button>'
    )


def _doubts(row: FactRow) -> str:
    """A mark that says what is doubtful: to the mouse as a title, to the keyboard below it."""
    if not row.problems:
        return ""
    said = text(" ".join(f"{problem.what} {problem.mend}" for problem in row.problems))
    return (
        f' <button type="button" class="doubt" data-do="open" data-id="{row.id}" data-mark="1" '
        f'title="{said}" aria-label="Doubtful: {said}">!</button>'
        f'<span class="quiet amber said-on-focus" aria-hidden="true">{said}</span>'
    )


def _learned(learned: bool | None) -> str:
    kind, said = {
        None: ("", "not in the run shown"),
        True: (" yes", "learned"),
        False: (" no", "not learned"),
    }[learned]
    return f'<span class="dot{kind}" role="img" aria-label="{said}" title="{said}"></span>'


def details(row: FactRow, run: int | None, outcome: FactOutcome | None) -> str:
    """The row below an unfolded fact: everything about it, to see and to change.

    Args:
        row: the fact.
        run: the run that is shown as after; None for none.
        outcome: what that run did to it; None when it did not see it.
    """
    fact = row.fact
    values = {
        "subject": fact.subject,
        "ground_truth": fact.ground_truth,
        "rephrase_prompts": "\n".join(fact.rephrase_prompts),
        "aliases": "\n".join(fact.aliases),
        "locality_prompts": _lines(fact.locality_prompts),
        "portability_prompts": _lines(fact.portability_prompts),
    }
    fields = "".join(_field(row.id, *field, values[field[0]]) for field in _FIELDS)
    ask = "Ask the model again" if fact.ground_truth else "Ask the model for the old answer"
    return (
        f'<tr class="unfolded" id="details-of-{row.id}"><td colspan="{COLUMNS}">'
        f'<div class="fact-fields">{fields}</div>{_problems(row.problems)}'
        f'<p class="quiet">{_history(row, run, outcome)}</p>'
        f'<div class="foot"><span class="quiet">Kept when you leave a field, or with Enter '
        "(Ctrl Enter where there are lines); Esc takes it back.</span>"
        f"{button(ask, 'ask-one', 'small', id=row.id)}</div></td></tr>"
    )


def _field(row: int, name: str, label: str, below: str, lines: int, value: str) -> str:
    attributes = f'data-do="change" data-id="{row}" data-field="{name}"'
    if lines == 1:
        control = f'<input type="text" {attributes} value="{text(value)}">'
    else:
        rows = min(8, max(lines, value.count("\n") + 1))
        # A browser takes away one line end right after the tag.
        control = f'<textarea {attributes} rows="{rows}">\n{text(value)}</textarea>'
    said = f'<span class="quiet">{text(below)}</span>' if below else ""
    return f"<label><span>{text(label)}</span>{control}{said}</label>"


def _lines(questions: Iterable[Question]) -> str:
    return "\n".join(f"{q.prompt} {ARROW} {q.answer}" if q.answer else q.prompt for q in questions)


def _problems(problems: tuple[Problem, ...]) -> str:
    if not problems:
        return ""
    listed = "".join(
        f'<li>{text(problem.what)} <span class="quiet">{text(problem.mend)}</span></li>'
        for problem in problems
    )
    return f'<ul class="doubts">{listed}</ul>'


def _history(row: FactRow, run: int | None, outcome: FactOutcome | None) -> str:
    parts = [f"From {text(row.source)}."] if row.source else []
    if run is None:
        parts.append("No run is shown as after.")
    elif outcome is None:
        parts.append(f"Run {run} did not see this fact.")
    else:
        parts.append(_outcome(run, outcome, row.fact.target_new))
    return " ".join(parts)


def _outcome(run: int, outcome: FactOutcome, wanted: str) -> str:
    said = f"Run {run}: {_answer(outcome.before)} before, {_answer(outcome.after)} after"
    if outcome.after is None:
        said = f"Run {run} has not been asked this yet"
    if outcome.target_new != wanted:
        return f"{said}; it compiled another answer, <b>{text(outcome.target_new)}</b>."
    words = {None: "", True: "; learned", False: "; not learned"}
    return f"{said}{words[outcome.learned]}."


def _answer(answer: str | None) -> str:
    if answer is None:
        return "not asked"
    return f"<b>{text(answer)}</b>" if answer else "nothing"
