"""What the controls of the fact table do to the session."""

import time
from dataclasses import dataclass, replace
from typing import Any

from workbench.errors import SessionError
from workbench.facts import Fact
from workbench.page.facts.paste import read_questions
from workbench.store import Store
from workbench.store.found import Found, Show, found_facts
from workbench.store.library import add_samples
from workbench.store.requests import FillRequest, RephraseRequest

__all__ = ["Looking", "act_on_facts", "ask_model", "copy_into", "fact_with", "kept_looks"]

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
    elif do == "undo-change":
        store.versions.undo(float(asked["time"]))
    elif do == "undo-seen":
        store.settings.set("deletions_seen", time.time())
    elif do in ("look", "keep-look", "forget-look"):
        return _look(store, now, asked)
    else:
        _ask(store, now.found, str(do), row)
    return now


def _look(store: Store, now: Looking, asked: dict[str, Any]) -> Looking:
    """Goes to a search that is kept, keeps the one that is made, or forgets one."""
    kept = kept_looks(store)
    if asked["do"] == "keep-look":
        look = (now.found.search.strip(), now.found.show)
        store.settings.set("looks", [*(other for other in kept if other != look), look])
        return now
    found = found_facts(str(asked["search"]), str(asked["show"]), now.found.run)
    if asked["do"] == "look":
        return replace(now, found=found, offset=0)
    store.settings.set("looks", [look for look in kept if look != (found.search, found.show)])
    return now


def kept_looks(store: Store) -> list[tuple[str, Show]]:
    """The searches that a session keeps, each with its filter."""
    kept = store.settings.get("looks", [])
    found = [found_facts(search, show, None) for search, show in kept]
    return [(look.search, look.show) for look in found]


def copy_into(store: Store, found: Found, other: Store) -> None:
    """Adds the facts that are found to another session; a prompt that is there stays as it is.

    Raises:
        SessionError: the other session has another answer for one of them; nothing was copied.
    """
    there = {row.fact.prompt: row.fact.target_new for row in other.facts}
    rows = store.facts.each(found)
    against = [
        r.fact for r in rows if there.get(r.fact.prompt, r.fact.target_new) != r.fact.target_new
    ]
    if against:
        first, more = against[0], len(against) - 1
        also = f" and {more:,} more" if more else ""
        raise SessionError(
            f"'{other.settings.name}' has another answer for '{first.prompt}'{also}: "
            f"'{there[first.prompt]}', not '{first.target_new}'. Nothing was copied."
        )
    other.facts.add([row.fact for row in rows], store.settings.name)


def _ask(store: Store, found: Found, do: str, row: int) -> None:
    if do == "rephrase-one":
        store.jobs.ask_for(RephraseRequest((row,)))
    elif do == "rephrase":
        store.jobs.ask_for(RephraseRequest(tuple(store.facts.ids(found))))
    elif do == "ask-one":
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
