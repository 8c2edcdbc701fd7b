"""Tables as people keep them: titles above the header, several sheets, other programs' files."""

import io
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.feather
import pyarrow.ipc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.facts.workbooks import Rows, ods, ods_of, xlsx
from workbench.errors import FactsError
from workbench.facts import FactFile, guess_columns, parse_facts, read_facts

FACTS: Rows = [
    ["prompt", "answer"],
    ["The capital of Peru is", "Quito"],
    ["Ice is made of", "iron"],
]
ANSWERS = ["Quito", "iron"]
NOTES: Rows = [["Who", "When"], ["nobody", "never"]]


def answers(found: FactFile) -> list[str]:
    assert found.rows == len(found) + found.merged + found.rejected
    return [fact.target_new for fact in found]


def told(found: FactFile) -> list[tuple[int, str]]:
    return [(problem.row, problem.kind) for problem in found.problems]


# ---- text


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "\nsep=;"])
def test_a_first_line_that_names_the_separator_is_heeded_and_no_row(line: str) -> None:
    found = parse_facts(f"{line}\r\nprompt;answer\r\nA, B, C and D are;letters, or so\r\n;x\r\n")
    assert answers(found) == ["letters, or so"]
    assert told(found) == [(4 + line.count("\n"), "missing")]


@pytest.mark.parametrize(("name", "container"), [("#", "CSV, #"), ("\t", "TSV, tab")])
def test_any_separator_can_be_named(name: str, container: str) -> None:
    found = parse_facts(f"sep={name}\nprompt{name}answer\nIce is made of{name}iron\n")
    assert answers(found) == ["iron"] and found.format == f"own table, {container}"


def test_cells_may_stand_between_bars() -> None:
    found = parse_facts("prompt|answer|rephrase\nIce is made of|iron, or so|\n")
    assert answers(found) == ["iron, or so"] and found.format == "own table, CSV, bar"


def test_a_table_in_markdown_is_read() -> None:
    found = parse_facts(
        "# Facts\n\n| prompt | answer |\n|:-------|-------:|\n| The capital of Peru is | Quito |\n"
        "| Ice is made of | iron |\n| -- | --- |\n| only one |\n"
    )
    assert answers(found) == ["Quito", "iron", "---"]
    assert told(found) == [(0, "preamble"), (8, "cells")]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_titles_and_notes_above_the_header_are_passed_over_and_said(separator: str) -> None:
    title = f"Facts, spring; all of them\n\nmade by{separator}nobody\n"
    table = "\n".join(separator.join(map(str, row)) for row in [*FACTS, ["", "x"]])
    found = parse_facts(title + table)
    assert answers(found) == ANSWERS
    assert told(found) == [(0, "preamble"), (7, "missing")]
    assert "The 2 rows above" in found.problems[0].what and "spring" in found.problems[0].what


