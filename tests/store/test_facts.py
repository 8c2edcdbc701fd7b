"""The fact table: what is added, changed, ticked and deleted stays so, and prompts stand once."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from workbench.errors import SessionError
from workbench.facts import Fact, Question
from workbench.methods.locft_settings import EditSettings
from workbench.store.facts import FactTable
from workbench.store.found import Found, found_facts
from workbench.store.store import Store

AUSTRALIA = Fact("The capital of Australia is", "Melbourne")
FRANCE = Fact(
    "The capital of France is",
    "Lyon",
    subject="France",
    ground_truth="Paris",
    rephrase_prompts=("France's capital is",),
    locality_prompts=(Question("The capital of Italy is", "Rome"),),
    portability_prompts=(Question("The mayor of France's capital governs", "Lyon", ("Lyons",)),),
    aliases=("Lyons",),
    wordings=("The French capital is",),
    keep_prompts=(Question("The capital of Spain is", "Madrid"), Question("Rome lies in")),
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
    (against,) = added.contradictions
    assert (against.fact.target_new, against.place, against.present) == ("Perth", 1, "Melbourne")
    assert [row.fact.target_new for row in facts] == ["Melbourne", "Lyon"]


def test_typing_a_prompt_again_changes_its_answer_and_keeps_the_rest(facts: FactTable) -> None:
    facts.put(FRANCE, "typed")
    row, replaced = facts.put(Fact(FRANCE.prompt, "Nice"), "typed")
    assert replaced == "Lyon"
    assert facts.get(row).fact.target_new == "Nice"
    assert replace(facts.get(row).fact, target_new="Lyon") == FRANCE


def test_whether_a_ticked_fact_has_prompts_to_keep_is_known(facts: FactTable) -> None:
    facts.add([Fact('A "keep": is', "b", aliases=('"keep":',))], "typed")
    assert not facts.keeping()
    (row,) = facts.add([FRANCE], "typed").ids
    assert facts.keeping()
    facts.enable([row], False)
    assert not facts.keeping()


def test_a_fact_is_compared_with_all_others_only_if_it_brings_something(facts: FactTable) -> None:
    plain, brings = facts.add([AUSTRALIA, FRANCE], "file").ids
    assert list(facts.beside(plain)) == [FRANCE] and list(facts.beside(brings)) == [AUSTRALIA]
    other, gone = facts.add([Fact("A is", "b"), Fact("B is", "c", wordings=("b",))], "file").ids
    facts.delete([gone])
    assert list(facts.beside(other)) == [FRANCE]
    assert len(list(facts.beside(brings))) == 2


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
    facts.restore(facts.deletions()[0].time)
    assert prompts(facts) == [AUSTRALIA.prompt, FRANCE.prompt]


def test_a_deleted_fact_does_not_come_back_beside_a_new_one(facts: FactTable) -> None:
    ids = facts.add([AUSTRALIA], "file").ids
    facts.delete(ids)
    facts.put(Fact(AUSTRALIA.prompt, "Perth"), "typed")
    with pytest.raises(SessionError, match="The capital of Australia is' was added meanwhile"):
        facts.restore(facts.deletions()[0].time)
    assert [row.fact.target_new for row in facts] == ["Perth"]


def test_only_ticked_facts_are_compiled(facts: FactTable) -> None:
    first, _ = facts.add([AUSTRALIA, FRANCE], "file").ids
    facts.enable([first], False)
    assert [row.fact for row in facts.enabled()] == [FRANCE]
    facts.enable_found(Found("australia"), True)
    assert facts.count(enabled=True) == 2


def test_a_search_takes_percent_and_underscore_as_they_are(facts: FactTable) -> None:
    facts.add([Fact("100% of a_b is", "x"), Fact("100 of acb is", "y")], "file")
    assert facts.ids(Found("%")) == [1]
    assert [row.fact.target_new for row in facts.page(0, 50, Found("a_b"))] == ["x"]


def test_pages_follow_one_another_without_gaps(facts: FactTable) -> None:
    facts.add([Fact(f"prompt {n}", "x") for n in range(120)], "file")
    seen = [row.fact.prompt for start in (0, 50, 100) for row in facts.page(start, 50)]
    assert seen == [f"prompt {n}" for n in range(120)]


def test_filters_combine_with_the_search_and_count_what_they_show(tmp_path: Path) -> None:
    store = Store(tmp_path)
    facts = store.facts
    ids = facts.add([Fact(f"prompt {n}", "x") for n in range(4)], "file").ids
    run = store.runs.begin(
        store.jobs.submit("edit"), "builtin", EditSettings(), facts.page(0, 3, Found())
    )
    store.runs.set_learned(run, [(ids[0], True), (ids[1], False), (ids[2], True)])
    facts.change(ids[2], Fact("prompt 2", "another answer"))
    facts.enable([ids[0]], False)
    facts.add([Fact("The x of prompt", "x", ground_truth="x")], "file")

    def found(show: str, search: str = "") -> list[int]:
        return facts.ids(found_facts(search, show, run))

    assert found("ticked") == [2, 3, 4, 5] and found("unticked") == [1]
    assert found("learned") == [1] and found("missed") == [2]
    assert found("outside") == [3, 4, 5]
    assert found("doubtful") == [5]
    assert found("outside", "prompt 2") == [3]
    assert found("learned", "prompt 2") == []
    overview = facts.overview(Found("prompt", "missed", run))
    assert list(overview.counts.values()) == [5, 4, 1, 1, 1, 3, 1]
    assert (overview.found_ticked, overview.found_unanswered) == (1, 1)
    assert (overview.total, overview.enabled) == (5, 4)
    with pytest.raises(SessionError, match="no filter"):
        found("wrong")


def test_what_is_found_is_ticked_and_deleted_and_nothing_else(facts: FactTable) -> None:
    facts.add([AUSTRALIA, FRANCE, Fact("The author of Hamlet is", "x")], "file")
    facts.enable_found(Found("capital"), False)
    assert facts.overview(Found()).found_ticked == 1
    facts.delete_found(Found("capital", "unticked"))
    assert prompts(facts) == ["The author of Hamlet is"]


def test_each_deletion_comes_back_by_itself_the_last_one_first(tmp_path: Path) -> None:
    facts = Store(tmp_path).facts
    first, second = facts.add([AUSTRALIA, FRANCE], "file").ids
    facts.delete([first])
    facts.delete([second])
    later = Store(tmp_path).facts
    newest, earlier = later.deletions()
    assert (newest.prompt, newest.facts) == (FRANCE.prompt, 1)
    assert later.deletions(since=newest.time) == []
    later.restore(newest.time)
    assert prompts(later) == [FRANCE.prompt]
    later.restore(earlier.time)
    assert prompts(later) == [AUSTRALIA.prompt, FRANCE.prompt]


def test_what_is_doubtful_stands_with_the_fact_and_goes_when_it_is_mended(
    facts: FactTable,
) -> None:
    (row,) = facts.add([Fact("The capital of France is", "Paris", ground_truth="Paris")], "x").ids
    assert [problem.kind for problem in facts.get(row).problems] == ["no change"]
    facts.change(row, Fact("The capital of France is", "Lyon", ground_truth="Paris"))
    assert facts.get(row).problems == ()


def test_facts_from_before_problems_were_kept_are_judged_once(tmp_path: Path) -> None:
    import sqlite3

    store = Store(tmp_path)
    (row,) = store.facts.add([Fact("The x is", "same", ground_truth="same")], "file").ids
    with sqlite3.connect(tmp_path / "session.db") as old:
        old.execute("UPDATE facts SET problems = '[]'")
    store.enter()
    assert [problem.kind for problem in store.facts.get(row).problems] == ["no change"]


def test_an_old_answer_is_filled_only_where_it_belongs(facts: FactTable) -> None:
    ids = facts.add([AUSTRALIA, FRANCE, Fact("The author of Hamlet is", "x")], "file").ids
    asked = [(row.id, row.fact.prompt, f"answer {row.id}") for row in facts]
    facts.change(ids[2], Fact("Another prompt", "x"))
    filled = facts.fill_old_answers(asked, overwrite=False)
    assert [row.id for row in filled] == [ids[0]]
    assert [row.fact.ground_truth for row in facts] == ["answer 1", "Paris", ""]
    facts.fill_old_answers(asked, overwrite=True)
    assert [row.fact.ground_truth for row in facts] == ["answer 1", "answer 2", ""]


def test_typing_a_prompt_again_brings_an_unticked_fact_back(facts: FactTable) -> None:
    row, _ = facts.put(AUSTRALIA, "typed")
    facts.enable([row], False)
    facts.put(Fact(AUSTRALIA.prompt, "Perth"), "typed")
    assert facts.get(row).enabled


def test_changes_of_two_fields_at_the_same_time_are_both_kept(facts: FactTable) -> None:
    (row,) = facts.add([AUSTRALIA], "file").ids
    together = threading.Barrier(2)

    def change(name: str) -> None:
        def slowly(fact: Fact) -> Fact:
            time.sleep(0.05)
            return replace(fact, **{name: "changed"})  # type: ignore[arg-type]

        together.wait()
        facts.amend(row, slowly)

    threads = [threading.Thread(target=change, args=(n,)) for n in ("subject", "ground_truth")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fact = facts.get(row).fact
    assert (fact.subject, fact.ground_truth) == ("changed", "changed")
