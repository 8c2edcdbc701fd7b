"""Earlier versions of facts: kept at every change, and given back for a change of many."""

from pathlib import Path

import pytest

from workbench.errors import FactsError, SessionError
from workbench.facts import Fact
from workbench.facts.many import ManyChange
from workbench.store import Library, Store, fact_versions
from workbench.store.found import Found

FRANCE = Fact("The capital of France is", "Lyon", subject="France")
SPAIN = Fact("The capital of Spain is", "Seville", subject="Spain")
GOLD = Fact("The symbol of gold is", "Go")
CAPITALS = Found(search="capital")
TOWNS = ManyChange("replace", "prompt", "capital", "main town")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Library(tmp_path).create("facts")
    store.facts.add([FRANCE, SPAIN, GOLD], "file")
    return store


def prompts(store: Store) -> list[str]:
    return [row.fact.prompt for row in store.facts]


def test_a_change_of_many_is_seen_before_made_and_undone(store: Store) -> None:
    seen = store.versions.preview(CAPITALS, TOWNS)
    assert (seen.changed, seen.found) == (2, 2)
    assert seen.examples[0][1].prompt == "The main town of France is"
    assert prompts(store)[0] == FRANCE.prompt
    assert store.versions.change(CAPITALS, TOWNS) == 2
    changed = ["The main town of France is", "The main town of Spain is", GOLD.prompt]
    assert prompts(store) == changed
    (change,) = store.versions.changes()
    assert (change.facts, change.prompt) == (2, changed[0])
    assert store.versions.undo(change.time) == 2
    assert [row.fact for row in store.facts] == [FRANCE, SPAIN, GOLD]
    assert store.versions.changes() == []
    assert [version.fact.prompt for version in store.versions.of(1)] == [changed[0], FRANCE.prompt]


def test_a_preview_tries_a_change_on_few_facts_and_counts_the_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_versions, "LOOKED_AT", 1)
    seen = store.versions.preview(Found(), TOWNS)
    assert (seen.changed, seen.found, seen.at_most) == (2, 3, True)
    assert [before.prompt for before, _ in seen.examples] == [FRANCE.prompt]
    alone = ManyChange("set", "subject", text=" Spain ")
    seen = store.versions.preview(CAPITALS, alone)
    assert (seen.changed, seen.found, seen.at_most) == (1, 2, False)
    assert store.versions.change(CAPITALS, alone) == 1


def test_prompts_that_changed_places_change_back(store: Store) -> None:
    store.facts.add([Fact("of Spain", "x"), Fact("of of Spain", "y")], "file")
    before = list(store.facts)
    store.versions.change(
        Found(search="of Spain"), ManyChange("replace", "prompt", "of ", "of of ")
    )
    store.versions.undo(store.versions.changes()[0].time)
    assert list(store.facts) == before


def test_undo_goes_back_step_by_step_and_spares_what_was_changed_since(store: Store) -> None:
    store.versions.change(CAPITALS, TOWNS)
    store.versions.change(Found(), ManyChange("set", "ground_truth", text="none"))
    later, earlier = store.versions.changes()[0], 2
    store.versions.undo(later.time)
    (change,) = store.versions.changes()
    assert change.facts == earlier
    store.facts.change(1, Fact("France's capital is", "Nice"))
    assert store.versions.undo(change.time) == 1
    assert prompts(store) == ["France's capital is", SPAIN.prompt, GOLD.prompt]
    with pytest.raises(SessionError, match="changed again"):
        store.versions.undo(change.time)


def test_prompts_may_change_places_and_never_become_the_same(store: Store) -> None:
    store.facts.add([Fact("of Spain", "x"), Fact("of of Spain", "y")], "file")
    store.versions.change(
        Found(search="of Spain"), ManyChange("replace", "prompt", "of ", "of of ")
    )
    assert prompts(store)[3:] == ["of of Spain", "of of of of Spain"]
    before = list(store.facts)
    with pytest.raises(SessionError, match="which another fact has"):
        store.versions.change(CAPITALS, ManyChange("split", "prompt", " of", into="subject"))
    with pytest.raises(FactsError, match=r"needs target_new.*Nothing was changed"):
        store.versions.change(Found(), ManyChange("replace", "target_new", "Lyon"))
    assert list(store.facts) == before


def test_every_way_of_changing_a_fact_keeps_what_it_was(store: Store) -> None:
    store.facts.fill_old_answers([(1, FRANCE.prompt, "Paris")], overwrite=False)
    store.facts.put(Fact(FRANCE.prompt, "Nice"), "typed")
    store.facts.enable([1], False)
    nice, old = store.versions.of(1)
    assert (nice.fact.ground_truth, nice.fact.target_new) == ("Paris", "Lyon")
    assert old.fact == FRANCE
    assert store.versions.of(2) == []
    assert store.versions.changes() == []