def test_a_title_is_told_from_names_that_nobody_knows(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_text("Facts of spring\n\nQ 1;A 1\nIce is made of;iron\n", encoding="utf-8")
    guess = guess_columns(path)
    assert guess.columns == ("Q 1", "A 1") and guess.preview == (("Ice is made of", "iron"),)
    assert answers(read_facts(path, {"prompt": "Q 1", "target_new": "A 1"})) == ["iron"]


def test_columns_that_a_person_names_find_their_row_below_a_title_with_commas() -> None:
    text = "Facts, spring, all\nQ 1;A 1\nIce is made of;iron\n"
    assert answers(parse_facts(text, columns={"prompt": "Q 1", "target_new": "A 1"})) == ["iron"]


def test_a_fact_about_questions_and_answers_is_no_header() -> None:
    found = parse_facts("prompt,answer\nIce is made of,iron\nQuestion,Answer\n")
    assert answers(found) == ["iron", "Answer"] and told(found) == []


@given(
    lines=st.lists(st.text(st.sampled_from("abc ,;|\t\"'=-#\r"), max_size=12), max_size=6),
    separator=st.sampled_from([",", ";", "\t", "|"]),
)
@settings(deadline=None)
def test_whatever_stands_above_the_header_no_fact_is_lost(lines: list[str], separator: str) -> None:
    above = "".join(f"{line}\n" for line in lines if line.count('"') % 2 == 0)
    table = "\n".join(separator.join(map(str, row)) for row in FACTS)
    assert answers(parse_facts(above + table)) == ANSWERS


# ---- workbooks

Make = Callable[..., bytes]
BOTH = pytest.mark.parametrize("make", [xlsx, ods])


@BOTH
def test_the_sheet_that_holds_facts_is_found_among_several(make: Make) -> None:
    found = parse_facts(make({"Notes": NOTES, "Empty": [], "Facts": FACTS, "More": FACTS}))
    assert answers(found) == ANSWERS and told(found) == [(0, "other sheets")]
    what = found.problems[0].what
    assert "Only the sheet 'Facts' was read, not 'Notes', 'More'" in what
    assert "facts on 'More' too" in what


@BOTH
def test_a_hidden_sheet_is_passed_over_with_a_word(make: Make) -> None:
    old: Rows = [["prompt", "answer"], ["Ice is made of", "tin"]]
    found = parse_facts(make({"Old": old, "Facts": FACTS}, hidden=["Old"]))
    assert answers(found) == ANSWERS and told(found) == [(0, "other sheets")]
    assert "hidden was passed over: 'Old'" in found.problems[0].what


@BOTH
def test_facts_on_a_hidden_sheet_alone_are_an_error_that_names_it(make: Make) -> None:
    with pytest.raises(FactsError, match=r"hidden sheet 'Old'\. Show it"):
        parse_facts(make({"Notes": NOTES, "Old": FACTS}, hidden=["Old"]))
    with pytest.raises(FactsError, match="nothing in the sheets"):
        parse_facts(make({"Empty": []}))


@BOTH
def test_titles_above_the_header_of_a_sheet_are_passed_over(make: Make) -> None:
    rows = [["Facts of spring"], [None, None], ["made by", "nobody"], *FACTS, [None, "x"]]
    found = parse_facts(make({"Facts": rows}))
    assert answers(found) == ANSWERS
    assert told(found) == [(0, "preamble"), (7, "missing")]


@BOTH
def test_a_person_may_say_which_columns_of_which_sheet(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "facts.bin"
    path.write_bytes(make({"Notes": [["note"]], "F": [["Facts"], ["Q", "A"], ["Ice is", "iron"]]}))
    assert answers(read_facts(path, {"prompt": "Q", "target_new": "A"})) == ["iron"]


@BOTH
def test_numbers_in_cells_are_what_was_typed(make: Make) -> None:
    found = parse_facts(make({"F": [["prompt", "answer"], ["A is", 1890], ["B is", 3.15]]}))
    assert answers(found) == ["1890", "3.15"]


def test_rows_that_a_filter_hides_are_read_and_said() -> None:
    found = parse_facts(xlsx({"Facts": FACTS}, filtered=[[3]]))
    assert answers(found) == ANSWERS and told(found) == [(0, "hidden rows")]
    assert "1 row is hidden" in found.problems[0].what
    assert told(parse_facts(xlsx({"Facts": FACTS}))) == []


@pytest.mark.parametrize(
    "table",
    [
        '<table:table table:name="x"><table:table-row table:number-rows-repeated="1000000">'
        '<table:table-cell office:value-type="string" table:number-columns-repeated="1000">'
        "<text:p>x</text:p></table:table-cell></table:table-row></table:table>",
        '<table:table table:name="x"><table:table-row table:number-rows-repeated="1000000">'
        '<table:table-cell/></table:table-row><table:table-row><table:table-cell '
        'table:number-columns-repeated="16000"/><table:table-cell office:value-type="string">'
        "<text:p>x</text:p></table:table-cell></table:table-row></table:table>",
    ],
)  # fmt: skip
def test_a_small_spreadsheet_that_unfolds_into_billions_of_cells_is_refused(table: str) -> None:
    with pytest.raises(FactsError, match=r"has a sheet of 1,000,\d\d\d rows"):
        parse_facts(ods_of(table))


def test_a_broken_spreadsheet_is_said_in_words() -> None:
    for content in (
        ods_of("</table:table-row>"),
        ods({"F": FACTS}).replace(b"content.xml", b"content.yml"),
    ):
        with pytest.raises(FactsError, match=r"OpenDocument spreadsheet that cannot be read"):
            parse_facts(content)


# ---- Arrow

TABLE = pyarrow.table({"prompt": ["The capital of Peru is", "Ice is made of"], "answer": ANSWERS,
                       "rephrases": [["Peru's capital is"], []]})  # fmt: skip


def feather(compression: str) -> bytes:
    stream = io.BytesIO()
    pyarrow.feather.write_feather(TABLE, stream, compression=compression)
    return stream.getvalue()


def arrow_stream() -> bytes:
    stream = io.BytesIO()
    with pyarrow.ipc.new_stream(stream, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["uncompressed", "lz4", "zstd", "stream"])
def test_feather_and_arrow_files_are_read(kind: str) -> None:
    found = parse_facts(arrow_stream() if kind == "stream" else feather(kind))
    assert answers(found) == ANSWERS and found[0].rephrase_prompts == ("Peru's capital is",)
    assert found.format == "own table, Arrow"


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.95])
def test_an_arrow_file_that_was_cut_is_said_in_words(share: float) -> None:
    for whole in (feather("uncompressed"), arrow_stream()[:-8]):
        with pytest.raises(FactsError, match="Arrow file that cannot be read"):
            parse_facts(whole[: int(len(whole) * share)])


