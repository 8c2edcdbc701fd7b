"""What stands in a cell: numbers and dates, nothing at all, prints of programs, traces of Excel."""

import csv
import datetime
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.facts import Fact, FactFile, Question, parse_facts
from workbench.facts.mend import escaped, mended
from workbench.facts.problems import Problem
from workbench.facts.tables.printed import unprinted


def read(**parts: Any) -> FactFile:
    """What one JSON record gives, which has a prompt and an answer unless they are told."""
    return parse_facts(json.dumps([{"prompt": "P is", "target_new": "A", **parts}]))


def cell(text: str, column: str = "target_new") -> FactFile:
    """What one row of a CSV table gives."""
    names = {"prompt": "P is", "target_new": "A", column: text}
    table = io.StringIO()
    csv.writer(table).writerows([list(names), list(names.values())])
    return parse_facts(table.getvalue())


def the_error(found: FactFile) -> Problem:
    assert (len(found), found.rejected) == (0, 1)
    (problem,) = found.problems
    return problem


@pytest.mark.parametrize(
    ("written", "answer"),
    [("1890", "1890"), ("3.15", "3.15"), ("3.10", "3.10"), ("-0.5", "-0.5"), ("1e3", "1000"),
     ("true", "true"), ("false", "false"), ('{"str": "Usk"}', "Usk"), ('{"str": 1890}', "1890"),
     ("1e-30", "1E-30"), ("123456789012345678901234567890", "123456789012345678901234567890")],
)  # fmt: skip
def test_a_number_or_true_in_json_is_an_answer_as_it_was_written(written: str, answer: str) -> None:
    (fact,) = parse_facts(f'[{{"prompt": "P is", "target_new": {written}}}]')
    assert fact.target_new == answer


def test_numbers_may_stand_wherever_an_answer_may() -> None:
    (fact,) = read(
        subject=1984,
        ground_truth=[1990, "1991"],
        aliases=[1890.5],
        locality_prompt=["Q"],
        locality_ground_truth=[7],
        portability_prompts=[{"prompt": "R", "answer": True}],
    )
    assert (fact.subject, fact.ground_truth, fact.aliases) == ("1984", "1990", ("1890.5",))
    assert fact.locality_prompts == (Question("Q", "7"),)
    assert fact.portability_prompts == (Question("R", "true"),)


@pytest.mark.parametrize("field", ["prompt", "rephrase_prompts", "locality_prompts"])
def test_a_number_is_no_prompt(field: str) -> None:
    assert the_error(read(**{field: 1890})).kind == "not text"


def parquet(target: list[Any]) -> FactFile:
    pyarrow = pytest.importorskip("pyarrow")
    writer = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    prompts = [f"P {place} is" for place in range(len(target))]
    table = pyarrow.table({"prompt": prompts, "target_new": target})
    writer.write_table(table, file)
    return parse_facts(file.getvalue())


@pytest.mark.parametrize(
    ("value", "answer"),
    [(datetime.date(2020, 1, 2), "2020-01-02"), (datetime.datetime(2020, 1, 2), "2020-01-02"),
     (datetime.datetime(2020, 1, 2, 3, 4), "2020-01-02 03:04:00"), (1890.0, "1890"),
     (3.15, "3.15"), (True, "true"), ("Málaga".encode(), "Málaga"), (["a", "b"], "a")],
)  # fmt: skip
def test_typed_columns_give_answers_as_a_person_would_write_them(value: Any, answer: str) -> None:
    assert parquet([value])[0].target_new == answer


def test_bytes_that_are_no_text_are_reported() -> None:
    found = parquet([b"\xff\xfe\xfa"])
    assert the_error(found).kind == "not text" and "bytes" in found.problems[0].what


@pytest.mark.parametrize("nothing", ["NaN", "null", '"NaN"', '"nan"', '"None"', '"null"', "[]"])
@pytest.mark.parametrize(
    "field", ["subject", "ground_truth", "aliases", "rephrase_prompts", "locality_prompts",
              "portability_prompts"],
)  # fmt: skip
def test_nothing_in_a_field_that_may_be_empty_is_an_empty_field(field: str, nothing: str) -> None:
    found = parse_facts(f'[{{"prompt": "P is", "target_new": "A", "{field}": {nothing}}}]')
    assert list(found) == [Fact("P is", "A")] and not found.problems


@pytest.mark.parametrize("nothing", ["NaN", "null", '""', "[]", "{}", '{"str": null}'])
@pytest.mark.parametrize("field", ["prompt", "target_new"])
def test_nothing_in_a_field_that_must_be_filled_is_reported(field: str, nothing: str) -> None:
    row = {"prompt": '"P is"', "target_new": '"A"', field: nothing}
    content = ", ".join(f'"{name}": {value}' for name, value in row.items())
    error = the_error(parse_facts(f"[{{{content}}}]"))
    assert (error.field, error.kind) == (field, "missing")


