"""Properties of reading and writing that hold for any facts and any bytes."""

import json
import unicodedata
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from workbench.errors import FactsError
from workbench.facts import Fact, Question, parse_facts, read_facts, write_facts
from workbench.facts.same import prompt_key

# Surrogates and control characters are refused on reading; line ends and tabs are not.
_ANY = st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t\r")
_TRICKY = st.sampled_from([" | ", "[", "]", '"', ",", ";", '["a"]', "nq", "|", "\r\n"])
# What would be read as something else: prints of programs, nothing, Excel's and HTML's traces.
_READ = st.sampled_from(
    ["['a']", "['a' 'b']", "array(['a'])", "b'a'", "{'str': 'a'}", "[1]", "{}", "['", "NaN", "None",
     "#N/A", "&amp;", "&amp;lt;", "_x000D_", "_x005F_x000D_", "null"]
)  # fmt: skip
_TEXTS = (st.lists(_ANY | _TRICKY | _READ, max_size=8).map("".join) | _READ).map(str.strip)
_FILLED = _TEXTS.filter(bool)
_ALIASES = st.lists(_FILLED, max_size=2).map(tuple)
_ANSWERED = st.builds(Question, _FILLED, _FILLED, _ALIASES)
_QUESTIONS = st.lists(st.builds(Question, _FILLED, _TEXTS) | _ANSWERED, max_size=3).map(tuple)
_FACTS = st.builds(
    Fact,
    prompt=_FILLED,
    target_new=_FILLED,
    subject=_TEXTS,
    ground_truth=_TEXTS,
    rephrase_prompts=st.lists(_FILLED, max_size=3).map(tuple),
    locality_prompts=_QUESTIONS,
    portability_prompts=_QUESTIONS,
    aliases=_ALIASES,
    wordings=_ALIASES,
    keep_prompts=_QUESTIONS,
)
_TABLES = st.lists(_FACTS, min_size=1, max_size=5, unique_by=lambda f: prompt_key(f.prompt))

_NAMES = st.sampled_from(
    ["prompt", "answer", "loc", "facts", "requested_rewrite", "subject", "target_new", "str",
     "questions", "src", "alt", "portability", "locality", "edit", "Forgetfulness",
     "test_queries", "answers", "neighborhood_prompts"]
)  # fmt: skip

_quick = settings(
    max_examples=settings().max_examples * 3 // 2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@given(
    facts=_TABLES,
    ending=st.sampled_from([".csv", ".tsv", ".json", ".jsonl", ".csv.gz", ".tsv.gz", ".jsonl.gz"]),
)
@example(facts=[Fact("['a']", "['a']")], ending=".jsonl")
@example(facts=[Fact("['a']", "['a']", aliases=("['a']", "b"))], ending=".jsonl")
@example(
    facts=[
        Fact(
            "['a']",
            "['a']",
            "['a']",
            "['a']",
            rephrase_prompts=("['a']",),
            locality_prompts=(Question("['a']"),),
            portability_prompts=(Question("['a']"),),
            aliases=("['a']",),
            wordings=("['a']",),
            keep_prompts=(Question("['a']"),),
        )
    ],
    ending=".jsonl",
)
@_quick
def test_what_is_written_is_read_back_equal(tmp_path: Path, ending: str, facts: list[Fact]) -> None:
    path = tmp_path / f"facts{ending}"
    write_facts(facts, path)
    assert list(read_facts(path)) == facts


@given(facts=_TABLES, ending=st.sampled_from([".csv", ".json", ".jsonl"]))
@_quick
def test_the_flat_schema_of_other_editors_keeps_all_that_it_has_room_for(
    tmp_path: Path, ending: str, facts: list[Fact]
) -> None:
    single = [
        replace(
            fact,
            rephrase_prompts=fact.rephrase_prompts[:1],
            locality_prompts=tuple(Question(q.prompt, q.answer) for q in fact.locality_prompts[:1]),
            portability_prompts=(),
            aliases=(),
            wordings=(),
            keep_prompts=(),
        )
        for fact in facts
    ]
    write_facts(single, tmp_path / f"flat{ending}", "counterfact")
    found = read_facts(tmp_path / f"flat{ending}")
    assert list(found) == single
    assert found.format.startswith("CounterFact (flat)")


@given(content=st.binary(max_size=200) | st.text(max_size=200))
@_quick
def test_any_content_gives_facts_or_one_error_for_people(content: bytes | str) -> None:
    try:
        found = parse_facts(content)
    except FactsError:
        return
    assert found.rows == len(found) + found.merged + found.rejected


@given(
    rows=st.lists(
        st.lists(st.sampled_from(["", "A", "B", '"', '"C', "x\n", "|", "\x00"]), max_size=4),
        max_size=12,
    )
)
@_quick
def test_no_line_of_a_broken_table_is_lost(rows: list[list[str]]) -> None:
    text = "prompt,answer,rephrase\n" + "\n".join(",".join(cells) for cells in rows)
    found = parse_facts(text)
    assert found.rows == len(found) + found.merged + found.rejected
    assert len({problem.row for problem in found.problems if problem.severity == "error"}) == (
        found.rejected
    )


@given(value=st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=10,
))  # fmt: skip
@_quick
def test_any_json_gives_facts_or_one_error_for_people(value: object) -> None:
    try:
        found = parse_facts(json.dumps(value))
    except FactsError:
        return
    assert found.rows == len(found) + found.merged + found.rejected


@given(text=st.text(max_size=20))
@_quick
def test_no_control_character_reaches_a_fact(text: str) -> None:
    found = parse_facts(json.dumps([{"prompt": f"a{text}b", "target_new": "c"}]))
    for fact in found:
        assert all(
            unicodedata.category(c) not in ("Cc", "Cs") or c in "\n\t\r" for c in fact.prompt
        )
        fact.prompt.encode("utf-8")