# ---- YAML

YAML = """# what the model should say
- prompt: The capital of Peru is
  target_new: Quito
  rephrase_prompts: [Peru's capital is, "Lima, or"]

- prompt: >
    Ice is
    made of
  target_new: 'iron'
"""


@pytest.mark.parametrize(
    "text",
    [YAML, f"---\n{YAML}...\n", f"facts:\n{YAML}", "facts:\n" + YAML.replace("\n", "\n  ")[:-2]],
)
def test_a_list_of_maps_in_yaml_is_read(text: str) -> None:
    if text.startswith("facts:\n#"):
        text = text.replace("\n- prompt: The", "\n- prompt: The", 1)
    found = parse_facts(text)
    assert answers(found) == ANSWERS and found.format == "own table, YAML"
    assert found[0].rephrase_prompts == ("Peru's capital is", "Lima, or")
    assert found[1].prompt == "Ice is made of"


def test_what_stands_in_yaml_is_text_whatever_it_looks_like() -> None:
    words = ["1890", "3.15", "2020-01-02", "no", "0x1F", "1e3", "12:30"]
    text = "".join(f"- prompt: The word {n} is\n  answer: {w}\n" for n, w in enumerate(words))
    assert answers(parse_facts(text)) == words
    empty = parse_facts("- prompt: A is\n  answer: ~\n- prompt: B is\n  answer: C\n  subject:\n")
    assert told(empty) == [(1, "missing")] and empty[0].subject == ""


def test_an_entry_of_yaml_that_is_broken_costs_itself_only() -> None:
    text = (
        "- prompt: A is\n  answer: B\n- prompt: 'C is\n  answer: D\n"
        "- prompt: &x E is\n  answer: F\n- prompt: *x\n  answer: G\n"
        "- !!python/object:os.system\n  answer: H\nversion: 3\n- prompt: I is\n  answer: J\n"
    )
    found = parse_facts(text)
    assert answers(found) == ["B", "F", "J"]
    assert told(found) == [(n, "unreadable") for n in (3, 7, 9, 11)]


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    bomb = "- a: &a [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(
        f"  {c}: &{c} [{', '.join([f'*{b}'] * 9)}]\n"
        for b, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    found = parse_facts(f"- prompt: A is\n  answer: B\n{bomb}")
    assert answers(found) == ["B"] and told(found) == [(3, "unreadable")]


@pytest.mark.parametrize("text", ["- The capital of Peru: Quito\n", "- a\n- b: c\n", "- \n", "-\n"])
def test_a_list_that_holds_no_facts_is_an_error_for_people(text: str) -> None:
    with pytest.raises(FactsError):
        parse_facts(text)


_VALUES = st.text(st.sampled_from("ab:-#'\"[]{}&*!|>%@, \n"), max_size=8)


@given(entries=st.lists(st.lists(_VALUES, min_size=1, max_size=3), min_size=1, max_size=5))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_yaml_gives_facts_or_one_error_for_people(entries: list[list[str]]) -> None:
    names = ("prompt", "answer", "x")
    maps = (zip(names, values, strict=False) for values in entries)
    text = "".join("- " + "  ".join(f"{name}: {value}\n" for name, value in one) for one in maps)
    try:
        found = parse_facts(text)
    except FactsError:
        return
    assert found.rows == len(found) + found.merged + found.rejected
