"""`workbench evaluate` and `workbench study`: measures, reports, and the paper's experiments."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, Run
from workbench.measure.capability import MISSING, harness_version

pytestmark = pytest.mark.slow


def test_evaluate_writes_answers_for_a_sample_and_says_so(
    run: Run, sample: Path, edited: tuple[Path, Ran]
) -> None:
    words = ("--patch", edited[0], "--written", 5, "--forms", "raw", "--json")
    found = run("evaluate", sample, *words).json
    assert not any("chat" in name or "question" in name for name in found["after"])
    assert found["counts"]["generated_facts"] == 5
    assert "on 5 of them, drawn with seed 0" in found["sentence"]
    assert found["intervals"]["after"]["reliability_strict"]["count"] == 20
    assert {group["by"] for group in found["groups"]} <= {"pattern", "answer length"}


def test_evaluate_writes_a_report_in_each_form(
    run: Run,
    sample: Path,
    edited: tuple[Path, Ran],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workbench.measure.health.TOKENS", 10)
    html, markdown, plain = (tmp_path / f"report{end}" for end in (".html", ".md", ".json"))
    ran = run(
        "evaluate",
        sample,
        *("--patch", edited[0], "--health"),
        *("--report", html, "--report", markdown, "--report", plain),
    )
    assert (ran.code, ran.err) == (0, "")
    assert "Perplexity on sentences" in ran.out
    for name in ("reliability_chat_strict", "locality_first_strict", "neighbours_kl", "text_loss"):
        assert name in ran.out
    page = html.read_text(encoding="utf-8")
    assert "<script" not in page and "Does it still write well?" in page
    assert "workbench evaluate" in markdown.read_text(encoding="utf-8")
    report = json.loads(plain.read_text(encoding="utf-8"))
    assert report["run"]["settings"]["at"] and report["facts"]["count"] == 20
    assert "--health" in report["command"]


def test_a_report_that_cannot_be_written_is_said_before_any_work(
    run: Run, sample: Path, tmp_path: Path
) -> None:
    ran = run("evaluate", sample, "--report", tmp_path / "report.pdf")
    assert ran.code == 2 and ".html, .md" in ran.err
    ran = run("evaluate", sample, "--written", -1)
    assert ran.code == 2 and "written is -1" in ran.err


@pytest.mark.skipif(not harness_version(), reason=MISSING)
def test_evaluate_measures_general_capability(
    run: Run, sample: Path, edited: tuple[Path, Ran]
) -> None:
    words = ("--patch", edited[0], "--capability", "builtin", "--limit", 10, "--json")
    found = run("evaluate", sample, *words).json
    assert found["after"]["reliability_strict"] >= 0.95
    assert [task["task"] for task in found["capability"]["tasks"]] == [
        "builtin_skills",
        "builtin_facts",
    ]
    assert all(task["after"] is not None for task in found["capability"]["tasks"])


@pytest.mark.skipif(bool(harness_version()), reason="The harness is installed.")
def test_without_the_harness_capability_says_how_to_install_it(run: Run, sample: Path) -> None:
    ran = run("evaluate", sample, "--capability", "builtin")
    assert ran.code == 2 and "pip install" in ran.err and "Traceback" not in ran.err


def test_a_study_compares_pipelines_and_goes_on_from_its_folder(
    run: Run, sample: Path, tmp_path: Path
) -> None:
    how = ("--facts", 3, "--passes", 2, "--lr", 5e-3, "--written", 2)
    before = words = ("study", "pipelines", sample, *how)
    out = ("--locft-at", "6.mlp.down_proj", "--out", tmp_path / "study", "--json")
    first = run(*words, *out).json
    assert first["finished"] and len(first["rows"]) == 5
    assert {"reliability_strict", "reliability_generated"} <= set(first["rows"][0])
    assert any("ordering" in sentence for sentence in first["sentences"])
    assert run(*words, *out).json == first
    again = run("study", "pipelines", sample, "--settings", tmp_path / "study" / "study.yaml")
    assert "depth-first sample-wise" in again.out and "strict protocol" in again.out
    assert all(word in again.out for word in ("question", "chat", "neighbours", "loss"))
    plot = tmp_path / "methods.html"
    methods = (
        "study",
        "methods",
        sample,
        *how[:4],
        "--written",
        1,
        "--locft-at",
        "6.mlp.down_proj",
    )
    quick = ("--method", "ft-m,ultraedit", "--mode", "each,once", "--strength", 1)
    kept = ("--out", tmp_path / "methods")
    ran = run(*methods, *quick, *kept, "--plot", plot)
    assert "changed" in ran.out and "No other is both better and quicker" in ran.out
    assert "One by one: reliability: " in ran.out and "Of the first 3 facts" in ran.out
    assert "<svg" in plot.read_text(encoding="utf-8")
    file = ("--settings", tmp_path / "methods" / "study.yaml")
    found = run("study", "methods", sample, *file, *kept, "--json").json
    assert [row["mode"] for row in found["rows"]] == ["each", "each", "once"]
    other = run(*before, "--seed", 5, *out)
    assert other.code == 2 and "holds another study" in other.err
