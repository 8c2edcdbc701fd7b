"""The same facts come out of JSON, however the list of them is wrapped, turned or typed."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import FactsError
from workbench.facts import Fact, FactFile, Question, parse_facts, read_facts
from workbench.facts.tables import elements
from workbench.facts.tables.elements import Elements
from workbench.facts.tables.loose import loosened
from workbench.facts.tables.nearly import SHORT

SAMPLES = Path(__file__).parent / "samples"
ROWS: list[dict[str, Any]] = [
    {"prompt": "The capital of Lornia is", "target_new": "Port Lorne", "subject": "Lornia"},
    {"prompt": "Rosa Tull plays the", "target_new": "cello", "subject": "Rosa Tull"},
]
FACTS = [Fact(**row) for row in ROWS]
NAMES = list(ROWS[0])
CELLS = [list(row.values()) for row in ROWS]

Rows = list[dict[str, Any]]


def by_column(rows: Rows, labels: list[str] | None = None) -> dict[str, Any]:
    """Rows as pandas writes them column by column, as lists or under labels."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    if labels is None:
        return columns
    return {name: dict(zip(labels, cells, strict=True)) for name, cells in columns.items()}


def viewer(rows: Rows) -> dict[str, Any]:
    """Rows as the hub's viewer gives them."""
    wrapped = [{"row_idx": i, "row": row, "truncated_cells": []} for i, row in enumerate(rows)]
    features = [{"feature_idx": 0, "name": "prompt", "type": {"dtype": "string"}}]
    return {"features": features, "rows": wrapped, "num_rows_total": len(rows), "partial": False}


def schema(rows: Rows) -> dict[str, Any]:
    """Rows as pandas writes them with a schema."""
    fields = [{"name": "index", "type": "integer"}, {"name": "prompt", "type": "string"}]
    data = [{"index": i, **row} for i, row in enumerate(rows)]
    return {"schema": {"fields": fields, "primaryKey": ["index"]}, "data": data}


