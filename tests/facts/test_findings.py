"""Every mistake is found, told with its row and field, and why it matters."""

import csv
import io
import json

import pytest

from workbench.facts import Fact, FactFile, Question, fact_problems, parse_facts, report_csv
from workbench.facts.length import too_long
from workbench.facts.problems import WHY, Problem
from workbench.facts.special import special_tokens

HEADER = "prompt,target_new,ground_truth,rephrase,locality,locality_answer\n"


def found_in(rows: str) -> list[tuple[int, str, str]]:
    found = parse_facts(HEADER + rows)
    assert found.rejected == 0
    return [(problem.row, problem.field, problem.kind) for problem in found.problems]


@pytest.mark.parametrize(
    ("rows", "row", "field", "kind"),
    [
        ("A is,B,,,C is,E\nC is,D,,,,\n", 2, "locality", "locality is fact"),
        ("A is,B,,,A is,E\n", 2, "locality", "locality is fact"),
        ("A is,B,,C is,,\nX is,D,,,C is,E\n", 3, "locality", "locality is rephrase"),
        ("A is,B,,C is,,\nX is,D,,C  is,,\n", 3, "rephrase", "rephrase shared"),
        ("A is,B,,,C is,\n", 2, "locality", "locality unanswered"),
        ("The cafÃ© is,B,,,,\n", 2, "prompt", "lost character"),
        ("A is,itâ€™s,,,,\n", 2, "target_new", "lost character"),
    ],
)
def test_rows_that_are_in_each_others_way_are_told(
    rows: str, row: int, field: str, kind: str
) -> None:
    assert found_in(rows) == [(row, field, kind)]


def test_one_rephrase_of_two_facts_with_one_answer_is_no_problem() -> None:
    assert found_in("A is,B,,C is,,\nX is,b,,C is,,\n") == []


def test_a_new_answer_that_was_right_before_is_no_change() -> None:
    row = {"src": "P is", "alt": "the Thames", "pred": "Rhine", "answers": ["Thames", "Isis"],
           "rephrase": "So P is", "loc": "L", "loc_ans": "M"}  # fmt: skip
    (problem,) = parse_facts(json.dumps([row])).problems
    assert (problem.field, problem.kind) == ("alt", "no change")


def test_all_rows_of_a_conflict_stand_together() -> None:
    found = parse_facts("prompt,answer\nA is,B\nX is,Y\nA is,C\nA  is,b\nA is,D\n")
    (conflict,) = found.conflicts
    assert [(row, fact.target_new) for row, fact in conflict.rows] == [(2, "B"), (4, "C"), (6, "D")]
    assert (conflict.prompt, found.summary()["conflicts"]) == ("A is", 1)
    assert (found.rows, len(found), found.merged, found.rejected) == (5, 2, 1, 2)


def test_every_fact_knows_its_row() -> None:
    found = parse_facts("prompt,answer\nA is,B\n,\n,C\nX is,Y\nA is,B\n")
    assert found.numbers == (2, 5)


@pytest.mark.parametrize(
    ("fact", "kinds"),
    [
        (Fact("P is", "A"), []),
        (Fact("P is", "A", locality_prompts=(Question("L"),)), ["locality unanswered"]),
        (Fact("P is", "St. A\nB", ground_truth="st a b"), ["no change", "answer cut"]),
        (Fact("P is", "A", rephrase_prompts=("P  is", "Q")), ["rephrase is prompt"]),
    ],
)
def test_one_fact_can_be_judged_alone(fact: Fact, kinds: list[str]) -> None:
    assert [problem.kind for problem in fact_problems(fact)] == kinds


def test_a_cell_of_endless_length_is_refused() -> None:
    found = parse_facts(json.dumps([{"prompt": "x" * 100_001, "target_new": "B"}]))
    assert [(p.field, p.kind) for p in found.problems] == [("prompt", "too long")]


def words(texts: list[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def test_what_is_too_long_is_told_in_the_models_tokens() -> None:
    found = parse_facts("prompt,answer\na b c is,d\na b is,c\n" + "z is," + "w " * 33 + "\n")
    problems = too_long(found.facts, words, 4, found.numbers)
    assert [(p.row, p.field, p.kind) for p in problems] == [
        (2, "prompt", "too many tokens"),
        (4, "prompt", "too many tokens"),
    ]
    (cut,) = too_long(found.facts, words, None, found.numbers)
    assert (cut.row, cut.field, cut.kind) == (4, "target_new", "answer cut")


def test_special_tokens_are_told_wherever_they_stand() -> None:
    facts = [
        Fact("A is", "B", rephrase_prompts=("So <s> A is",), aliases=("C</s>",)),
        Fact("A < s> is", "B"),
        Fact("D <|end|> is", "B", locality_prompts=(Question("E is", "<|"),), subject="<|"),
    ]
    problems = special_tokens(facts, ("<|", "<s>", "</s>", "<|end|>"), (5, 6, 7))
    assert [(p.row, p.field, p.severity, p.kind) for p in problems] == [
        (5, "target_new", "warning", "special token"),
        (5, "rephrase_prompts", "warning", "special token"),
        (7, "prompt", "warning", "special token"),
        (7, "subject", "warning", "special token"),
        (7, "locality_prompts", "warning", "special token"),
    ]
    assert "'<|end|>'" in problems[2].what
    assert special_tokens(facts, ()) == ()


def test_every_kind_says_why_it_matters() -> None:
    for kind, why in WHY.items():
        problem = Problem(1, "prompt", "What.", "Mend.", "warning", kind)
        assert problem.message == f"What. {why} Mend."
        assert why.endswith(".")


def test_the_report_is_a_table_that_can_be_read_again() -> None:
    found: FactFile = parse_facts('prompt,answer\n,"a, ""b"""\nA is,B\nA is,C\n')
    rows = list(csv.DictReader(io.StringIO(report_csv(found.problems))))
    assert [(row["row"], row["kind"]) for row in rows] == [("2", "missing"), ("4", "conflict")]
    assert rows[1]["what"] == found.problems[1].what
