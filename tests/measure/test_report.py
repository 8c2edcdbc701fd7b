"""Reports: everything measured, in one file that needs nothing else, and nothing unescaped."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import PatchError
from workbench.measure.capability_result import Capability, TaskResult, task_result
from workbench.measure.evaluation import Evaluation
from workbench.measure.health_result import Health, HealthSide
from workbench.measure.report import as_html, as_markdown, build_report, write_report
from workbench.measure.report.contents import evaluation_part
from workbench.measure.text_loss import TextLoss
from workbench.measure.verdicts import FormVerdicts, QuestionVerdicts, Verdict

EVIL = "<script>alert(1)</script> | *x*"


def evaluation() -> Evaluation:
    right, wrong = Verdict(True, 1.0, True), Verdict(False, 0.5, False)
    chat = FormVerdicts("chat", wrong, wrong)
    near = FormVerdicts("raw", first=True, divergence=0.125)
    rows = (
        QuestionVerdicts(
            0, "prompt", "The capital of Peru is", "Oslo", wrong, right, forms=(chat,)
        ),
        QuestionVerdicts(1, "prompt", EVIL, "Lima", wrong, wrong, said_before="", said_after=EVIL),
        QuestionVerdicts(0, "locality", "Chad lies in", "", unchanged=right, forms=(near,)),
    )
    labels = {"pattern": ["The capital of … is", EVIL]}
    loss = TextLoss(2.5, 2.75, "a small English text")
    return Evaluation(
        2,
        rows,
        edited=True,
        written=2,
        unended=(0.0, 0.25),
        labels=labels,
        forms=("chat",),
        text=loss,
    )


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    side = HealthSide(6.0, 0.1, 10.0, "…")
    health = Health(side, side, 2, 100, 30, "a small English text")
    tasks = (task_result("facts", "acc", [1, 1, 0], [1, 0, 0]), TaskResult("mmlu", problem=EVIL))
    study = {
        "kind": "pipelines",
        "rows": [
            {
                "label": "LocFT-BF",
                "at": "6.mlp.down_proj",
                "learning_rate": 5e-3,
                "steps": 100,
                "seconds": 1.5,
                "score": 0.9,
                "reliability_strict": 1.0,
                "capability_kept": 0.97,
            }
        ],
        "sentences": ["The paper's ordering holds here."],
    }
    return build_report(
        evaluation=evaluation_part(evaluation()),
        facts={"count": 2, "digest": "abc", "file": EVIL},
        model="builtin",
        command="workbench evaluate 'my facts.csv' --patch p",
        run={
            "settings": {"at": ["6.mlp.down_proj"], "learning_rate": 5e-3, "stop_loss": 0.01},
            "losses": [3.0, 0.5, 0.009],
            "epochs": 3,
            "why": "It scores best.",
        },
        health={**health.as_dict(), "sentence": health.sentence},
        capability=Capability(tasks, 100, "0.4.13").as_dict(),
        studies=[study],
        versions={"torch": "2.13"},
    )


def test_the_html_needs_nothing_else_and_runs_nothing(report: dict[str, Any]) -> None:
    html = as_html(report)
    assert "<script" not in html and "http" not in html and "url(" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert html.count("<svg") == 1 and "mean loss by epoch" in html
    assert not re.search(r"""(src|href)=["']""", html)


def test_every_form_says_all_there_is_to_know(report: dict[str, Any]) -> None:
    html, markdown = as_html(report), as_markdown(report)
    for form in (html, markdown):
        assert "6.mlp.down" in form and "It scores best." in form
        assert "2.13" in form and "abc" in form
        assert "strict" in form and "generated" in form and "token" in form
        assert "Worst failures (1 questions failed)" in form
        assert "LocFT-BF" in form and "ordering holds here" in form
        assert "97" in form
        assert "reliability, in chat" in form and "locality, first token unchanged" in form
        assert "KL divergence of neighbours" in form and "0.125" in form and "+0.250" in form
        assert "answers that stop by themselves" in form and "0.750" in form
    assert "workbench evaluate 'my facts.csv' --patch p" in markdown
    assert as_html(json.loads(json.dumps(report))) == html


def test_no_table_of_the_report_mixes_protocols(report: dict[str, Any]) -> None:
    sections = as_html(report).split('<section class="protocol">')[1:]
    assert [re.match(r"<h3>(\w+)</h3>", s).group(1) for s in sections] == [  # type: ignore[union-attr]
        "strict",
        "generated",
        "token",
    ]


def test_a_report_of_an_earlier_version_is_told_without_what_it_lacks(
    report: dict[str, Any],
) -> None:
    old = json.loads(json.dumps(report))
    for name in ("figures", "text", "forms", "unended"):
        del old["evaluation"][name]
    for form in (as_html(old), as_markdown(old)):
        assert "strict" in form and "neighbours, text and endings" not in form


def test_text_of_unknown_origin_breaks_no_markdown_table(report: dict[str, Any]) -> None:
    markdown = as_markdown(report)
    assert "<script>" not in markdown.replace("\\<script\\>", "")
    for line in markdown.splitlines():
        if "alert" in line and line.startswith("|"):
            assert r"\|" in line


def test_the_ending_chooses_the_form_and_another_is_refused(
    report: dict[str, Any], tmp_path: Path
) -> None:
    for name, start in (("a.html", "<!doctype"), ("a.md", "# 2 facts"), ("a.JSON", "{")):
        write_report(report, tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    with pytest.raises(PatchError, match=r"ends in \.html, \.md"):
        write_report(report, tmp_path / "a.pdf")
    with pytest.raises(PatchError, match="folder that exists"):
        write_report(report, tmp_path / "no" / "a.html")