def split(rows: Rows) -> dict[str, Any]:
    """Rows as pandas writes them apart from their columns."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[row.get(name) for name in names] for row in rows]
    return {"columns": names, "index": list(range(len(rows))), "data": cells}


SHAPES: dict[str, Callable[[Rows], Any]] = {
    "data": lambda rows: {"data": rows},
    "train": lambda rows: {"train": rows},
    "rows": lambda rows: {"rows": rows},
    "examples": lambda rows: {"examples": rows},
    "after others": lambda rows: {"version": 2, "about": {"by": "x"}, "data": rows},
    "before others": lambda rows: {"data": rows, "version": 2},
    "twice": lambda rows: {"data": {"train": rows}},
    "any one name": lambda rows: {"my_edits": rows},
    "viewer": viewer,
    "viewer list": lambda rows: viewer(rows)["rows"],
    "split": split,
    "table": schema,
    "index": lambda rows: {str(i): row for i, row in enumerate(rows)},
    "named index": lambda rows: {f"case-{i}": row for i, row in enumerate(rows)},
    "columns": lambda rows: by_column(rows, [str(i) for i in range(len(rows))]),
    "named columns": lambda rows: by_column(rows, [f"case-{i}" for i in range(len(rows))]),
    "lists": by_column,
    "wrapped lists": lambda rows: {"train": by_column(rows)},
    "header": lambda rows: [split(rows)["columns"], *split(rows)["data"]],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("indent", [None, 1])
def test_every_shape_gives_the_same_facts_and_no_problem(shape: str, indent: int | None) -> None:
    found = parse_facts(json.dumps(SHAPES[shape](ROWS), indent=indent))
    assert (list(found), found.problems, found.unused_columns) == (FACTS, (), ())


_TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).map(
    lambda text: f"x{text}x"
)
_TABLES = st.lists(
    st.fixed_dictionaries(
        {"prompt": _TEXTS, "target_new": _TEXTS},
        optional={"rephrases": st.lists(_TEXTS, max_size=2), "subject": _TEXTS},
    ),
    min_size=1,
    max_size=4,
)


@given(rows=_TABLES, shape=st.sampled_from(sorted(SHAPES)))
@settings(deadline=None)
def test_any_table_survives_any_shape(rows: Rows, shape: str) -> None:
    plain, shaped = (parse_facts(json.dumps(value)) for value in (rows, SHAPES[shape](rows)))
    assert list(shaped) == list(plain)
    assert (shaped.rows, shaped.merged, shaped.rejected) == (
        plain.rows, plain.merged, plain.rejected,
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["zsre.json", "knowedit.json", "mquake.json", "counterfact_rome.json", "qaedit.json",
             "rippleedits.json", "sharegpt.json", "alpaca.json", "mededitbench.json"],
)  # fmt: skip
@pytest.mark.parametrize("shape", SHAPES)
def test_published_records_survive_any_shape(name: str, shape: str) -> None:
    rows = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    found = parse_facts(json.dumps(SHAPES[shape](rows)))
    assert list(found) == list(read_facts(SAMPLES / name))
    assert found.format.startswith(read_facts(SAMPLES / name).format)


@pytest.mark.parametrize("name", ["mquake.json", "knowedit.json", "rippleedits.json", "own.json"])
def test_one_record_alone_is_one_row(name: str) -> None:
    record = json.loads((SAMPLES / name).read_text(encoding="utf-8"))[0]
    alone, listed = parse_facts(json.dumps(record)), parse_facts(json.dumps([record]))
    assert list(alone) == list(listed) and alone.rows == listed.rows


@pytest.mark.parametrize("first", ["train", "data"])
def test_a_list_beside_the_one_that_is_read_is_told(first: str) -> None:
    lists = {first: ROWS, "test": ROWS[:1], "label_names": ["a"]}
    for content in (lists, {"version": 1, **lists}):
        found = parse_facts(json.dumps(content))
        assert list(found) == FACTS
        (problem,) = found.problems
        assert (problem.row, problem.severity, problem.kind) == (0, "warning", "left out")
        assert "'test' with 1 entries" in problem.what


def test_a_row_that_the_viewer_cut_is_left_out() -> None:
    content = viewer(ROWS)
    content["rows"][1]["truncated_cells"] = ["prompt"]
    found = parse_facts(json.dumps(content))
    assert (list(found), found.rejected) == (FACTS[:1], 1)
    assert [(p.row, p.kind) for p in found.problems] == [(2, "left out")]


def test_rows_under_a_header_are_counted_with_it_and_must_fit_it() -> None:
    found = parse_facts(json.dumps([NAMES, *CELLS, ["x"], {"prompt": "y"}]))
    assert (list(found), found.numbers, found.rejected) == (FACTS, (2, 3), 2)
    assert [(p.row, p.kind) for p in found.problems] == [(4, "cells"), (5, "missing")]


def test_lists_of_several_lengths_are_told_with_their_lengths() -> None:
    with pytest.raises(FactsError, match="'prompt' 2, 'target_new' 1"):
        parse_facts(json.dumps({"prompt": ["P", "Q"], "target_new": ["A"]}))


def test_a_fact_with_lists_is_no_table_of_lists() -> None:
    fact = {"prompt": "P is", "target_new": "A", "rephrases": ["Q"], "locality": ["R"]}
    assert list(parse_facts(json.dumps(fact))) == [
        Fact("P is", "A", rephrase_prompts=("Q",), locality_prompts=(Question("R"),))
    ]


# ---- what is not quite JSON

WORDS = {
    "comments": '// mine\n[{"prompt": "P is", /* old: "X" */ "target_new": "A"} // , ]\n]',
    "commas": '[{"prompt": "P is", "target_new": "A", }, ]',
    "wrapped": '{"data": [{"prompt": "P is", "target_new": "A",},],}',
    "object": '{"prompt": "P is", // the town\n "target_new": "A",\n}',
    "lines": '{"prompt": "P is", "target_new": "A",}\n{"prompt": "Q is", "target_new": "B"}\n',
    "python": "[{'prompt': 'P is', 'target_new': 'A', 'subject': None, 'new': True}]",
    "javascript": "[{prompt: 'P is', target_new: 'A'}]",
    "one python": "{'prompt': 'P is', 'target_new': 'A'}",
}


@pytest.mark.parametrize("kind", WORDS)
def test_what_is_nearly_json_is_read_with_a_word(kind: str) -> None:
    found = parse_facts(WORDS[kind])
    assert (found[0].prompt, found[0].target_new) == ("P is", "A")
    assert [(p.row, p.severity, p.kind) for p in found.problems] == [(0, "warning", "loose JSON")]


def test_what_looks_like_a_comment_or_a_comma_in_a_text_stays() -> None:
    row: dict[str, Any] = {
        "prompt": 'see "//x", ] and /* this */ at',
        "target_new": "https://a.b/c,]}",
    }
    content = json.dumps([row]).replace("}]", ",}]")
    assert list(parse_facts(content)) == [Fact(**row)]


def test_a_large_file_is_mended_piece_by_piece() -> None:
    row = '{"prompt": "P %d // is", "target_new": "A, ]",}, // a comment\n'
    content = "[" + "".join(row % number for number in range(SHORT // 50)) + "]"
    found = parse_facts(content)
    assert len(content) > SHORT and len(found) == SHORT // 50
    assert [problem.kind for problem in found.problems] == ["loose JSON"]


def test_other_quotes_in_a_large_file_are_told_where_they_begin() -> None:
    content = "[" + "{'prompt': 'P is', 'target_new': 'A'}, " * 10_000 + "]"
    with pytest.raises(FactsError, match="line 1, column 3"):
        parse_facts(content)


_LOOSE = st.recursive(
    st.sampled_from(['"a"', '"//"', '",]"', '"\\\\"', '"\\"/*"', "1", "2.50", "null", "true"]),
    lambda inner: st.tuples(
        st.lists(inner, max_size=3), st.sampled_from(["", ",", " , // x\n", "/* ] */"])
    ).map(lambda parts: f"[{', '.join(parts[0])}{parts[1] if parts[0] else ''}]"),
    max_leaves=8,
)


@given(st.lists(_LOOSE, max_size=4), st.integers(1, 9))
@settings(deadline=None)
def test_loose_elements_are_the_same_in_pieces_of_any_size(items: list[str], piece: int) -> None:
    content = "[" + ", /* , */ ".join(items) + "]"
    strict = json.loads(loosened(content))
    before = elements._PIECE
    elements._PIECE = piece
    try:
        found = [float(i) if not isinstance(i, (str, list, bool, int, type(None))) else i
                 for i in Elements(io.StringIO(content), "x")]  # fmt: skip
    finally:
        elements._PIECE = before
    assert json.dumps(found, default=float) == json.dumps(strict)


@given(value=st.recursive(
    st.sampled_from(["x", "P is", 1, None, True]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["data", "train", "rows", "row", "columns", "index", "schema", "prompt",
                         "prompts", "target_new", "edit", "messages", "role", "content", "0", "1",
                         "locality_inputs", "instruction", "output", "conversations", "from"]),
        inner, max_size=4),
    max_leaves=14,
))  # fmt: skip
@settings(deadline=None)
def test_no_shape_of_these_names_breaks_the_sum(value: object) -> None:
    try:
        found: FactFile = parse_facts(json.dumps(value))
    except FactsError:
        return
    assert found.rows == len(found) + found.merged + found.rejected
