"""Writing facts: as people would write them, and readable by other programs."""

import json
from pathlib import Path

import pytest

from workbench.errors import FactsError
from workbench.facts import Fact, Question, read_facts, write_facts

FACT = Fact(
    "A, or B is",
    "C",
    rephrase_prompts=("D", "E"),
    locality_prompts=(Question("F | G", "1"), Question("H", "")),
)


def test_lists_are_written_with_bars_where_that_can_be_read_back(tmp_path: Path) -> None:
    write_facts([FACT], tmp_path / "facts.csv")
    header, row = (tmp_path / "facts.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("prompt,target_new,subject,ground_truth,rephrase_prompt,")
    assert row.startswith('"A, or B is",C,,,D | E,"[""F | G"", ""H""]",')


def test_json_leaves_out_what_is_empty(tmp_path: Path) -> None:
    write_facts([FACT], tmp_path / "facts.json")
    (written,) = json.loads((tmp_path / "facts.json").read_text(encoding="utf-8"))
    assert set(written) == {"prompt", "target_new", "rephrase_prompts", "locality_prompts"}
    assert written["locality_prompts"][0] == {"prompt": "F | G", "answer": "1"}


def test_an_ending_that_is_not_known_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(FactsError, match=r"\.csv, \.tsv, \.json or \.jsonl, or that and \.gz"):
        write_facts([FACT], tmp_path / "facts.xlsx")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FactsError, match="cannot be written"):
        write_facts([FACT], tmp_path / "nowhere" / "facts.csv")


def test_the_flat_schema_has_the_columns_that_other_editors_read(tmp_path: Path) -> None:
    write_facts([FACT, Fact("I", "J")], tmp_path / "facts.json", "counterfact")
    first, second = json.loads((tmp_path / "facts.json").read_text(encoding="utf-8"))
    assert first == {
        "case_id": 0, "prompt": "A, or B is", "target_new": "C", "subject": "",
        "ground_truth": "", "rephrase_prompt": "D", "locality_prompt": "F | G",
        "locality_ground_truth": "1",
    }  # fmt: skip
    assert (second["case_id"], second["rephrase_prompt"]) == (1, "")


def test_answers_with_aliases_are_kept_in_a_table(tmp_path: Path) -> None:
    fact = Fact("A is", "B", aliases=("Bee",), portability_prompts=(Question("C is", "D", ("E",)),))
    write_facts([fact], tmp_path / "facts.csv")
    assert list(read_facts(tmp_path / "facts.csv")) == [fact]
