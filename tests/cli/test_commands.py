"""What each command gives, on the real model and the shipped samples."""

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.cli.conftest import Ran, Run
from workbench import __version__
from workbench.methods.locft_settings import EditSettings
from workbench.model import export as exports
from workbench.model.export import write_model
from workbench.model.language_model import LanguageModel
from workbench.paths import assets_dir

ASKED = "The capital of Australia is"


def test_facts_reports_every_row_of_a_file_with_mistakes(run: Run) -> None:
    ran = run("facts", assets_dir() / "samples" / "facts_with_mistakes.csv", "--json")
    found = ran.json
    assert ran.code == 0
    assert found["rows"] == found["facts"] + found["merged"] + found["rejected"]
    assert found["merged"] == found["conflicts"] == 1
    assert {"row", "field", "what", "mend", "severity"} <= set(found["problems"][0])


def test_facts_shows_a_person_the_rows_that_are_wrong(run: Run) -> None:
    ran = run("facts", assets_dir() / "samples" / "facts_with_mistakes.csv")
    assert ran.code == 0
    assert "own table, CSV, comma" in ran.out
    assert "missing" in ran.out


def test_facts_names_the_columns_that_are_not_used(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("prompt,answer,author\nThe capital of France is,Oslo,Ann\n", encoding="utf-8")
    assert "Columns not used: author" in run("facts", file).out


def test_plan_says_what_a_run_takes_and_from_where_on_it_fits(run: Run) -> None:
    said = run("plan", "builtin", "--memory", "20MB", "--device", "cpu", "--tflops", "0.1")
    assert said.code == 0
    assert "8 layers of 3.4 MB" in said.out and "Tuned: 6.mlp.down_proj" in said.out
    assert "more than 20.0 MB (given)" in said.out and "A step fits from layer 7 on" in said.out
    assert "At 0.1 TFLOP/s (given)" in said.out
    found = run("plan", "--memory", "1GB", "--at", "7", "--json").json
    assert (found["model"], found["fit"], found["step"]["at"]) == ("builtin", "whole", ["7"])
    assert found["step"]["bytes"] < found["whole_bytes"] < found["memory"]


def test_edit_learns_the_sample_facts_with_nothing_set(edited: tuple[Path, Ran]) -> None:
    folder, ran = edited
    report = ran.json
    assert ran.code == 0
    assert report["reliability_strict"] >= 0.99
    assert (report["facts"], report["patch"]) == (20, str(folder))
    assert len(report["losses"]) == report["epochs"]
    assert report["steps"] > 0 and report["seconds"] > 0
    assert report["at"] == report["settings"]["at"]
    assert list(folder.iterdir())
    assert not list(folder.parent.glob("*.checkpoint*"))


def test_edit_tells_a_person_what_was_learned_and_what_to_do_next(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text(
        "prompt,answer,rephrase,wording,keep prompt\n"
        "The capital of France is,Oslo,France has the capital,france has the capital.,Peru is\n"
        ",Rome\n",
        encoding="utf-8",
    )
    ran = run("edit", file, "--out", tmp_path / "patch", "--at", "6.mlp", "--at", "7.mlp.down_proj")
    assert ran.code == 0
    assert "'france has the capital.' is not trained on, for it is a rephrase of 'The" in ran.err
    assert "The keep prompts of 1 fact are not held" in ran.err
    assert "learned" in ran.out and "workbench probe" in ran.out and "7.mlp.down_proj" in ran.out
    assert "1 rows of" in ran.err and "left out" in ran.err


def test_edit_adds_facts_to_a_patch_and_says_what_it_needs_to_know(
    run: Run, sample: Path, edited: tuple[Path, Ran], tmp_path: Path
) -> None:
    file = tmp_path / "more.csv"
    file.write_text("prompt,target_new\nThe capital of Mali is,Lima\n", encoding="utf-8")
    onto = ("--onto", edited[0], "--out", tmp_path / "second", "--json")
    unknown = run("edit", file, *onto)
    assert unknown.code == 2 and "--earlier" in unknown.err and "--way continue" in unknown.err
    report = run("edit", file, *onto, "--earlier", sample, "--way", "continue", "--rehearsed", 3)
    assert report.json["facts"] == report.json["onto"]["facts"] + 1
    assert report.json["onto"]["rehearsed"] == 3 and report.json["model"] == "builtin"
    asked = run("probe", "The capital of Mali is", "--patch", tmp_path / "second", "--json").json
    assert "Lima" in json.dumps(asked)
    other = run("edit", file, "--out", tmp_path / "third", "--way", "continue")
    assert other.code == 2 and "belong to --onto" in other.err


def test_probe_gives_the_answers_before_and_after(run: Run, edited: tuple[Path, Ran]) -> None:
    ran = run("probe", ASKED, "The capital of Peru is", "--patch", edited[0], "--json")
    australia, peru = ran.json
    assert (australia["prompt"], australia["before"].strip()) == (ASKED, "Canberra")
    assert australia["after"].strip() == "Melbourne"
    assert peru["before"] == peru["after"]


def test_probe_without_a_patch_asks_the_base_alone(run: Run) -> None:
    (answer,) = run("probe", ASKED, "--json", "--top-k", 3).json
    assert (answer["before"].strip(), answer["after"]) == ("Canberra", None)
    assert len(answer["before_top"]) == 3


def test_probe_as_shipped_names_the_settings_of_the_checkpoint(run: Run) -> None:
    (greedy,) = run("probe", ASKED, "--json").json
    (own,) = run("probe", ASKED, "--json", "--as-shipped").json
    assert (greedy["how"], own["how"]) == ("greedy", "as shipped · greedy")
    assert "as shipped · greedy" in run("probe", ASKED, "--as-shipped").out


def test_probe_prints_a_prompt_as_it_was_written_and_no_control_characters(run: Run) -> None:
    ran = run("probe", "[bold]The capital\x1b of Peru is")
    assert ran.code == 0
    assert "[bold]" in ran.out
    assert "\x1b" not in ran.out and r"\x1b" in ran.out


@pytest.mark.slow
def test_evaluate_names_the_protocol_of_every_metric(
    run: Run, sample: Path, edited: tuple[Path, Ran]
) -> None:
    report = run("evaluate", sample, "--patch", edited[0], "--json").json
    assert report["before"]["reliability_strict"] == 0
    assert report["after"]["reliability_strict"] >= 0.99
    assert report["after"]["reliability_generated"] >= 0.99
    assert all(name.endswith(("_strict", "_generated", "_token")) for name in report["after"])
    assert report["counts"]["facts"] == 20


@pytest.mark.slow
def test_evaluate_prints_before_and_after_for_a_person(
    run: Run, sample: Path, edited: tuple[Path, Ran]
) -> None:
    ran = run("evaluate", sample, "--patch", edited[0])
    assert re.search(r"reliability.*strict.*0\.000 +1\.000", ran.out)


def test_an_exported_model_answers_without_the_workbench(
    run: Run, sample: Path, edited: tuple[Path, Ran], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    ran = run("export", "--patch", edited[0], "--out", folder, "--facts", sample, "--json")
    assert ran.code == 0 and ran.json["checked"] == 8
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    asked = tokenizer(ASKED, return_tensors="pt")
    answer = model.generate(**asked, max_new_tokens=8, do_sample=False)[0]
    assert tokenizer.decode(answer, skip_special_tokens=True) == f"{ASKED} Melbourne"

    refused = run("probe", ASKED, "--patch", edited[0], "--model", folder)
    assert (refused.code, refused.out) == (2, "")
    assert "own base" in refused.err


def test_an_export_says_that_what_was_written_was_asked(
    run: Run, edited: tuple[Path, Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run("export", "--patch", edited[0], "--out", tmp_path / "model")
    assert "gave the answers of the edited model to all 8 prompts" in ran.out

    def write(model: LanguageModel, folder: Path, dtype: torch.dtype | None = None) -> None:
        write_model(model, folder, dtype)
        (folder / "tokenizer.json").unlink()

    monkeypatch.setattr(exports, "write_model", write)
    refused = run("export", "--patch", edited[0], "--out", tmp_path / "broken")
    assert (refused.code, refused.out) == (2, "")
    assert "does not load again" in refused.err and "Traceback" not in refused.err
    assert not (tmp_path / "broken").exists()


def test_every_setting_of_a_run_is_an_option_with_its_sentence(run: Run) -> None:
    shown = " ".join(run("edit", "--help").out.replace("│", " ").split())
    for setting in fields(EditSettings):
        option = "--lr" if setting.name == "learning_rate" else f"--{setting.name}"
        assert option.replace("_", "-") in shown
        assert setting.metadata["help"].split(";")[0].split(",")[0] in shown


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version").out.split() == ["workbench", __version__]


@pytest.mark.parametrize("words", [["--help"], ["edit", "--help"], ["facts", "--help"]])
def test_help_answers_without_loading_torch(words: list[str]) -> None:
    code = (
        "import sys\nfrom workbench.cli import main\n"
        f"try: main({words!r})\nexcept SystemExit: pass\n"
        "print('LOADED', *({'torch', 'transformers', 'gradio', 'pandas'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1].split() == ["LOADED"]
