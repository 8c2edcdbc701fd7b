"""Every published format is told by its content, and gives what its records hold."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import FactsError
from workbench.facts import FILE_TYPES, FactFile, Question, parse_facts, read_facts

SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> FactFile:
    return read_facts(SAMPLES / name)


def record(name: str, place: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / name).read_text(encoding="utf-8"))[place]
    return found


@pytest.mark.parametrize(
    ("name", "format_name", "facts", "counts"),
    [
        ("zsre.json", "ZsRE", 2, (2, 2, 0)),
        ("zsre_ultraedit.json", "ZsRE", 1, (1, 1, 1)),
        ("counterfact_flat.json", "CounterFact (flat)", 2, (2, 2, 0)),
        ("counterfact_rome.json", "CounterFact (ROME)", 2, (3, 3, 0)),
        ("counterfact_rome.parquet", "CounterFact (ROME), Parquet", 2, (3, 3, 0)),
        ("wikibigedit_flat.json", "WikiBigEdit (flat)", 1, (1, 1, 0)),
        ("wikibigedit.json", "WikiBigEdit", 2, (4, 2, 1)),
        ("knowedit.json", "KnowEdit", 2, (1, 3, 3)),
        ("mquake.json", "MQuAKE", 2, (2, 0, 3)),
        ("rippleedits.json", "RippleEdits", 2, (0, 2, 2)),
        ("hallueditbench.csv", "HalluEditBench, CSV, comma", 2, (2, 2, 10)),
        ("ultraeditbench.json", "UltraEditBench", 2, (2, 2, 0)),
        ("fever.jsonl", "FEVER, JSON lines", 2, (3, 2, 0)),
        ("qaedit.json", "QAEdit", 2, (2, 3, 0)),
        ("akew_counterfact.json", "AKEW", 2, (4, 1, 0)),
        ("akew_mquake.json", "AKEW", 1, (1, 0, 2)),
        ("unke.json", "UnKE", 2, (2, 0, 3)),
        ("uniedit.json", "UniEdit, JSON, rows by label", 2, (0, 2, 2)),
        ("mededitbench.json", "MedEditBench", 2, (0, 2, 4)),
        ("easyedit_call.json", "EasyEdit's call, JSON, column by column", 2, (2, 5, 2)),
        ("openai_messages.jsonl", "chat messages (OpenAI), JSON lines", 2, (0, 0, 0)),
        ("sharegpt.json", "conversations (ShareGPT)", 2, (0, 0, 0)),
        ("alpaca.json", "instructions (Alpaca)", 2, (0, 0, 0)),
        ("own.csv", "own table, CSV, comma", 2, (2, 1, 1)),
        ("own_semicolon.csv", "own table, CSV, semicolon", 1, (0, 0, 0)),
        ("own.tsv", "own table, TSV, tab", 2, (0, 0, 0)),
        ("own.json", "own table, JSON", 2, (2, 1, 1)),
        ("own.jsonl", "own table, JSON lines", 2, (2, 1, 1)),
        ("own.csv.gz", "own table, CSV, comma", 2, (2, 1, 1)),
        ("own.zip", "own table, CSV, comma", 2, (2, 1, 1)),
        ("own.xlsx", "own table, Excel", 2, (2, 0, 0)),
        ("own.ods", "own table, OpenDocument", 2, (2, 1, 1)),
        ("own.yaml", "own table, YAML", 2, (2, 1, 1)),
        ("own.feather", "own table, Arrow", 2, (2, 1, 1)),
        ("own_cp1251.csv", "own table, CSV, semicolon", 2, (0, 0, 0)),
    ],
)
def test_a_sample_is_recognised_and_read_whole(
    tmp_path: Path, name: str, format_name: str, facts: int, counts: tuple[int, int, int]
) -> None:
    nameless = tmp_path / "file"
    nameless.write_bytes((SAMPLES / name).read_bytes())
    summary = read_facts(nameless).summary()
    assert (summary["format"], summary["facts"]) == (format_name, facts)
    measured = ("rephrases", "locality", "portability")
    assert tuple(summary["counts"][name] for name in measured) == counts
    assert summary["rows"] == summary["facts"] + summary["merged"] + summary["rejected"]


def test_every_kind_of_file_can_be_chosen_in_a_dialog() -> None:
    assert {path.suffix for path in SAMPLES.iterdir()} <= set(FILE_TYPES)


@pytest.mark.parametrize("name", ["own.json", "own.jsonl", "own.csv.gz", "own.zip",
                                  "own.ods", "own.yaml", "own.feather"])  # fmt: skip
def test_the_same_facts_come_out_of_every_container(name: str) -> None:
    assert list(sample(name)) == list(sample("own.csv"))


@pytest.mark.parametrize("written", [repr, json.dumps])
@pytest.mark.parametrize(
    "name", ["counterfact_rome.json", "mquake.json", "knowedit.json", "rippleedits.json",
             "qaedit.json", "akew_counterfact.json", "mededitbench.json", "sharegpt.json"],
)  # fmt: skip
def test_nested_records_printed_into_a_table_are_read_as_they_were(
    name: str, written: Callable[[Any], str]
) -> None:
    rows = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    names = list(dict.fromkeys(column for row in rows for column in row))
    table = io.StringIO()
    writer = csv.DictWriter(table, names)
    writer.writeheader()
    for row in rows:
        cells = {key: cell if isinstance(cell, str) else written(cell) for key, cell in row.items()}
        writer.writerow(cells)
    found = parse_facts(table.getvalue())
    assert list(found) == list(sample(name))
    assert found.format == f"{sample(name).format}, CSV, comma"


def test_parquet_holds_nested_records_as_json_does() -> None:
    assert list(sample("counterfact_rome.parquet")) == list(sample("counterfact_rome.json"))


def test_counterfact_fills_the_subject_in_and_gives_neighbours_the_old_answer() -> None:
    fact = sample("counterfact_rome.json")[0]
    assert (fact.prompt, fact.target_new, fact.ground_truth, fact.subject) == (
        "The bridge of Calder was designed by", "Ines Bram", "Otto Fenn", "The bridge of Calder",
    )  # fmt: skip
    assert fact.locality_prompts[1] == Question("The mill at Usk was designed by", "Otto Fenn")
    flat = sample("counterfact_flat.json")[0]
    assert (flat.prompt, flat.target_new) == (fact.prompt, fact.target_new)


def test_wikibigedits_persona_is_a_rephrase_and_its_second_hop_portability() -> None:
    first, second = sample("wikibigedit.json")
    assert first.rephrase_prompts[1].startswith("Oi, what league")
    assert first.portability_prompts == (
        Question("Who founded the league that Harrow Vale plays in?", "Edith Crane"),
    )
    assert second.portability_prompts == ()


def test_knowedits_answers_in_lists_become_an_answer_with_its_aliases() -> None:
    first, second = sample("knowedit.json")
    reasoning, generalization, aliasing = first.portability_prompts
    assert (reasoning.answer, reasoning.aliases) == ("Lornia", ("Kingdom of Lornia",))
    assert (generalization.answer, generalization.aliases) == ("no", ("he is not",))
    assert (aliasing.answer, aliasing.aliases) == ("Port Lorne", ())
    assert (first.ground_truth, second.subject) == ("Calder", "mira holt")
    assert second.target_new.startswith("She learned to paint")


def test_mquake_gives_a_fact_for_each_rewrite_and_asks_its_questions_once() -> None:
    found = sample("mquake.json")
    assert [(fact.prompt, fact.target_new, fact.ground_truth) for fact in found] == [
        ("Mira Holt is a citizen of", "Lornia", "Calderland"),
        ("The capital of Lornia is", "Port Lorne", "Usk"),
    ]
    assert found[0].aliases == ("Kingdom of Lornia",)
    assert found[1].rephrase_prompts == ("What is the capital of Lornia?",)
    assert [len(fact.portability_prompts) for fact in found] == [3, 0]
    assert found[0].portability_prompts[0].aliases == ("Lorne Harbour",)
    assert (found.rows, found.numbers) == (2, (1, 1))


def test_rippleedits_splits_the_answer_off_the_sentence_or_says_that_it_cannot() -> None:
    found = sample("rippleedits.json")
    stem = "The name of the country of citizenship of Mira Holt is"
    assert (found[0].prompt, found[0].target_new, found[0].ground_truth) == (
        stem, "Lornia", "Calderland",
    )  # fmt: skip
    assert (found[1].prompt, found[1].target_new) == (
        "The name of the spouse of Aldo Renn is", "Rosa Tull",
    )  # fmt: skip
    assert found[0].locality_prompts[0] == Question(
        "The name of the mother of Mira Holt is", "Anna Holt", ("Anna Maria Holt",)
    )
    (problem,) = found.problems
    assert (problem.row, problem.severity, problem.kind) == (3, "error", "target")
    assert "Corran Light shines again" in problem.what


def test_an_unchanged_sentence_of_rippleedits_is_told_as_no_change() -> None:
    edit = {"prompt": "The gender of Mira Holt is female."}
    row = {"edit": {**edit, "original_fact": edit}, "Forgetfulness": []}
    (problem,) = parse_facts(json.dumps([row])).problems
    assert problem.kind == "no change"


def test_hallueditbench_takes_what_the_model_said_as_the_old_answer() -> None:
    first, second = sample("hallueditbench.csv")
    assert (first.target_new, first.ground_truth) == ("Velm", "Tamsel")
    assert second.prompt == "What is the depth of Lake Unn?"
    asked = {question.prompt: question.answer for question in first.portability_prompts}
    assert asked["A. Tamsel  B. Velm"] == "B"
    assert asked["Is Lake Orrin fed by the river Tamsel?"] == "No"
    assert asked["Where does the river that feeds Lake Orrin rise?"] == "Velmdale"


def test_ultraedits_zsre_has_its_target_under_ans() -> None:
    fact = sample("zsre_ultraedit.json")[0]
    assert fact.target_new == "Velm"
    assert fact.portability_prompts[0].answer == "Velmdale"


def test_qaedits_locality_keeps_its_questions_and_answers() -> None:
    assert sample("qaedit.json")[0].locality_prompts == (
        Question("how many strings has a violin", "four"),
        Question("in which year was the mill at usk built", "1874"),
    )


def test_akew_is_read_as_prompt_and_answer_and_says_what_it_leaves_out() -> None:
    found = sample("akew_counterfact.json")
    assert [(fact.prompt, fact.target_new, fact.ground_truth) for fact in found] == [
        ("The bridge of Calder was designed by", "Ines Bram", "Otto Fenn"),
        ("Rosa Tull plays the", "cello", "oboe"),
    ]
    assert found[0].rephrase_prompts[0] == "Who designed the bridge of Calder?"
    assert found[0].locality_prompts == (
        Question("The tower of Pell was designed by", "Otto Fenn"),
    )
    several = sample("akew_mquake.json")
    assert several[0].portability_prompts[1].answer == "Port Lorne"
    for file in (found, several):
        assert "fact_new_uns" in next(p.what for p in file.problems if p.kind == "left out")


def test_unkes_questions_about_parts_are_portability() -> None:
    fact = sample("unke.json")[0]
    assert fact.target_new.startswith("The mill of Usk burnt down")
    assert fact.portability_prompts[1] == Question("Of what was it built?", "brick")


def test_uniedits_cases_stand_under_numbers_and_keep_all_questions() -> None:
    fact = sample("uniedit.json")[0]
    assert (fact.prompt, fact.target_new, fact.subject) == (
        "The harbour of Lornia lies in", "Port Lorne", "Lornia",
    )  # fmt: skip
    assert fact.portability_prompts == (
        Question("The sea at the harbour of Lornia is the", "Grey Sea"),
    )
    assert fact.locality_prompts == (Question("The coin of Lornia is called the", "lorn"),)


def test_one_case_of_uniedit_is_one_fact() -> None:
    cases = json.loads((SAMPLES / "uniedit.json").read_text(encoding="utf-8"))
    assert list(parse_facts(json.dumps(cases["17"]))) == [sample("uniedit.json")[0]]


def test_mededitbench_tells_what_follows_from_what_stays() -> None:
    fact = sample("mededitbench.json")[0]
    assert (fact.target_new, fact.ground_truth, fact.subject) == (
        "B: usk root.", "A", "Pell fever",
    )  # fmt: skip
    assert [question.answer for question in fact.portability_prompts] == [
        "A: usk root.", "B. Usk root",
    ]  # fmt: skip
    assert [question.answer for question in fact.locality_prompts] == ["A. An hour"]


def test_the_arguments_of_easyedits_call_are_the_facts_that_it_would_edit() -> None:
    first, second = sample("easyedit_call.json")
    assert first.locality_prompts == (
        Question("The capital of Calderland is", "Old Calder"),
        Question("The river of Pell is the", "Velm"),
        Question("The hill of Pell is", "Orrin"),
    )
    assert (first.ground_truth, second.ground_truth) == ("Usk", "")
    assert second.portability_prompts == (Question("Rosa Tull's instrument has strings:", "4"),)
    assert sample("easyedit_call.json").unused_columns == ("keep_original_weight",)


def test_columns_of_a_call_that_are_not_of_one_length_are_told() -> None:
    call = json.loads((SAMPLES / "easyedit_call.json").read_text(encoding="utf-8"))
    call["locality_inputs"]["neighborhood"]["prompt"].pop()
    with pytest.raises(FactsError, match=r"'locality_inputs.neighborhood.prompt' 1"):
        parse_facts(json.dumps(call))


def test_a_chat_of_one_turn_is_a_fact_and_a_longer_one_is_left_out() -> None:
    found = sample("openai_messages.jsonl")
    assert [(fact.prompt, fact.target_new) for fact in found] == [
        ("Who keeps the light at Corran?", "Edith Crane"),
        ("Which metal is the bell of Pell made of?", "tin"),
    ]
    assert [(p.row, p.severity, p.kind) for p in found.problems] == [
        (1, "warning", "left out"),
        (3, "error", "structure"),
    ]
    assert "You answer in one word" in found.problems[0].what
    assert list(sample("sharegpt.json")) == list(found)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user", "content": "Q"}],
        [{"role": "tool", "content": "Q"}, {"role": "assistant", "content": "A"}],
        [{"role": "user", "content": [{"type": "image"}]}, {"role": "assistant", "content": "A"}],
        [{"role": "user", "content": "Q"}, {"role": "assistant", "content": None}],
        ["Q", "A"],
    ],
)  # fmt: skip
def test_a_chat_without_a_question_and_its_answer_is_reported(messages: list[Any]) -> None:
    good = [{"role": "user", "content": "P"}, {"role": "assistant", "content": "A"}]
    found = parse_facts(json.dumps([{"messages": good}, {"messages": messages}]))
    assert (found.rows, len(found), found.rejected) == (2, 1, 1)
    assert [problem.row for problem in found.problems] == [2]


def test_an_instruction_stands_before_its_input() -> None:
    first, second = sample("alpaca.json")
    assert first.prompt == "Name the person who keeps this light.\nThe light at Corran"
    assert second.prompt == "Which metal is the bell of Pell made of?"
    table = 'instruction,input,output,subject\n"Say it.",,Yes,"It"\n'
    assert parse_facts(table)[0].subject == "It"


def test_an_instruction_in_the_middle_of_a_dialogue_or_under_a_system_is_told() -> None:
    rows = [{"instruction": "Q", "input": "", "output": "A", "system": "Be brief.", "history": []},
            {"instruction": "R", "input": "", "output": "B", "history": [["Q", "A"]]}]  # fmt: skip
    found = parse_facts(json.dumps(rows))
    assert [(p.row, p.severity, p.kind) for p in found.problems] == [
        (1, "warning", "left out"),
        (2, "error", "structure"),
    ]


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("zsre_ultraedit.json", {"src": "Q", "ans": "A"}),
        ("knowedit.json", {"prompt": "Q", "target_new": "A"}),
        ("wikibigedit.json", {"update": "Q", "ans": "A"}),
        ("mquake.json", {"requested_rewrite": [{"prompt": "Q", "target_new": "A"}]}),
        ("counterfact_rome.json", {"requested_rewrite": {"prompt": "Q", "target_new": "A"}}),
    ],
)
def test_a_record_may_lack_what_others_of_its_format_have(name: str, bare: dict[str, Any]) -> None:
    found = parse_facts(json.dumps([record(name), bare]))
    assert found.format == sample(name).format
    assert (found[-1].prompt, found[-1].target_new, found.problems) == ("Q", "A", ())


def test_excel_reads_a_year_as_it_was_typed() -> None:
    found = sample("own.xlsx")
    assert (found[1].target_new, found[1].ground_truth) == ("1874", "1902")
    assert found[0].rephrase_prompts[1] == "Corran Light is kept by"


@pytest.mark.parametrize(
    ("columns", "old"),
    [
        ({"target_old": "E", "answers": ["C"], "pred": "B", "ground_truth": "A"}, "A"),
        ({"target_old": "E", "target_true": "D", "answers": ["C"], "pred": "B"}, "B"),
        ({"target_old": "E", "target_true": "D", "answers": ["C", "F"]}, "C"),
        ({"target_old": "E", "target_true": "D"}, "D"),
        ({"target_old": "E"}, "E"),
    ],
)  # fmt: skip
def test_the_old_answer_is_taken_from_the_surest_column(columns: object, old: str) -> None:
    assert isinstance(columns, dict)
    row = {"prompt": "P is", "target_new": "N", **columns}
    assert parse_facts(json.dumps([row]))[0].ground_truth == old


@pytest.mark.parametrize(
    ("name", "broken", "field"),
    [
        ("counterfact_rome.json", {"requested_rewrite": "gone"}, ""),
        ("akew_counterfact.json", {"requested_rewrite": "gone"}, ""),
        ("mededitbench.json", {"gen_qa": "gone"}, "shuffle_ori_qa, gen_qa"),
        ("qaedit.json", {"locality": [{"near": "x"}]}, "locality"),
        ("counterfact_rome.json", {"neighborhood_prompts": "not a list"}, "neighborhood_prompts"),
        ("mquake.json", {"questions": 7}, "questions"),
        ("mquake.json", {"requested_rewrite": []}, ""),
        ("knowedit.json", {"locality": ["x"]}, "locality"),
        ("rippleedits.json", {"edit": None}, "edit.prompt"),
        ("rippleedits.json", {"Forgetfulness": [{"test_queries": [3]}]},
         "Relation_Specifity, Forgetfulness"),
    ],
)  # fmt: skip
def test_a_record_built_otherwise_is_left_out_with_its_field(
    name: str, broken: dict[str, Any], field: str
) -> None:
    found = parse_facts(json.dumps([record(name), {**record(name), **broken}]))
    errors = [problem for problem in found.problems if problem.severity == "error"]
    assert [(error.row, error.field) for error in errors] == [(2, field)]
    assert found.rows == len(found) + found.merged + found.rejected


def test_a_table_of_ones_own_may_have_columns_that_come_late() -> None:
    rows: list[dict[str, Any]] = [{"prompt": f"P {i} is", "answer": "A"} for i in range(300)]
    rows.append({"prompt": "Last is", "answer": "A", "rephrases": ["So it is"], "note": "x"})
    found = parse_facts(json.dumps(rows))
    assert found[-1].rephrase_prompts == ("So it is",)
    assert found.unused_columns == ("note",)
