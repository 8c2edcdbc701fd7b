"""Wordings that a model wrote: none becomes a fact's before a person ticks it, none is measured."""

from dataclasses import replace
from pathlib import Path

import pytest

from workbench.errors import SessionError
from workbench.facts import Fact
from workbench.methods.rephrased import Rephrased, Wording
from workbench.store import Store
from workbench.store.requests import RephraseRequest
from workbench.worker import rephrase as worker
from workbench.worker.task import Cancelled, Task

FRANCE = Fact("The capital of France is", "Lyon", rephrase_prompts=("France's capital is",))
SPAIN = Fact("The capital of Spain is", "Seville", wordings=("Spain's capital is",))
WRITTEN = (
    Rephrased(
        1,
        FRANCE.prompt,
        "Paris",
        (
            Wording("The French capital is", "Paris"),
            Wording("France has the capital", "Paris"),
            Wording("France is", "a country", "it is answered otherwise"),
        ),
    ),
    Rephrased(2, SPAIN.prompt, "Madrid", (Wording("The Spanish capital is", "Madrid"),)),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.facts.add([FRANCE, SPAIN], "file")
    store.rephrasings.add(WRITTEN)
    return store


def test_only_what_is_ticked_is_added_and_only_to_what_may_be_trained(store: Store) -> None:
    store.rephrasings.tick(1, "The French capital is", True)
    store.rephrasings.tick(1, "France is", True)
    store.rephrasings.tick(1, "France is", False)
    assert store.rephrasings.accept() == (1, 0)
    france, spain = (row.fact for row in store.facts)
    assert france == replace(FRANCE, wordings=("The French capital is",))
    assert spain == SPAIN
    assert [each.fact for each in store.rephrasings.all()] == [2]
    store.rephrasings.tick_passed()
    assert store.rephrasings.accept() == (1, 0)
    assert store.facts.get(2).fact.wordings == (*SPAIN.wordings, "The Spanish capital is")
    assert store.rephrasings.accept() == (0, 0)


def test_what_measures_a_fact_by_now_and_what_belongs_to_another_prompt_is_left_out(
    store: Store,
) -> None:
    store.rephrasings.tick_passed()
    store.facts.amend(1, lambda f: replace(f, rephrase_prompts=("The French capital is?",)))
    store.facts.amend(2, lambda fact: replace(fact, prompt="The Spanish king lives in"))
    assert store.rephrasings.accept() == (1, 2)
    assert store.facts.get(1).fact.wordings == ("France has the capital",)
    assert store.facts.get(2).fact.wordings == SPAIN.wordings


def test_what_a_fact_has_by_now_is_not_added_again(store: Store) -> None:
    store.rephrasings.tick_passed()
    store.facts.amend(1, lambda fact: replace(fact, wordings=("the French capital is:",)))
    assert store.rephrasings.accept() == (2, 0)
    wordings = store.facts.get(1).fact.wordings
    assert wordings == ("the French capital is:", "France has the capital")


def test_what_is_written_anew_replaces_what_was_and_what_cannot_be_read_is_nothing(
    store: Store,
) -> None:
    store.rephrasings.add([replace(WRITTEN[0], wordings=())])
    assert [(each.fact, len(each.wordings)) for each in store.rephrasings.all()] == [(2, 1), (1, 0)]
    store.settings.set("rephrased", [{"fact": "x"}])
    assert store.rephrasings.all() == ()


def test_dismissing_what_was_seen_keeps_what_was_not(store: Store) -> None:
    store.rephrasings.add([Rephrased(3, "Nothing is", "so")])
    store.rephrasings.dismiss({1})
    assert store.rephrasings.all() == WRITTEN[1:]


def test_facts_that_are_gone_do_not_stand_for_all_that_are_ticked(store: Store) -> None:
    job = store.jobs.ask_for(RephraseRequest(()))
    with pytest.raises(SessionError, match="None of the facts is there"):
        worker.rephrase_facts(Task(store, store.jobs.get(job)), None)  # type: ignore[arg-type]


def test_what_was_written_before_the_end_was_asked_for_is_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_: object, facts: list[tuple[int, Fact]], *more: object) -> list[Rephrased]:
        if facts[0][0] == 2:
            raise Cancelled
        return [WRITTEN[0]]

    store.rephrasings.dismiss({1, 2})
    monkeypatch.setattr(worker, "rephrase_some", write)
    monkeypatch.setattr(worker, "BATCH", 1)
    job = store.jobs.ask_for(RephraseRequest())
    with pytest.raises(Cancelled):
        worker.rephrase_facts(Task(store, store.jobs.get(job)), None)  # type: ignore[arg-type]
    assert store.rephrasings.all() == WRITTEN[:1]
    assert store.facts.get(1).fact == FRANCE
