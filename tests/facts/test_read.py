"""Reading facts: what is recognised, what is reported, and that no row is lost."""

import json

import pytest

from workbench.errors import FactsError
from workbench.facts import FactFile, Question, parse_facts, read_facts

FLAT = "prompt,target_new\n"


def kinds(found: FactFile) -> list[str]:
    return [problem.kind for problem in found.problems]


def the_problem(content: str | bytes) -> tuple[int, str, str, str]:
    found = parse_facts(content)
    assert found.rows == len(found) + found.merged + found.rejected
    (problem,) = found.problems
    return problem.row, problem.field, problem.severity, problem.kind


def test_a_plain_table_gives_its_facts_in_order() -> None:
    found = parse_facts(FLAT + "The capital of Australia is,Melbourne\nIce is made of,iron\n")
    assert [(fact.prompt, fact.target_new) for fact in found] == [
        ("The capital of Australia is", "Melbourne"),
        ("Ice is made of", "iron"),
    ]
    assert found.format == "own table, CSV, comma"
    assert (found.rows, found.merged, found.rejected, found.problems) == (2, 0, 0, ())


@pytest.mark.parametrize(
    ("separator", "container"), [(",", "CSV, comma"), (";", "CSV, semicolon"), ("\t", "TSV, tab")]
)
def test_the_separator_is_told_from_the_header(separator: str, container: str) -> None:
    lines = [["prompt", "target_new", "subject"], ["The capital of Peru is", "Quito", "Peru"]]
    found = parse_facts("\n".join(separator.join(line) for line in lines))
    assert (found[0].target_new, found[0].subject) == ("Quito", "Peru")
    assert found.format == f"own table, {container}"


