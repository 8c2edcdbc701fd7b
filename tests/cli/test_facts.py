"""`workbench facts`: mapping, lengths, reports, and the same facts in another format."""

import csv
import inspect
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from workbench.cli.common import read_reported
from workbench.cli.edit import edit
from workbench.cli.evaluate import evaluate
from workbench.cli.scan import scan
from workbench.cli.study import study
from workbench.cli.sweep import sweep
from workbench.errors import FactsError
from workbench.facts import read_facts

SAMPLES = Path(__file__).parents[1] / "facts" / "samples"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    text = "Q,A,Was\nThe capital of Peru is,Quito,Lima\nIce is made of,iron,\nIce is made of,tin,\n"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_report_has_the_keys_that_scripts_read(run: Run, table: Path) -> None:
    found = run("facts", table, "--map", "prompt=Q", "--map", "target_new=A", "--json").json
    assert {"format", "rows", "facts", "merged", "rejected", "conflicts", "problems"} <= set(found)
    assert found["rows"] == found["facts"] + found["merged"] + found["rejected"] == 3
    assert (found["conflicts"], found["unused_columns"]) == (1, ["Was"])
    assert set(found["counts"]) == {"rephrases", "locality", "portability", "wordings", "keep"}
    assert {"row", "field", "kind", "message", "why"} <= set(found["problems"][0])


def test_columns_of_any_name_can_be_mapped(run: Run, table: Path) -> None:
    refused = run("facts", table)
    assert (refused.code, refused.out) == (2, "")
    assert "'Q', 'A', 'Was'" in refused.err
    mapped = run(
        "facts", table, "--map", "prompt=Q", "--map", "target=A", "--map", "old answer=Was"
    )
    assert mapped.code == 0
    assert "3 rows = 2 facts + 0 merged + 1 rejected" in mapped.out
    assert "conflict 1" in mapped.out


@pytest.mark.parametrize(
    ("said", "words"),
    [("prompt", ["FIELD=COLUMN"]), ("prompt=X", ["no column 'X'"]), ("colour=Q", ["no field"])],
)
def test_a_wrong_mapping_is_one_line(run: Run, table: Path, said: str, words: list[str]) -> None:
    ran = run("facts", table, "--map", said)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert all(word in ran.err for word in words)


def test_facts_are_converted_and_problems_written(run: Run, tmp_path: Path) -> None:
    out, report = tmp_path / "facts.jsonl.gz", tmp_path / "report.csv"
    ran = run("facts", SAMPLES / "zsre.json", "--out", out, "--report", report, "--json")
    assert ran.code == 0
    assert list(read_facts(out)) == list(read_facts(SAMPLES / "zsre.json"))
    with report.open(encoding="utf-8", newline="") as file:
        assert [row["kind"] for row in csv.DictReader(file)] == ["no change"]


def test_facts_are_written_in_the_schema_of_other_editors(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "flat.json"
    assert (
        run("facts", SAMPLES / "knowedit.json", "--out", out, "--schema", "counterfact").code == 0
    )
    assert json.loads(out.read_text(encoding="utf-8"))[0]["ground_truth"] == "Calder"
    wrong = run("facts", SAMPLES / "knowedit.json", "--out", out, "--schema", "rome")
    assert wrong.code == 2 and "own or counterfact" in wrong.err


def test_what_is_too_long_for_a_model_is_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("prompt,answer\nP is,A\n" + "word " * 2000 + ",A\n", encoding="utf-8")
    assert run("facts", path, "--json").json["problems"] == []
    (problem,) = run("facts", path, "--model", "builtin", "--json").json["problems"]
    assert (problem["row"], problem["kind"]) == (3, "too many tokens")


def test_a_special_token_of_a_model_is_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "marked.csv"
    path.write_text("prompt,answer\nP is,A<|endoftext|>\n", encoding="utf-8")
    assert run("facts", path, "--json").json["problems"] == []
    (problem,) = run("facts", path, "--model", "builtin", "--json").json["problems"]
    assert (problem["row"], problem["field"], problem["kind"]) == (2, "target_new", "special token")


def test_a_file_over_the_limit_is_refused(run: Run, table: Path) -> None:
    ran = run("facts", table, "--max-mb", "0.00001")
    assert ran.code == 2 and "at most 10 bytes" in ran.err


def test_every_command_that_reads_facts_can_be_told_which_column_holds_what(tmp_path: Path) -> None:
    file = tmp_path / "fremd.csv"
    file.write_text("Kysymys,Vastaus\nThe capital of France is,Lyon\n", encoding="utf-8")
    with pytest.raises(FactsError, match="No column"):
        read_reported(file)
    (fact,) = read_reported(file, ["prompt=Kysymys", "target_new=Vastaus"])
    assert fact.target_new == "Lyon"
    for command in (edit, evaluate, scan, study, sweep):
        assert "columns" in inspect.signature(command).parameters


def test_every_command_that_reads_facts_can_be_told_the_encoding(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "strasse.csv"
    file.write_bytes("prompt,answer\nDie Straße heißt,Große Straße\n".encode("cp850"))
    guessed = run("facts", file)
    assert "encoding 1" in guessed.out and "was read as" in guessed.out
    said = run("facts", file, "--encoding", "CP850", "--json").json
    assert (said["encoding"], said["problems"]) == ("cp850", [])
    wrong = run("facts", file, "--encoding", "klingon")
    assert wrong.code == 2 and "no encoding 'klingon'" in wrong.err
    assert read_reported(file, encoding="cp850")[0].target_new == "Große Straße"
    read_reported(file)
    assert "--encoding names another" in capsys.readouterr().err
    for command in (edit, evaluate, scan, study, sweep):
        assert "encoding" in inspect.signature(command).parameters
        words = [*_before(command.__name__), file, "--encoding", "klingon"]
        refused = run(command.__name__, *words, *_needed(command.__name__))
        assert refused.code == 2 and "no encoding 'klingon'" in refused.err


def _before(command: str) -> list[str]:
    return ["pipelines"] if command == "study" else []


def _needed(command: str) -> list[str]:
    """The options without which a command does not begin."""
    return ["--out", "nowhere"] if command == "edit" else []
