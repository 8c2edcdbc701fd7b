"""The fact table: what is added, changed, ticked and deleted stays so, and prompts stand once."""

from pathlib import Path

import pytest

from workbench.facts import Fact, Question
from workbench.recipe.errors import SessionError
from workbench.session.facts import FactTable
from workbench.session.store import Store

AUSTRALIA = Fact("The capital of Australia is", "Melbourne")
FRANCE = Fact(
    "The capital of France is",
    "Lyon",
    subject="France",
    ground_truth="Paris",
    rephrase_prompts=("France's capital is",),
    locality_prompts=(Question("The capital of Italy is", "Rome"),),
    portability_prompts=(Question("The mayor of France's capital governs", "Lyon"),),
)


@pytest.fixture
def facts(tmp_path: Path) -> FactTable:
    return Store(tmp_path).facts


def prompts(facts: FactTable) -> list[str]:
    return [row.fact.prompt for row in facts]


def test_a_fact_comes_back_whole_from_another_process_view(tmp_path: Path) -> None:
    Store(tmp_path).facts.add([FRANCE], "typed")
    (row,) = Store(tmp_path).facts
    assert row.fact == FRANCE
    assert row.enabled and row.source == "typed"


def test_adding_never_overwrites_a_prompt_that_is_there(facts: FactTable) -> None:
    facts.add([AUSTRALIA], "one")
    added = facts.add([AUSTRALIA, Fact(AUSTRALIA.prompt, "Perth"), FRANCE], "two")
    assert added.same == 1
    assert [fact.target_new for fact in added.conflicts] == ["Perth"]
    assert [row.fact.target_new for row in facts] == ["Melbourne", "Lyon"]


def test_typing_a_prompt_again_changes_its_answer_and_keeps_the_rest(facts: FactTable) -> None:
    facts.put(FRANCE, "typed")
    row, replaced = facts.put(Fact(FRANCE.prompt, "Nice"), "typed")
    assert replaced == "Lyon"
    assert facts.get(row).fact.target_new == "Nice"
    assert facts.get(row).fact.rephrase_prompts == FRANCE.rephrase_prompts


def test_a_fact_cannot_take_the_prompt_of_another(facts: FactTable) -> None:
    first, second = facts.add([AUSTRALIA, FRANCE], "file").ids
    with pytest.raises(SessionError, match="Another fact has the prompt"):
        facts.change(second, Fact(AUSTRALIA.prompt, "Perth"))
    facts.delete([first])
    with pytest.raises(SessionError, match="deleted meanwhile"):
        facts.change(first, AUSTRALIA)


def test_deleted_facts_come_back(facts: FactTable) -> None:
    ids = facts.add([AUSTRALIA, FRANCE], "file").ids
    facts.delete(ids)
    assert prompts(facts) == []
    facts.restore(ids)
    assert prompts(facts) == [AUSTRALIA.prompt, FRANCE.prompt]


def test_a_deleted_fact_does_not_come_back_beside_a_new_one(facts: FactTable) -> None:
    ids = facts.add([AUSTRALIA], "file").ids
    facts.delete(ids)
    facts.put(Fact(AUSTRALIA.prompt, "Perth"), "typed")
    with pytest.raises(SessionError, match="same prompt"):
        facts.restore(ids)
    assert [row.fact.target_new for row in facts] == ["Perth"]


def test_only_ticked_facts_are_compiled(facts: FactTable) -> None:
    first, _ = facts.add([AUSTRALIA, FRANCE], "file").ids
    facts.enable([first], False)
    assert [row.fact for row in facts.enabled()] == [FRANCE]
    facts.enable_matching("australia", True)
    assert facts.count(enabled=True) == 2


def test_a_search_takes_percent_and_underscore_as_they_are(facts: FactTable) -> None:
    facts.add([Fact("100% of a_b is", "x"), Fact("100 of acb is", "y")], "file")
    assert facts.count("%") == 1
    assert [row.fact.target_new for row in facts.page(0, 50, "a_b")] == ["x"]


def test_pages_follow_one_another_without_gaps(facts: FactTable) -> None:
    facts.add([Fact(f"prompt {n}", "x") for n in range(120)], "file")
    seen = [row.fact.prompt for start in (0, 50, 100) for row in facts.page(start, 50)]
    assert seen == [f"prompt {n}" for n in range(120)]
