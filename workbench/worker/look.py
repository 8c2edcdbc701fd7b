"""Looking inside, as the worker does it: a fact's tokens, the layers at its prompt, its words.

Imports the engine, so only the worker's process may import this module.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from workbench.errors import ModelError, SessionError
from workbench.facts import Fact
from workbench.methods.base import find_method
from workbench.model.forms import tokenize_form
from workbench.model.inside import answer_by_layer, can_be_read, pull_of_words, without_end
from workbench.model.inside_record import Curve, Inside, ShownText, Word
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.shown_tokens import fact_texts, shown_text, token_words
from workbench.model.tokens import TokenizedText
from workbench.search.ripple import rippling
from workbench.search.ripple_result import Ripple
from workbench.store.fact_rows import FactRow
from workbench.store.requests import FirstBatchRequest, LookRequest
from workbench.work.records import as_data
from workbench.worker.patches import Patches
from workbench.worker.task import Task

__all__ = ["find_ripple", "first_batch", "look_inside"]


def look_inside(task: Task, model: LanguageModel, patches: Patches) -> dict[str, Any]:
    """What is seen inside the model at a prompt, before and with the run shown as after.

    Returns:
        An `Inside` as data.

    Raises:
        WorkbenchError: the prompt is too long, or asked in a form that the model has not.
    """
    asked = task.request(LookRequest)
    fact = Fact(asked.prompt, asked.answer, ground_truth=asked.old)
    run = task.store.settings.shown_run
    patch = None if run is None else patches.of(task.store, run)
    task.report("Looking inside the model", now=True)
    answers = [("new answer", asked.answer)]
    if asked.old and asked.old != asked.answer:
        answers.append(("old answer", asked.old))
    texts = [_text(model, asked, answer) for _, answer in answers]
    note = can_be_read(model)
    curves = [] if note else _curves(model, patch, answers, texts, task)
    words: list[Word] = []
    try:
        words = _words(model, patch, texts[0])
    except ModelError as error:
        note = f"{note} {error}".strip()
    seen: dict[str, Any] = as_data(
        Inside(
            prompt=asked.prompt,
            form=asked.form,
            run=run,
            at=() if run is None else task.store.runs.get(run).at,
            curves=tuple(curves),
            words=tuple(words),
            texts=tuple(fact_texts(model.tokenizer, fact, model.longest)),
            note=note,
        )
    )
    return seen


def _text(model: LanguageModel, asked: LookRequest, answer: str) -> TokenizedText:
    fact = Fact(asked.prompt, answer)
    (text,) = tokenize_form(model.tokenizer, [fact], asked.form, model.longest)
    return without_end(text)


def _state(model: LanguageModel, patch: Patch | None) -> AbstractContextManager[None]:
    return nullcontext() if patch is None else patch.applied(model)


def _curves(
    model: LanguageModel,
    patch: Patch | None,
    answers: list[tuple[str, str]],
    texts: list[TokenizedText],
    task: Task,
) -> list[Curve]:
    sides = []
    for state in (None, patch) if patch is not None else (None,):
        with _state(model, state):
            side = []
            for text in texts:
                task.check()
                side.append(answer_by_layer(model, text))
            sides.append(side)
    after = sides[1] if len(sides) > 1 else [()] * len(texts)
    return [
        Curve(answer, label, before, with_run)
        for (label, answer), before, with_run in zip(answers, sides[0], after, strict=True)
    ]


def _words(model: LanguageModel, patch: Patch | None, text: TokenizedText) -> list[Word]:
    before = _scaled(pull_of_words(model, text))
    after = None
    if patch is not None:
        with _state(model, patch):
            after = _scaled(pull_of_words(model, text))
    names = token_words(model.tokenizer, text.prompt)
    return [
        Word(name, before[place], None if after is None else after[place])
        for place, name in enumerate(names)
    ]


def _scaled(parts: tuple[float, ...]) -> list[float]:
    """The parts so that the largest is 1 or -1."""
    largest = max((abs(part) for part in parts), default=0.0) or 1.0
    return [part / largest for part in parts]


def first_batch(task: Task, model: LanguageModel) -> dict[str, Any]:
    """The texts of the first step of the run that Start would begin.

    Returns:
        ``texts``, each a `ShownText`, ``prompts`` of their facts, ``of`` how many facts, and
        ``how`` the method is called.

    Raises:
        SessionError: no fact is ticked, or the method trains on no batches.
        WorkbenchError: its settings do not fit.
    """
    asked = task.request(FirstBatchRequest)
    method = find_method(asked.method)
    rows = task.facts()
    facts = [row.fact for row in rows]
    task.report("Preparing the first batch", now=True)
    run = method.start(model, facts, method.settings.from_dict(asked.settings), stop=task.stop)
    batch = getattr(run, "first_batch", None)
    if batch is None:
        raise SessionError(f"{method.name} trains on no batches.")
    texts: list[ShownText] = [
        shown_text(model.tokenizer, text, form, fact=fact) for fact, form, text in batch()
    ]
    return {
        "texts": as_data(tuple(texts)),
        "prompts": [facts[text.fact].prompt for text in texts],
        "of": len(facts),
        "how": method.name,
    }


def find_ripple(
    task: Task, model: LanguageModel, rows: list[FactRow], patch: Patch | None, run: int
) -> dict[str, Any]:
    """What a run changed besides its facts.

    Returns:
        A `Ripple` as data.

    Raises:
        SessionError: there is no run whose patch could have changed anything.
    """
    if patch is None:
        raise SessionError("Show a run as after first; the base alone changes nothing.")
    task.begin("Looking beside the facts", 0.0)
    facts = [row.fact for row in rows]
    moved = task.follow(rippling(model, facts, patch, stop=task.stop))
    found: dict[str, Any] = as_data(Ripple(run, moved))
    return found
