"""`workbench rephrase`: nothing is added to a fact unless it is asked for."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from workbench.facts.read import read_facts
from workbench.methods import rephrasing


def test_what_the_model_writes_is_told_and_taken_into_a_file_only_on_demand(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = tmp_path / "facts.jsonl", tmp_path / "more.jsonl"
    fact = {"prompt": "The capital of France is", "target_new": "Lyon", "subject": "France"}
    path.write_text(json.dumps(fact) + "\n", encoding="utf-8")
    texts = ["The capital city of France is", "The currency of France is"]
    monkeypatch.setattr(
        rephrasing, "_said", lambda m, shown, way, prompts, stop: [texts[way]] * len(prompts)
    )
    told = run("rephrase", path, "--each", 2)
    assert (told.code, told.err) == (0, "") and "1 of 2 wordings mean the same" in told.out
    assert "it is answered otherwise" in told.out and [*tmp_path.iterdir()] == [path]
    (found,) = run("rephrase", path, "--each", 2, "--accept", out, "--json").json
    assert [one["against"] == "" for one in found["wordings"]] == [True, False]
    assert read_facts(out).facts[0].wordings == (texts[0],)


def test_what_the_model_wrote_is_not_lost_to_a_file_that_cannot_be_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "facts.csv"
    path.write_text("prompt,target_new\nThe capital of France is,Lyon\n", encoding="utf-8")
    asked: list[str] = []

    def said(m: object, shown: object, way: int, prompts: list[str], stop: object) -> list[str]:
        asked.extend(prompts)
        return ["The capital city of France is"] * len(prompts)

    monkeypatch.setattr(rephrasing, "_said", said)
    refused = run("rephrase", path, "--accept", tmp_path / "more.xlsx")
    assert refused.code == 2 and "more.xlsx' should end in" in refused.err and not asked
    told = run("rephrase", path, "--accept", tmp_path / "nowhere" / "more.csv")
    assert told.code == 2 and asked and "The capital city of France is" in told.out
    assert "nowhere" in told.err and "are in" not in told.out