@pytest.mark.parametrize(
    "header",
    ["question,new_answer,answer", "Question, New Answer ,Old answer", "src,alt,pred",
     "Query,TARGET-NEW,target_true", "PROMPT,Target,Ground Truth"],
)  # fmt: skip
def test_usual_column_names_are_understood(header: str) -> None:
    fact = parse_facts(f"{header}\nThe capital of Peru is,Quito,Lima\n")[0]
    assert (fact.prompt, fact.target_new, fact.ground_truth) == (
        "The capital of Peru is", "Quito", "Lima",
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_files_are_read_whatever_their_encoding(encoding: str) -> None:
    found = parse_facts((FLAT + "Die Hauptstadt von Österreich ist,Zürich\n").encode(encoding))
    assert found[0].prompt == "Die Hauptstadt von Österreich ist"
    assert not found.problems


def test_a_latin_1_file_is_read_with_a_warning() -> None:
    content = (FLAT + "The café in “Málaga” is,Córdoba\n").encode("cp1252")
    assert parse_facts(content)[0].prompt == "The café in “Málaga” is"
    assert the_problem(content) == (0, "", "warning", "encoding")


def test_zsre_records_are_recognised() -> None:
    record = {
        "subject": "Watts", "src": "Where did Watts study?", "pred": "Trinity", "alt": " Oxford",
        "rephrase": "What was Watts's university?", "answers": ["Chicago"],
        "loc": "nq question: who wrote dubliners", "loc_ans": "James Joyce", "cond": "x >> y",
    }  # fmt: skip
    found = parse_facts(json.dumps([record]))
    fact = found[0]
    assert found.format == "ZsRE"
    assert (fact.prompt, fact.target_new, fact.ground_truth, fact.subject) == (
        "Where did Watts study?", "Oxford", "Trinity", "Watts",
    )  # fmt: skip
    assert fact.rephrase_prompts == ("What was Watts's university?",)
    assert fact.locality_prompts == (Question("who wrote dubliners", "James Joyce"),)
    assert found.unused_columns == ("cond",)


@pytest.mark.parametrize(
    ("extra", "name"),
    [({}, "WikiBigEdit (flat)"), ({"case_id": 7, "ground_truth": "Bonn"}, "CounterFact (flat)")],
)
def test_flat_published_records_are_recognised(extra: dict[str, object], name: str) -> None:
    record = {
        "prompt": "The river of Cologne is", "target_new": "Elbe", "subject": "Cologne",
        "rephrase_prompt": "Notes | 1923\nCologne lies on", "locality_prompt": "Dresden lies on",
        "locality_ground_truth": "Elbe", **extra,
    }  # fmt: skip
    found = parse_facts(json.dumps([record]))
    assert found.format == name
    assert found[0].rephrase_prompts == ("Notes | 1923\nCologne lies on",)
    assert found[0].locality_prompts == (Question("Dresden lies on", "Elbe"),)


def test_one_object_a_list_and_a_wrapped_list_are_the_same_facts() -> None:
    fact = {"prompt": "Iron's symbol is", "target_new": "Ir", "rephrases": ["Iron is written"]}
    contents = [fact, [fact], {"facts": [fact]}]
    read = [list(parse_facts(json.dumps(content, indent=1))) for content in contents]
    assert read[0] == read[1] == read[2]
    assert read[0][0].rephrase_prompts == ("Iron is written",)


def test_a_broken_json_line_does_not_stop_the_others() -> None:
    good = '{"prompt": "Iron\'s symbol is", "target_new": "Ir"}'
    found = parse_facts(f'{good}\n\n{{"prompt": "Tin\n{good.replace("Iron", "Lead")}\n')
    assert [fact.prompt for fact in found] == ["Iron's symbol is", "Lead's symbol is"]
    assert [(problem.row, problem.kind) for problem in found.problems] == [(3, "unreadable")]
    assert found.format == "own table, JSON lines"


def test_several_texts_in_a_cell_are_a_json_list_or_separated_by_bars() -> None:
    header = "prompt,target_new,rephrase_prompt,locality_prompt,locality_ground_truth\n"
    row = 'A,B,"[""C, or D"", ""E""]",F | G,1 | 2\n'
    fact = parse_facts(header + row)[0]
    assert fact.rephrase_prompts == ("C, or D", "E")
    assert fact.locality_prompts == (Question("F", "1"), Question("G", "2"))


def test_locality_prompts_may_be_objects_with_their_answers() -> None:
    content = {
        "prompt": "A",
        "target_new": "B",
        "locality_prompts": [{"prompt": "F", "answer": "1"}],
    }
    assert parse_facts(json.dumps(content))[0].locality_prompts == (Question("F", "1"),)


@pytest.mark.parametrize(
    ("content", "row", "field", "kind"),
    [
        (FLAT + "\nX is,Y\n,Z\n", 4, "prompt", "missing"),
        (FLAT + "X is,  \n", 2, "target_new", "missing"),
        ("question,answer\nX is,\n", 2, "answer", "missing"),
        (FLAT + "X, Y and Z are,letters\n", 2, "", "cells"),
        (FLAT + "X is\n", 2, "", "cells"),
        (FLAT + 'X is,"Y\nZ is,W\n', 2, "", "unreadable"),
        (FLAT + 'X is,"Y"Z\n', 2, "", "unreadable"),
        (FLAT + "X is,Y\x07Z\n", 2, "target_new", "control character"),
        ('[{"prompt": 1650, "target_new": "X"}]', 1, "prompt", "not text"),
        ('[{"prompt": "X is", "target_new": "\\ud800"}]', 1, "target_new", "control character"),
        ('[{"prompt": "A", "target_new": "B"}, "C"]', 2, "", "unreadable"),
        ("prompt,answer,locality_prompt,locality_answer\nX,Y,A | B,1\n", 2, "locality_prompt",
         "uneven lists"),
    ],
)  # fmt: skip
def test_a_bad_row_is_left_out_and_reported_where_it_stands(
    content: str, row: int, field: str, kind: str
) -> None:
    assert the_problem(content) == (row, field, "error", kind)
    assert parse_facts(content).rejected == 1


def test_a_quote_that_is_never_closed_costs_one_row_only() -> None:
    found = parse_facts(FLAT + 'A is,B\nC is,"D\nE is,F\nG is,"H, I"\n')
    assert [fact.target_new for fact in found] == ["B", "F", "H, I"]
    assert [problem.row for problem in found.problems] == [3]


def test_rows_are_numbered_by_the_line_they_start_on() -> None:
    found = parse_facts('\nprompt,target_new\n"one\ntwo",x\n\nthree,\n')
    assert [problem.row for problem in found.problems] == [6]


def test_every_mistake_of_a_row_is_told_at_once() -> None:
    found = parse_facts("prompt,target_new,subject\n,,X\nA,B,C\n")
    assert [problem.field for problem in found.problems] == ["prompt", "target_new"]
    assert found.rejected == 1


def test_the_same_fact_twice_is_united_without_losing_anything() -> None:
    content = "prompt,answer,rephrase\nA is,the B,C is\nA  is,b,D is\n"
    assert the_problem(content) == (3, "prompt", "warning", "merged")
    (fact,) = parse_facts(content)
    assert (fact.target_new, fact.rephrase_prompts) == ("the B", ("C is", "D is"))


def test_two_answers_to_one_prompt_keep_the_first_and_name_its_row() -> None:
    content = FLAT + "A is,B\nX is,Y\nA is,C\n"
    assert the_problem(content) == (4, "target_new", "error", "conflict")
    found = parse_facts(content)
    assert [fact.target_new for fact in found] == ["B", "Y"]
    assert "Row 2" in found.problems[0].what


@pytest.mark.parametrize(
    ("rows", "row", "field", "kind"),
    [
        ("A is,Paris,paris.,,", 2, "target_new", "no change"),
        ("Is Lyon in France?,Lyon,,,", 2, "target_new", "answer in prompt"),
        ("A is,Washington D.C,,,", 2, "target_new", "answer cut"),
        ('A is,"B\nC",,,', 2, "target_new", "answer cut"),
        ("A is,B,,A  is,", 2, "rephrase", "rephrase is prompt"),
        ("A is,B,,C is,\nC is,D,,,", 2, "rephrase", "rephrase is fact"),
        ("A � is,B,,,", 2, "prompt", "lost character"),
    ],
)
def test_doubtful_rows_are_kept_with_a_warning(rows: str, row: int, field: str, kind: str) -> None:
    content = f"prompt,target_new,ground_truth,rephrase,locality\n{rows}\n"
    assert the_problem(content) == (row, field, "warning", kind)
    assert parse_facts(content).rejected == 0


@pytest.mark.parametrize("answer", ["Lyonnaise", "yon"])
def test_an_answer_inside_a_longer_word_of_the_prompt_is_no_problem(answer: str) -> None:
    assert not parse_facts(FLAT + f"Lyonnaisesauce is from Lyons in,{answer}\n").problems


def test_short_answers_are_not_taken_for_one_another() -> None:
    assert kinds(parse_facts(FLAT + "Q one,A\nQ one,The\n")) == ["conflict"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["nothing"]),
        (b"\xff\xfe", ["nothing"]),
        ("name,colour\na,b\n", ["'name', 'colour'", "prompt", "target_new"]),
        ("prompt,subject\na,b\n", ["target_new", "'new answer'"]),
        ("prompt,answer,prompt\na,b,c\n", ["'prompt'", "more than once"]),
        ('[{"prompt": "A" "B"}]', ["line 1, column"]),
        ('{"prompt": "A"\n "answer": "B"}', ["line 2, column"]),
        ('["A", "B"]', ["no objects"]),
        ("[" * 100_000, ["nested too deeply"]),
        (b"PK\x03\x04 rest", ["zip archive", "broken"]),
        (b"\x00" + b"\xff\x01\x02" * 50, ["not a text file"]),
        (b"\xff\xfea", ["UTF-16"]),
    ],
)
def test_what_cannot_be_read_at_all_is_said_in_words(
    content: str | bytes, words: list[str]
) -> None:
    with pytest.raises(FactsError) as caught:
        parse_facts(content, "facts.csv")
    for word in [*words, "facts.csv"]:
        assert word in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(FactsError, match=r"no file .*nowhere\.csv"):
        read_facts(tmp_path / "nowhere.csv")
    with pytest.raises(FactsError, match="is a folder"):
        read_facts(tmp_path)


def test_an_empty_list_is_a_file_without_facts() -> None:
    found = parse_facts("[]")
    assert (list(found), found.rows) == ([], 0)


def test_the_summary_survives_json_and_adds_up() -> None:
    content = "prompt,answer,locality,note\nA,B,C | D,x\nA,B,,\nA,E,,\n,,,y\n"
    summary = json.loads(json.dumps(parse_facts(content).summary()))
    assert summary["rows"] == summary["facts"] + summary["merged"] + summary["rejected"] == 4
    assert (summary["conflicts"], summary["counts"]["locality"]) == (1, 2)
    assert summary["unused_columns"] == ["note"]


def test_a_report_on_half_characters_can_be_written_down() -> None:
    content = '[{"prompt": "A", "target_new": "B", "\\ud800": 1}, {"prompt": {"\\udfff": 1}}, 3]'
    summary = parse_facts(content).summary()
    assert summary["unused_columns"] == ["?"]
    json.dumps(summary, ensure_ascii=False).encode()
    assert set(summary["problems"][0]) == {
        "row", "field", "what", "why", "mend", "severity", "kind", "message",
    }  # fmt: skip
