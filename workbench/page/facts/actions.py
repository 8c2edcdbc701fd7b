"""What the controls of the fact table do to the session."""

from dataclasses import dataclass, replace
from typing import Any

from workbench.errors import SessionError
from workbench.facts import Fact
from workbench.page.facts.paste import read_questions
from workbench.store import Store
from workbench.store.found import Found, found_facts
from workbench.store.library import add_samples
from workbench.store.requests import FillRequest

__all__ = ["Looking", "act_on_facts", "ask_model", "fact_with"]

_ONE_LINE = ("prompt", "target_new", "ground_truth", "subject")
_LISTS = ("rephrase_prompts", "aliases", "wordings")
_QUESTIONS = ("locality_prompts", "portability_prompts", "keep_prompts")


@dataclass(frozen=True, slots=True)
class Looking:
    """What a tab of the browser looks at.

    Args:
        found: the facts that its search and filter find.
        offset: how many of them come before the page.
        opened: the fact that is unfolded; 0 for none.
    """

    found: Found
    offset: int = 0
    opened: int = 0


def act_on_facts(store: Store, now: Looking, asked: dict[str, Any]) -> Looking:
    """Does what a control in the table asks for.

    Args:
        store: the session.
        now: what the tab looks at.
        asked: the control's values; ``do`` says what.

    Returns:
        What the tab looks at from now on.

    Raises:
        WorkbenchError: it cannot be done; nothing was changed.
    """
    do, row = asked["do"], int(asked.get("id", 0))
    if do == "show":
        found = found_facts(now.found.search, asked["show"], now.found.run)
        return replace(now, found=found, offset=0)
    if do == "page":
        return replace(now, offset=int(asked["offset"]))
    if do == "open":
        return replace(now, opened=0 if row == now.opened else row)
    if do == "tick":
        store.facts.enable([row], bool(asked["value"]))
    elif do == "tick-all":
        store.facts.enable_found(now.found, bool(asked["value"]))
    elif do == "change":
        field, value = str(asked["field"]), str(asked["value"])
        store.facts.amend(row, lambda fact: fact_with(fact, field, value))
    elif do == "samples":
        add_samples(store)
    elif do == "delete":
        store.facts.delete([row])
    elif do == "delete-found":
        store.facts.delete_found(now.found)
    elif do == "undo":
        store.facts.restore(float(asked["time"]))
    elif do == "undo-seen":
        store.settings.set("deletions_seen", store.facts.deletions()[0].time)
    else:
        _ask(store, now.found, str(do), row)
    return now


def _ask(store: Store, found: Found, do: str, row: int) -> None:
    if do == "ask-one":
        ask_model(store, [row], overwrite=True)
    elif do == "ask-again":
        ask_model(store, store.facts.ids(found), overwrite=True)
    else:
        ask_model(store, store.facts.without_old_answer(found), overwrite=False)


def ask_model(store: Store, facts: list[int], overwrite: bool) -> None:
    """Lets the base model say the old answers of facts.

    Args:
        store: the session.
        facts: the rows' ids.
        overwrite: whether old answers that are there are replaced.

    Raises:
        SessionError: there is nothing to ask.
    """
    if not facts:
        raise SessionError(
            "Every fact found has an old answer. 'Ask the model again' replaces them."
        )
    store.jobs.ask_for(FillRequest(tuple(facts), overwrite))


def fact_with(fact: Fact, field: str, value: str) -> Fact:
    """A fact with another value in one of its fields, as typed on the page.

    Args:
        fact: as it is.
        field: which of its fields; lists come one entry a line, questions as
            ``prompt => answer``.
        value: what was typed.

    Raises:
        FactsError: the prompt or the new answer would be empty.
        SessionError: there is no such field.
    """
    lines = tuple(line.strip() for line in value.splitlines() if line.strip())
    changed: dict[str, Any]
    if field in _ONE_LINE:
        changed = {field: " ".join(value.split())}
    elif field in _LISTS:
        changed = {field: lines}
    elif field in _QUESTIONS:
        changed = {field: read_questions(lines, getattr(fact, field))}
    else:
        raise SessionError(f"A fact has no field '{field}'.")
    return replace(fact, **changed)