@pytest.mark.parametrize(
    "printed",
    ["['Usk', 'River Usk']", '["Usk", "River Usk"]', "['Usk' 'River Usk']", "['Usk'\n 'River Usk']",
     "array(['Usk', 'River Usk'], dtype=object)", "[array(['Usk'], dtype=object), 'River Usk']",
     "('Usk', 'River Usk')", "{'str': 'Usk', 'aliases': ['River Usk']}",
     "np.array(['Usk', 'River Usk'])", "[b'Usk', b'River Usk']", "[['Usk'], ['River Usk', nan]]"],
)  # fmt: skip
def test_a_list_that_a_program_printed_into_a_cell_is_taken_apart(printed: str) -> None:
    for found in (cell(printed), read(target_new=printed)):
        assert list(found) == [Fact("P is", "Usk", aliases=("River Usk",))]
        assert not found.problems


def test_printed_lists_are_taken_apart_in_every_column() -> None:
    assert cell("['Q', 'R']", "rephrase_prompt")[0].rephrase_prompts == ("Q", "R")
    assert cell("b'Lornia'", "subject")[0].subject == "Lornia"
    asked = "[{'prompt': 'Q', 'ground_truth': ['x', 'y']} {'prompt': 'R', 'ground_truth': 3}]"
    assert cell(asked, "locality_prompt")[0].locality_prompts == (
        Question("Q", "x", ("y",)),
        Question("R", "3"),
    )
    grouped = "{'Reasoning': [{'prompt': 'Q', 'ground_truth': [['x', 'y']]}]}"
    assert cell(grouped, "portability")[0].portability_prompts == (Question("Q", "x", ("y",)),)


@pytest.mark.parametrize(
    ("printed", "field"),
    [("['a' ... 'z']", "target_new"), ("['a', <NA>]", "target_new"), ("['a', 'b']", "prompt"),
     ("['a', open('x')]", "subject"), ("{'a': 1}", "prompt"), ("{'id': 'Q1'}", "target_new")],
)  # fmt: skip
def test_what_cannot_be_taken_apart_is_reported_and_never_taken_as_text(
    printed: str, field: str
) -> None:
    error = the_error(cell(printed, field))
    assert error.field == field and error.kind in ("printed", "not text")


@pytest.mark.parametrize(
    "text", ["[1] and [2]", "[sic]", "(1890)", "{x}", "It is ['a'] there", "f(x) = [x]", "'a'"]
)
def test_a_text_with_brackets_that_no_program_printed_stays(text: str) -> None:
    assert cell(text)[0].target_new == text


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!"])
def test_an_error_of_excels_is_never_an_answer(error: str) -> None:
    problem = the_error(cell(error))
    assert problem.kind == "spreadsheet error" and error in problem.what
    found = cell(error, "subject")
    assert list(found) == [Fact("P is", "A")]
    assert [(p.field, p.severity, p.kind) for p in found.problems] == [
        ("subject", "warning", "spreadsheet error")
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("Marks &amp; Spencer", "Marks & Spencer"), ("it&#39;s", "it's"), ("caf&eacute;", "café"),
     ("two_x000D_\nlines", "two\nlines"), ("a_x0041_b", "aAb"), ("_x005F_x000D_", "_x000D_")],
)  # fmt: skip
def test_traces_of_other_programs_are_mended_with_a_word(written: str, meant: str) -> None:
    found = cell(written, "subject")
    assert found[0].subject == meant
    assert [(p.row, p.field, p.severity, p.kind) for p in found.problems] == [
        (2, "subject", "warning", "mended")
    ]


@pytest.mark.parametrize("text", ["R&D; more", "AT&T", "&unknown;", "_x_", "snake_x12_y"])
def test_what_only_looks_like_a_trace_stays(text: str) -> None:
    found = cell(text, "subject")
    assert found[0].subject == text and not found.problems


@given(st.lists(st.sampled_from(["&", "amp;", "lt;", "#39;", "_x", "000D_", "005F_", "\n", "x"]),
                max_size=12).map("".join))  # fmt: skip
@settings(deadline=None)
def test_a_text_that_was_escaped_is_mended_to_itself(text: str) -> None:
    assert mended(escaped(text), needed=True)[0] == text


_DATA = st.recursive(
    st.text(max_size=5) | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner,
                                                                max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.lists(_DATA, min_size=1, max_size=3) | st.dictionaries(st.text(max_size=3), _DATA))
@settings(deadline=None)
def test_whatever_python_or_json_prints_is_read_back(value: Any) -> None:
    assert unprinted(json.dumps(value)) == value
    if any(isinstance(item, str) for item in value):
        assert unprinted(repr(value)) == value


@given(st.text(alphabet="[]{}()'\",ab1:= \n\\.", max_size=20))
@settings(deadline=None)
def test_any_text_in_brackets_gives_a_fact_or_a_report(text: str) -> None:
    found = read(target_new=text, subject=text, rephrase_prompts=text, locality_prompts=text)
    assert found.rows == len(found) + found.rejected == 1
