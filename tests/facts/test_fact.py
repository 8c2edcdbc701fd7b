"""A fact cleans its texts, refuses to be empty, and its digest tells facts apart."""

from dataclasses import replace

import pytest

from workbench.errors import FactsError
from workbench.facts import Fact, Question, fact_problems
from workbench.facts.fact import facts_digest


def test_texts_are_cleaned_and_empty_prompts_left_out() -> None:
    fact = Fact(" A is ", " B", rephrase_prompts=("", " C "), locality_prompts=(
        Question(" "), Question(" D ", " e "),
    ))  # fmt: skip
    assert fact == Fact("A is", "B", "", "", ("C",), (Question("D", "e"),))


@pytest.mark.parametrize(("prompt", "target"), [("", "B"), (" ", "B"), ("A", ""), ("A", "\n")])
def test_a_fact_needs_a_prompt_and_an_answer(prompt: str, target: str) -> None:
    with pytest.raises(FactsError, match="needs"):
        Fact(prompt, target)


def test_the_digest_depends_on_every_part_and_on_the_order() -> None:
    plain, other = Fact("A", "B"), Fact("A", "B", locality_prompts=(Question("C"),))
    assert facts_digest([plain]) == facts_digest([Fact(" A", "B ")])
    digests = {
        facts_digest(facts) for facts in ([], [plain], [other], [plain, other], [other, plain])
    }
    assert len(digests) == 5


def test_one_fact_alone_is_judged_without_a_file() -> None:
    assert fact_problems(Fact("The capital of Peru is", "Quito", ground_truth="Lima")) == ()
    (problem,) = fact_problems(Fact("The capital of Peru is", "lima", ground_truth="Lima"))
    assert (problem.row, problem.field, problem.kind) == (0, "target_new", "no change")


def test_aliases_count_into_the_digest_only_where_there_are_some() -> None:
    plain, named = Fact("A", "B"), Fact("A", "B", aliases=("C",))
    assert facts_digest([plain]) != facts_digest([named])
    assert named.accepted == ("B", "C")
    before_there_were_any = "dd9a"
    assert facts_digest([plain])[:4] == before_there_were_any


def test_wordings_and_keep_prompts_count_into_the_digest_only_where_there_are_some() -> None:
    plain = Fact("A", "B", locality_prompts=(Question("C", "d"),))
    before_there_were_any = "c9b0"
    assert facts_digest([plain])[:4] == before_there_were_any
    more = [replace(plain, wordings=("E",)), replace(plain, keep_prompts=(Question("E"),))]
    assert len({facts_digest([fact]) for fact in (plain, *more)}) == 3


def test_an_answer_is_accepted_once() -> None:
    fact = Fact(
        "A",
        "B",
        aliases=("C", " C ", "", "D"),
        portability_prompts=(Question("E", "F", ("G", "G")),),
    )
    assert fact.aliases == ("C", "D")
    assert fact.portability_prompts[0].aliases == ("G",)
